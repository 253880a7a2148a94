// Owns the only use of nlohmann/json, its event parser, and the writing of JSON.
#include "json.h"

#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

namespace trainer {

namespace {

/// Builds values from the parser's events. `open_` are the lists and objects that are not closed yet.
class Builder : public nlohmann::json_sax<nlohmann::json> {
 public:
  Json result;
  size_t error_at = 0;

  bool null() override { return add(Json()); }
  bool boolean(bool value) override { return add(Json(value)); }
  bool number_integer(number_integer_t value) override { return add(Json(value)); }
  bool number_unsigned(number_unsigned_t value) override {
    return value > static_cast<uint64_t>(INT64_MAX) ? add(Json(static_cast<double>(value))) : add(Json(value));
  }
  bool number_float(number_float_t value, const string_t &) override { return add(Json(value)); }
  bool string(string_t & value) override { return add(Json(std::move(value))); }
  bool binary(binary_t &) override { return false; }
  bool start_object(size_t) override { return start(Json(JsonFields())); }
  bool end_object() override { return end(); }
  bool start_array(size_t) override { return start(Json(std::vector<Json>())); }
  bool end_array() override { return end(); }
  bool key(string_t & name) override {
    names_.back() = std::move(name);
    return true;
  }
  bool parse_error(size_t position, const std::string &, const nlohmann::detail::exception &) override {
    error_at = position;
    return false;
  }

 private:
  // nothing that the trainer reads is deeper than 4
  static constexpr size_t deepest = 32;
  std::vector<Json> open_;
  std::vector<std::string> names_;

  bool start(Json value) {
    open_.push_back(std::move(value));
    names_.emplace_back();
    return open_.size() <= deepest;
  }
  bool end() {
    Json value = std::move(open_.back());
    open_.pop_back();
    names_.pop_back();
    return add(std::move(value));
  }
  bool add(Json value) {
    if (open_.empty())
      result = std::move(value);
    else if (open_.back().is(Json::Kind::list))
      open_.back().list.push_back(std::move(value));
    else
      open_.back().fields.emplace_back(std::move(names_.back()), std::move(value));
    return true;
  }
};

/// Bytes of the UTF-8 character at `at`, 0 when it is none.
size_t character_length(const std::string & text, size_t at) {
  const auto byte = [&](size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
  const unsigned first = byte(at);
  const size_t length = first < 0x80 ? 1 : first >= 0xc2 && first < 0xe0 ? 2 : (first & 0xf0) == 0xe0 ? 3 : first >= 0xf0 && first < 0xf5 ? 4 : 0;
  for (size_t i = 1; i < length; i++)
    if ((byte(at + i) & 0xc0) != 0x80) return 0;
  return length;
}

std::string quoted(const std::string & text) {
  std::string result = "\"";
  for (size_t at = 0; at < text.size();) {
    const size_t length = character_length(text, at);
    const char first = text[at];
    if (first == '"' || first == '\\') {
      result += '\\';
      result += first;
    } else if (static_cast<unsigned char>(first) < 0x20) {
      char escape[8];
      std::snprintf(escape, sizeof escape, "\\u%04x", first);
      result += escape;
    } else {
      result += length == 0 ? "?" : text.substr(at, length);
    }
    at += length == 0 ? 1 : length;
  }
  return result + "\"";
}

}  // namespace

const Json * Json::find(const std::string & name) const {
  for (const auto & [key, value] : fields)
    if (key == name) return &value;
  return nullptr;
}

std::string Json::dump() const {
  std::string result;
  char digits[32];
  switch (kind) {
    case Kind::null: return "null";
    case Kind::boolean: return truth ? "true" : "false";
    case Kind::text: return quoted(text);
    case Kind::number:
      if (!std::isfinite(number)) return "null";
      if (whole) return std::to_string(*whole);
      std::snprintf(digits, sizeof digits, "%.9g", number);
      return digits;
    case Kind::list:
      for (const Json & item : list) result += (result.empty() ? "" : ",") + item.dump();
      return "[" + result + "]";
    case Kind::object:
      for (const auto & [name, value] : fields) result += (result.empty() ? "" : ",") + quoted(name) + ":" + value.dump();
      return "{" + result + "}";
  }
  return result;
}

std::optional<Json> parse_json(const std::string & content, size_t * error_at) {
  Builder builder;
  if (nlohmann::json::sax_parse(content, &builder)) return std::move(builder.result);
  if (error_at) *error_at = builder.error_at;
  return std::nullopt;
}

}  // namespace trainer
