// What the program prints and writes, taken apart.
#pragma once

#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

namespace fovea::test {

/// "split=test n=624 auc=0.9712" -> {split: test, …}
inline std::map<std::string, std::string> key_values(const std::string& line) {
  std::map<std::string, std::string> pairs;
  std::istringstream stream(line);
  for (std::string word; stream >> word;) {
    const size_t equals = word.find('=');
    if (equals != std::string::npos) pairs[word.substr(0, equals)] = word.substr(equals + 1);
  }
  return pairs;
}

/// One metric of such a line; NaN, which passes no comparison, where it is not there.
inline double metric(const std::string& line, const std::string& name) {
  const auto pairs = key_values(line);
  const auto found = pairs.find(name);
  return found == pairs.end() ? NAN : std::stod(found->second);
}

/// The first line that begins with `start`; nothing where none does.
inline std::string line_with(const std::string& text, const std::string& start) {
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);)
    if (line.starts_with(start)) return line;
  return {};
}

inline std::vector<nlohmann::json> json_lines(const std::string& text) {
  std::vector<nlohmann::json> all;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) all.push_back(nlohmann::json::parse(line));
  return all;
}

}  // namespace fovea::test
