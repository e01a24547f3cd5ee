#include "options.h"

#include <charconv>
#include <map>

#include "fovea/core/text.h"
#include "fovea/storage/case_names.h"

namespace {

constexpr int64_t kMostThreads = 4096;

std::string listed(const std::vector<std::string>& words) {
  return "{" + fovea::join(words, ",") + "}";
}

const std::map<std::string, fovea::Level> kLevels{{"debug", fovea::Level::debug},
                                                  {"info", fovea::Level::info},
                                                  {"warning", fovea::Level::warning}};

std::string why_no_threads(const std::string& text) {
  int64_t threads = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), threads);
  if (error == std::errc() && end == text.data() + text.size() && threads >= 0 &&
      threads <= kMostThreads)
    return "";
  return "found '" + text + "', wanted a whole number from 0 (all cores) to " +
         std::to_string(kMostThreads);
}

}  // namespace

CLI::Validator one_of(std::vector<std::string> words) {
  const auto check = [words](const std::string& word) -> std::string {
    if (std::ranges::find(words, word) != words.end()) return "";
    const std::string near = fovea::nearest(word, words);
    return "found '" + word + "'; " + (near.empty() ? "" : "did you mean '" + near + "'? ") +
           "known: " + fovea::join(words);
  };
  return CLI::Validator(check, listed(words));
}

CLI::Validator such_as(std::vector<std::string> words) {
  return CLI::Validator([](const std::string&) { return std::string(); }, listed(words));
}

std::vector<std::string> words_of(const CLI::Validator& validator) {
  const std::string text = validator.get_description();
  if (!text.starts_with('{') || !text.ends_with('}')) return {};
  return CLI::detail::split(text.substr(1, text.size() - 2), ',');
}

void add_threads(CLI::App& command, int64_t& threads, const std::string& help) {
  command.add_option("--threads", threads, help + " [0: all cores]")
      ->type_name("N")
      ->check(CLI::Validator([](const std::string& text) { return why_no_threads(text); }, ""));
}

void add_device(CLI::App& command, std::string& device) {
  command.add_option("--device", device, "where to compute; cuda:N is the GPU of that number")
      ->type_name("NAME")
      ->check(such_as({"auto", "cpu", "cuda", "cuda:N"}))
      ->capture_default_str();
}

CLI::Option* add_set(CLI::App& command, std::vector<std::string>& set, const std::string& help) {
  return command.add_option("--set", set, help + "; may be repeated")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
}

void add_hash_ids(CLI::App& command) {
  command.add_flag_callback(
      "--hash-ids", [] { fovea::storage::hide_names(); },
      "salted hashes in place of the ids and paths of cases, in all that is printed and written");
}

void add_log_level(CLI::App& command) {
  std::vector<std::string> names;
  for (const auto& [name, level] : kLevels) names.push_back(name);
  command
      .add_option_function<std::string>(
          "--log-level", [](const std::string& name) { fovea::set_log_level(kLevels.at(name)); },
          "the least that is worth a line on standard error [info]")
      ->type_name("LEVEL")
      ->check(one_of(names));
}
