// Owns the reader and the describer.
#include "fields.h"

#include <algorithm>
#include <cmath>

#include "failure.h"

namespace trainer {

namespace {

[[noreturn]] void refuse(const std::string & field, const std::string & what) {
  throw Failure(code::config_invalid, trainer::text("“%s” %s. Correct it; --help lists every field.", field.c_str(), what.c_str()));
}

std::string list_of(const std::vector<std::string> & options) {
  std::string all;
  for (const std::string & option : options) all += (all.empty() ? "“" : ", “") + option + "”";
  return all;
}

class Reader final : public Fields {
 public:
  Reader(const Json & object, std::string path) : object_(object), path_(std::move(path)) {}

  void text(const char * name, std::string & value, bool needed, const char *) override {
    const Json * json = find(name, needed);
    if (!json) return;
    if (!json->is(Json::Kind::text) || (needed && json->text.empty())) refuse(path_ + name, "must be text");
    value = json->text;
  }
  void choice(const char * name, std::string & value, const std::vector<std::string> & options, const char *) override {
    const Json * json = find(name, false);
    if (!json) return;
    if (std::find(options.begin(), options.end(), json->text) == options.end()) refuse(path_ + name, "must be one of " + list_of(options));
    value = json->text;
  }
  void flag(const char * name, bool & value, const char *) override {
    const Json * json = find(name, false);
    if (!json) return;
    if (!json->is(Json::Kind::boolean)) refuse(path_ + name, "must be true or false");
    value = json->truth;
  }
  void whole(const char * name, int64_t & value, int64_t least, int64_t most, bool needed, const char *) override {
    const Json * json = find(name, needed);
    if (!json) return;
    // a whole number may be written as 1e6, and arrive as a fraction that is none
    const double number = json->is(Json::Kind::number) ? json->number : NAN;
    if (!(number >= static_cast<double>(least) && number <= static_cast<double>(most)) || number != std::floor(number))
      refuse(path_ + name, trainer::text("must be a whole number from %lld to %lld", static_cast<long long>(least), static_cast<long long>(most)));
    value = static_cast<int64_t>(number);
  }
  void number(const char * name, double & value, double least, double most, const char *) override {
    const Json * json = find(name, false);
    if (!json) return;
    const double number = json->is(Json::Kind::number) ? json->number : NAN;
    if (!(number >= least && number <= most)) refuse(path_ + name, trainer::text("must be a number from %g to %g", least, most));
    value = number;
  }
  void texts(const char * name, std::vector<std::string> & values, const std::vector<std::string> & options, const char *) override {
    const Json * json = find(name, false);
    if (!json) return;
    values.clear();
    if (json->list.empty()) refuse(path_ + name, "must be a list with at least one entry");
    for (const Json & entry : json->list) {
      if (std::find(options.begin(), options.end(), entry.text) == options.end()) refuse(path_ + name, "may hold only " + list_of(options));
      values.push_back(entry.text);
    }
  }
  void wholes(const char * name, std::vector<int32_t> & values, const char *) override {
    const Json * json = find(name, true);
    if (json->list.empty()) refuse(path_ + name, "must be a list with at least one number");
    for (const Json & entry : json->list) {
      if (!entry.whole || *entry.whole < 0 || *entry.whole > INT32_MAX) refuse(path_ + name, "may hold only token numbers");
      values.push_back(static_cast<int32_t>(*entry.whole));
    }
  }
  bool section(const char * name, const List & list, const char *) override {
    const Json * json = find(name, false);
    if (!json) return false;
    if (!json->is(Json::Kind::object)) refuse(path_ + name, "must be an object");
    read_fields(*json, path_ + name + ".", list);
    return true;
  }
  void refuse_unknown() const {
    for (const auto & [key, value] : object_.fields)
      if (known_.count(key) == 0) refuse(path_ + key.substr(0, 60), "is no field of this file");
  }

 private:
  const Json & object_;
  std::string path_;
  std::set<std::string> known_;

  const Json * find(const char * name, bool needed) {
    known_.insert(name);
    const Json * found = object_.find(name);
    if (found && !found->is(Json::Kind::null)) return found;
    if (needed) refuse(path_ + name, "is missing");
    return nullptr;
  }
};

class Describer final : public Fields {
 public:
  std::string all;
  explicit Describer(int depth) : indent_(static_cast<size_t>(2 + 2 * depth), ' '), depth_(depth) {}

  void text(const char * name, std::string & value, bool needed, const char * meaning) override {
    add(name, needed ? "text, needed" : quoted(value), meaning);
  }
  void choice(const char * name, std::string & value, const std::vector<std::string> & options, const char * meaning) override {
    add(name, list_of(options) + "; " + quoted(value), meaning);
  }
  void flag(const char * name, bool & value, const char * meaning) override { add(name, value ? "true" : "false", meaning); }
  void whole(const char * name, int64_t & value, int64_t least, int64_t most, bool needed, const char * meaning) override {
    const std::string range = trainer::text("%lld–%lld", static_cast<long long>(least), static_cast<long long>(most));
    add(name, range + (needed ? ", needed" : trainer::text("; %lld", static_cast<long long>(value))), meaning);
  }
  void number(const char * name, double & value, double least, double most, const char * meaning) override {
    add(name, trainer::text("%g–%g; %g", least, most, value), meaning);
  }
  void texts(const char * name, std::vector<std::string> &, const std::vector<std::string> & options, const char * meaning) override {
    add(name, "list of " + list_of(options), meaning);
  }
  void wholes(const char * name, std::vector<int32_t> &, const char * meaning) override { add(name, "list of whole numbers, needed", meaning); }
  bool section(const char * name, const List & list, const char * meaning) override {
    add(name, "object", meaning);
    Describer inner(depth_ + 1);
    list(inner);
    all += inner.all;
    return false;
  }

 private:
  std::string indent_;
  int depth_;
  static std::string quoted(const std::string & value) { return "“" + value + "”"; }
  void add(const std::string & name, const std::string & form, const std::string & meaning) {
    all += indent_ + name + " (" + form + "): " + meaning + "\n";
  }
};

}  // namespace

void read_fields(const Json & object, const std::string & path, const Fields::List & list) {
  Reader reader(object, path);
  list(reader);
  reader.refuse_unknown();
}

std::string describe_fields(const Fields::List & list) {
  Describer describer(0);
  list(describer);
  return describer.all;
}

}  // namespace trainer
