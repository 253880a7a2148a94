// Owns the two uses of a list of fields: reading them from JSON with every fault named, and describing them for --help.
#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "json.h"

namespace trainer {

/// What a list of fields is told to. Ranges are inclusive; a field not given keeps the value that it has.
class Fields {
 public:
  using List = std::function<void(Fields &)>;
  virtual ~Fields() = default;
  virtual void text(const char * name, std::string & value, bool needed, const char * meaning) = 0;
  virtual void choice(const char * name, std::string & value, const std::vector<std::string> & options, const char * meaning) = 0;
  virtual void flag(const char * name, bool & value, const char * meaning) = 0;
  virtual void whole(const char * name, int64_t & value, int64_t least, int64_t most, bool needed, const char * meaning) = 0;
  virtual void number(const char * name, double & value, double least, double most, const char * meaning) = 0;
  virtual void texts(const char * name, std::vector<std::string> & values, const std::vector<std::string> & options, const char * meaning) = 0;
  virtual void wholes(const char * name, std::vector<int32_t> & values, const char * meaning) = 0;
  /// Whether the object is there.
  virtual bool section(const char * name, const List & list, const char * meaning) = 0;
};

/// Fills from `object`. Throws CONFIG_INVALID for a missing, unknown or unfit field; `path` is how the file calls the object.
void read_fields(const Json & object, const std::string & path, const Fields::List & list);

std::string describe_fields(const Fields::List & list);

}  // namespace trainer
