#include "usage.h"

#include "fovea/commands/commands.h"
#include "fovea/core/text.h"

namespace {

using Names = std::vector<std::string>;

std::string did_you_mean(const std::string& word, const Names& known) {
  const std::string near = fovea::nearest(word, known);
  return near.empty() ? "" : "; did you mean '" + near + "'?";
}

Names commands_of(const CLI::App& program) {
  Names names;
  for (const CLI::App* command : program.get_subcommands({})) names.push_back(command->get_name());
  return names;
}

Names options_of(const CLI::App& command) {
  Names names;
  for (const CLI::Option* option : command.get_options())
    if (!option->get_lnames().empty()) names.push_back("--" + option->get_lnames()[0]);
  return names;
}

bool is_option(const std::string& word) { return word.size() > 1 && word.starts_with('-'); }

/// "--epochs=3" -> "--epochs"
std::string name_of(const std::string& option) { return option.substr(0, option.find('=')); }

/// The commands that have an option.
Names owners(const CLI::App& program, const std::string& option) {
  Names names;
  for (const CLI::App* command : program.get_subcommands({}))
    if (std::ranges::count(options_of(*command), option) > 0)
      names.push_back("fovea " + command->get_name());
  return names;
}

/// The keys of a config file whose last step the option is called after.
Names keys_called(const std::string& option) {
  std::string step = option.substr(option.find_first_not_of('-'));
  std::ranges::replace(step, '-', '_');
  Names found;
  for (const std::string& key : fovea::commands::configuration_keys())
    if (key == step || key.ends_with("." + step)) found.push_back(key);
  return found;
}

std::string unknown_option(const CLI::App& program, const CLI::App* command,
                           const std::string& word) {
  const std::string option = name_of(word);
  std::string text = "found the option '" + option + "'";
  if (!command) {
    const Names commands = owners(program, option);
    if (commands.empty()) return text + ", wanted a command first: fovea COMMAND …";
    return text + " before a command; it is one of " + fovea::join(commands);
  }
  const Names own = options_of(*command);
  const std::string near = did_you_mean(option, own);
  if (!near.empty()) return text + near;
  if (const Names others = owners(program, option); !others.empty())
    return text + ", which is one of " + fovea::join(others) + "; known here: " + fovea::join(own);
  const bool settable = std::ranges::count(own, "--set") > 0;
  if (const Names keys = settable ? keys_called(option) : Names(); !keys.empty())
    return text + "; a key of the config is set with --set " + keys[0] + "=…";
  return text + "; known here: " + fovea::join(own);
}

/// The footer's example, which every command has.
std::string example_of(const CLI::App& command) {
  const std::string footer = command.get_footer();
  const size_t begin = footer.find("  fovea ");
  return begin == std::string::npos ? "" : footer.substr(begin, footer.find('\n', begin) - begin);
}

/// What a required argument is, "" where none is missing.
std::string missing_argument(const CLI::App& command) {
  std::string missing;
  for (const CLI::Option* option : command.get_options())
    if (option->get_required() && option->count() == 0)
      missing += "\n  " + option->get_type_name() + ": " + option->get_description();
  return missing.empty() ? "" : "too little is given; wanted also" + missing;
}

/// "--out: 1 required FILE missing" and such, after the option's name.
std::string value_problem(const CLI::App& command, const CLI::ParseError& error) {
  const std::string text = error.what();
  const std::string name = text.substr(0, text.find(':'));
  if (error.get_name() != "ArgumentMismatch" && error.get_name() != "ConversionError") return text;
  for (const CLI::Option* option : command.get_options())
    if (option->get_name() == name)
      return name + ": wanted a value after it: " + option->get_description();
  return text;
}

}  // namespace

std::string explanation(CLI::App& program, const CLI::ParseError& error) {
  const std::vector<CLI::App*> given = program.get_subcommands();
  const CLI::App* command = given.empty() ? nullptr : given[0];
  const Names before = program.remaining();
  if (const auto early = std::ranges::find_if(before, is_option); command && early != before.end())
    return unknown_option(program, nullptr, *early) + "\n`fovea --help` says more";
  const Names rest = command ? command->remaining() : before;
  const auto odd = std::ranges::find_if(rest, is_option);
  if (!command && !rest.empty() && !is_option(rest[0]))
    return "found the command '" + rest[0] + "'" + did_you_mean(rest[0], commands_of(program)) +
           "\nknown: " + fovea::join(commands_of(program)) + "\n`fovea --help` says more";
  if (!command)
    return (odd == rest.end() ? std::string(error.what())
                              : unknown_option(program, nullptr, *odd)) +
           "\n`fovea --help` says more";
  const std::string head = command->get_name() + ": ";
  const std::string tail = "\nExample:\n" + example_of(*command) + "\n`fovea " +
                           command->get_name() + " --help` says more";
  if (odd != rest.end()) return head + unknown_option(program, command, *odd) + tail;
  if (const std::string missing = missing_argument(*command);
      error.get_name() == "RequiredError" && !missing.empty())
    return head + missing + tail;
  if (!rest.empty()) return head + "found '" + rest[0] + "' too, wanted nothing more" + tail;
  return head + value_problem(*command, error) + tail;
}
