// Owns the reading of one line of a data set.
#include "data.h"

#include <algorithm>
#include <sstream>

#include "failure.h"
#include "files.h"
#include "json.h"

namespace trainer {

namespace {

/// One line's reader: throws with the line's number.
class LineReader {
 public:
  LineReader(const std::string & path, int64_t line, const DataLimits & limits) : path_(path), line_(line), limits_(limits) {}

  Sample read(const std::string & content) const {
    const std::optional<Json> parsed = parse_json(content);
    if (!parsed) fail("is no JSON");
    const Json & json = *parsed;
    if (!json.is(Json::Kind::object)) fail("is no JSON object");
    for (const auto & [key, value] : json.fields)
      if (key != "tokens" && key != "start" && key != "level" && key != "class" && key != "entities" && key != "id")
        fail(text("has a field “%s”, which no sample has", key.substr(0, 40).c_str()));
    const Json * tokens = json.find("tokens");
    if (!tokens || !tokens->is(Json::Kind::list)) fail("has no list “tokens”");

    Sample sample;
    const auto count = static_cast<int64_t>(tokens->list.size());
    if (count < 2) fail("has fewer than 2 tokens");
    if (count > limits_.context)
      throw Failure(code::sample_too_long, text("%s, line %lld has %lld tokens and the context is %lld. Shorten the sample or raise \"context\".",
                                                path_.c_str(), static_cast<long long>(line_), static_cast<long long>(count),
                                                static_cast<long long>(limits_.context)))
          .in_file(path_, line_);
    for (const Json & token : tokens->list) sample.tokens.push_back(token_of(token));
    sample.start = static_cast<int32_t>(whole(json, "start", 1, 1, count - 1));
    sample.level = static_cast<int32_t>(whole(json, "level", 0, 0, 1000));
    if (const Json * name = json.find("class")) {
      if (name->text != "general" && name->text != "special") fail("has a “class” that is neither “general” nor “special”");
      sample.special = name->text == "special";
    }
    if (const Json * entities = json.find("entities")) read_entities(*entities, sample);
    Hash64 hash;
    hash.add(&sample.start, sizeof sample.start);
    hash.add(sample.tokens.data(), sample.tokens.size() * sizeof(int32_t));
    sample.hash = hash.value();
    return sample;
  }

 private:
  const std::string & path_;
  int64_t line_;
  const DataLimits & limits_;

  [[noreturn]] void fail(const std::string & what) const {
    throw Failure(code::data_invalid,
                  text("%s, line %lld %s. Correct or remove the line.", path_.c_str(), static_cast<long long>(line_), what.c_str()))
        .in_file(path_, line_);
  }

  int32_t token_of(const Json & token) const {
    if (!token.whole) fail("has a token that is no whole number");
    const int64_t number = *token.whole;
    if (number < 0 || number >= limits_.vocab)
      throw Failure(code::token_out_of_range, text("%s, line %lld has token %lld and the vocabulary has %lld. Use the tokenizer of this model.",
                                                   path_.c_str(), static_cast<long long>(line_), static_cast<long long>(number),
                                                   static_cast<long long>(limits_.vocab)))
          .in_file(path_, line_);
    return static_cast<int32_t>(number);
  }

  int64_t whole(const Json & json, const char * name, int64_t fallback, int64_t least, int64_t most) const {
    const Json * value = json.find(name);
    if (!value) return fallback;
    if (!value->whole || *value->whole < least || *value->whole > most)
      fail(text("has a “%s” that is not between %lld and %lld", name, static_cast<long long>(least), static_cast<long long>(most)));
    return *value->whole;
  }

  void read_entities(const Json & entities, Sample & sample) const {
    if (!entities.is(Json::Kind::list)) fail("has “entities” that are no list");
    for (const Json & pair : entities.list) {
      if (pair.list.size() != 2 || !pair.list[0].whole || !pair.list[1].is(Json::Kind::number)) fail("has an entity that is no pair [index, weight]");
      const int64_t index = *pair.list[0].whole;
      const double weight = pair.list[1].number;
      if (index < sample.start || index >= sample.length()) fail("has an entity outside the learned tokens");
      if (!(weight > 0 && weight <= 100)) fail("has an entity weight that is not above 0 and at most 100");
      sample.entities.emplace_back(static_cast<int32_t>(index), static_cast<float>(weight));
    }
    std::sort(sample.entities.begin(), sample.entities.end());
    for (size_t i = 1; i < sample.entities.size(); i++)
      if (sample.entities[i].first == sample.entities[i - 1].first) fail("names the same entity token twice");
  }
};

}  // namespace

DataSet read_data(const std::string & path, const DataLimits & limits) {
  std::istringstream content(read_text(path));
  DataSet data;
  Hash64 hash;
  std::string line;
  for (int64_t number = 1; std::getline(content, line); number++) {
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    Sample sample = LineReader(path, number, limits).read(line);
    data.tokens += sample.length();
    hash.add(&sample.hash, sizeof sample.hash);
    const int32_t order[2] = {sample.level, sample.special};
    hash.add(order, sizeof order);
    for (const auto & [index, weight] : sample.entities) {
      hash.add(&index, sizeof index);
      hash.add(&weight, sizeof weight);
    }
    data.samples.push_back(std::move(sample));
  }
  if (data.samples.empty())
    throw Failure(code::data_empty, text("%s holds no sample. Name a file with one JSON object a line.", path.c_str())).in_file(path);
  data.hash = hash.value();
  return data;
}

}  // namespace trainer
