#include "fovea/core/error.h"

#include <cctype>

namespace fovea {
namespace {

bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

/// The end of "batch_size" or "inputs.chest.columns"; a dot that ends a sentence is not part of it.
size_t end_of_field(std::string_view text, size_t at) {
  while (at < text.size() &&
         (is_word(text[at]) || (text[at] == '.' && at + 1 < text.size() && is_word(text[at + 1]))))
    ++at;
  return at;
}

}  // namespace

Error::Error(Fault fault, std::string problem, std::string remedy)
    : std::runtime_error(""),
      fault_(fault),
      problem_(std::move(problem)),
      remedy_(std::move(remedy)) {
  join_parts();
}

void Error::add_place(const std::string& outer) {
  place_ = place_.empty() ? outer : outer + ": " + place_;
  join_parts();
}

void Error::add_place_once(const std::string& outer) {
  if (text_.find(outer) == std::string::npos) add_place(outer);
}

void Error::join_parts() {
  text_ =
      (place_.empty() ? "" : place_ + ": ") + problem_ + (remedy_.empty() ? "" : "; " + remedy_);
}

std::string reworded(
    std::string_view text,
    const std::function<std::string(std::string_view type, std::string_view field)>& word) {
  std::string result;
  size_t done = 0;
  for (size_t colons = text.find("::"); colons != std::string_view::npos;
       colons = text.find("::", colons + 2)) {
    size_t begin = colons;
    while (begin > done && is_word(text[begin - 1])) --begin;
    const size_t end = end_of_field(text, colons + 2);
    if (begin == colons || !is_upper(text[begin]) || end == colons + 2) continue;
    const std::string said =
        word(text.substr(begin, colons - begin), text.substr(colons + 2, end - colons - 2));
    if (said.empty()) continue;
    result.append(text.substr(done, begin - done)).append(said);
    done = end;
  }
  return result.append(text.substr(done));
}

}  // namespace fovea
