// Owns JSON values: small enough to compile in an instant, parsed by nlohmann/json from llama.cpp's vendor folder, which is slow to compile.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace trainer {

struct Json {
  enum class Kind { null, boolean, number, text, list, object };
  Kind kind = Kind::null;
  bool truth = false;
  double number = 0;
  std::optional<int64_t> whole;  // of a number written without fraction or exponent
  std::string text;
  std::vector<Json> list;
  std::vector<std::pair<std::string, Json>> fields;  // in order

  Json() = default;
  Json(bool value) : kind(Kind::boolean), truth(value) {}
  Json(double value) : kind(Kind::number), number(value) {}
  template <typename T, std::enable_if_t<std::is_integral_v<T> && !std::is_same_v<T, bool>, int> = 0>
  Json(T value) : kind(Kind::number), number(static_cast<double>(value)), whole(static_cast<int64_t>(value)) {}
  Json(const char * value) : kind(Kind::text), text(value) {}
  Json(std::string value) : kind(Kind::text), text(std::move(value)) {}
  Json(std::vector<Json> values) : kind(Kind::list), list(std::move(values)) {}
  Json(std::vector<std::pair<std::string, Json>> values) : kind(Kind::object), fields(std::move(values)) {}

  bool is(Kind wanted) const { return kind == wanted; }
  const Json * find(const std::string & name) const;
  /// On one line. A number that JSON cannot say (NaN, infinite) becomes null, a byte that is no UTF-8 a question mark.
  std::string dump() const;
};
using JsonFields = std::vector<std::pair<std::string, Json>>;

/// Nothing when `content` is no JSON; `error_at` is then the byte.
std::optional<Json> parse_json(const std::string & content, size_t * error_at = nullptr);

}  // namespace trainer
