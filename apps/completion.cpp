#include "completion.h"

#include <algorithm>

#include "commands.h"
#include "fovea/core/text.h"
#include "options.h"

namespace {

using Names = std::vector<std::string>;

/// What a shell needs to know of one option or argument.
struct Argument {
  Names names;  // "--set"; none of an argument that stands for itself
  Names words;  // what may follow; none: a file
  std::string help;
  bool takes_value = false;
};

/// What may follow an option or stand for an argument.
Names words_after(CLI::Option& option) {
  try {
    return words_of(*option.get_validator(0));
  } catch (const CLI::OptionNotFound&) {
    return {};
  }
}

std::vector<Argument> arguments_of(CLI::App& command) {
  std::vector<Argument> all;
  for (CLI::Option* option : command.get_options({})) {
    Argument one{.words = words_after(*option),
                 .help = option->get_description(),
                 .takes_value = option->get_items_expected_max() > 0};
    for (const std::string& name : option->get_snames()) one.names.push_back("-" + name);
    for (const std::string& name : option->get_lnames()) one.names.push_back("--" + name);
    all.push_back(std::move(one));
  }
  return all;
}

int64_t arguments_without_names(const std::vector<Argument>& arguments) {
  return std::ranges::count_if(arguments, [](const Argument& one) { return one.names.empty(); });
}

std::string joined_names(const std::vector<Argument>& arguments) {
  Names all;
  for (const Argument& one : arguments) all.insert(all.end(), one.names.begin(), one.names.end());
  return fovea::join(all, " ");
}

/// In single quotes of a shell; `also` are letters that it would take for its own.
std::string in_quotes(const std::string& text, const std::string& also = "") {
  std::string result = "'";
  for (const char c : text) {
    if (c == '\'')
      result += "'\\''";
    else if (c == '\n')
      result += ' ';
    else
      result += (also.find(c) != std::string::npos ? "\\" : "") + std::string(1, c);
  }
  return result + "'";
}

std::string in_fish_quotes(const std::string& text) {
  std::string result = "'";
  for (const char c : text)
    result += c == '\'' || c == '\\' ? std::string{'\\', c} : std::string(1, c);
  return result + "'";
}

Names command_names(const std::vector<CLI::App*>& commands) {
  Names names;
  for (const CLI::App* command : commands) names.push_back(command->get_name());
  return names;
}

std::string bash(CLI::App& program, const std::vector<CLI::App*>& commands) {
  std::string words, others, options;
  const auto list = [&](const std::string& command, CLI::App& app) {
    const std::vector<Argument> arguments = arguments_of(app);
    options += "    " + command + ") options=" + in_quotes(joined_names(arguments)) + " ;;\n";
    for (const Argument& one : arguments) {
      for (const std::string& name : one.names) {
        if (!one.words.empty())
          words += "    '" + command + " " + name +
                   "') words=" + in_quotes(fovea::join(one.words, " ")) + " ;;\n";
      }
      // Words come first where files follow them: `bundle sign FOLDER`.
      if (one.names.empty() && !one.words.empty())
        others += "    '" + command +
                  (arguments_without_names(arguments) > 1 ? " " + command + "'" : " '*") +
                  ") words=" + in_quotes(fovea::join(one.words, " ")) + " ;;\n";
    }
  };
  for (CLI::App* command : commands) list(command->get_name(), *command);
  return "# source <(fovea completion bash), for instance in ~/.bashrc\n"
         "_fovea() {\n"
         "  local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}\n"
         "  local command=${COMP_WORDS[1]} options= words=\n"
         "  COMPREPLY=()\n"
         "  if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
         "    COMPREPLY=($(compgen -W " +
         in_quotes(fovea::join(command_names(commands), " ") + " " +
                   joined_names(arguments_of(program))) +
         " -- \"$current\"))\n"
         "    return\n"
         "  fi\n"
         "  case $command in\n" +
         options +
         "  esac\n"
         "  if [[ $current == -* ]]; then\n"
         "    COMPREPLY=($(compgen -W \"$options\" -- \"$current\"))\n"
         "    return\n"
         "  fi\n"
         "  case \"$command $before\" in\n" +
         words + others +
         "  esac\n"
         "  if [ -n \"$words\" ]; then\n"
         "    COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n"
         "  else\n"
         "    compopt -o filenames 2>/dev/null\n"
         "    COMPREPLY=($(compgen -f -- \"$current\"))\n"
         "  fi\n"
         "}\n"
         "complete -F _fovea fovea\n";
}

std::string zsh(const std::vector<CLI::App*>& commands) {
  const std::string own = "[]:";
  std::string described, cases;
  for (CLI::App* command : commands) {
    described += "    " + in_quotes(command->get_name() + ":" + command->get_description()) + "\n";
    cases += "    " + command->get_name() + ") _arguments";
    int place = 0;
    for (const Argument& one : arguments_of(*command)) {
      const std::string value =
          one.words.empty() ? ":file:_files" : ":value:(" + fovea::join(one.words, " ") + ")";
      if (one.names.empty())
        cases +=
            " \\\n      " + in_quotes((one.words.empty() ? "*" : std::to_string(++place)) + value);
      for (const std::string& name : one.names) {
        const std::string help = in_quotes(one.help, own);
        cases += " \\\n      '*" + name + "[" + help.substr(1, help.size() - 2) + "]" +
                 (one.takes_value ? value : "") + "'";
      }
    }
    cases += " ;;\n";
  }
  return "#compdef fovea\n"
         "# fovea completion zsh > a file _fovea in a folder of $fpath\n"
         "_fovea() {\n"
         "  local state\n"
         "  local -a commands=(\n" +
         described +
         "  )\n"
         "  _arguments -C '1:command:->command' '*::argument:->argument'\n"
         "  case $state in\n"
         "    command) _describe command commands ;;\n"
         "    argument) case $words[1] in\n" +
         cases +
         "    esac ;;\n"
         "  esac\n"
         "}\n"
         "compdef _fovea fovea\n";
}

/// The condition `here` of fish, until one of the argument's words stands there.
std::string before_a_word_of(const Argument& one, std::string here) {
  here.pop_back();
  return here + "; and not __fish_seen_subcommand_from " + fovea::join(one.words, " ") + "'";
}

std::string fish(const std::vector<CLI::App*>& commands) {
  std::string text = "# fovea completion fish > ~/.config/fish/completions/fovea.fish\n";
  for (CLI::App* command : commands) {
    text += "complete -c fovea -f -n __fish_use_subcommand -a " + command->get_name() + " -d " +
            in_fish_quotes(command->get_description()) + "\n";
    const std::string here =
        "complete -c fovea -n '__fish_seen_subcommand_from " + command->get_name() + "'";
    for (const Argument& one : arguments_of(*command)) {
      const std::string words =
          one.words.empty() ? "" : " -f -a " + in_fish_quotes(fovea::join(one.words, " "));
      if (one.names.empty() && !words.empty()) text += before_a_word_of(one, here) + words + "\n";
      if (one.names.empty()) continue;
      std::string names;
      for (const std::string& name : one.names)
        names += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
      text += here + names + (one.takes_value ? " -r" + words : "") + " -d " +
              in_fish_quotes(one.help) + "\n";
    }
  }
  return text;
}

}  // namespace

std::string completion(CLI::App& program, const std::string& shell) {
  const std::vector<CLI::App*> commands = program.get_subcommands({});
  if (shell == "bash") return bash(program, commands);
  return shell == "zsh" ? zsh(commands) : fish(commands);
}

void add_completion(CLI::App& program, int&) {
  auto* command =
      program.add_subcommand("completion", "print what a shell needs to complete fovea");
  auto shell = std::make_shared<std::string>();
  command->add_option("shell", *shell, "bash, zsh or fish")
      ->type_name("SHELL")
      ->required()
      ->check(one_of({"bash", "zsh", "fish"}));
  command->footer(
      "Example:\n  fovea completion bash > ~/.local/share/bash-completion/completions/fovea\n"
      "For one session: source <(fovea completion bash). zsh: into a file _fovea in a folder of "
      "$fpath; fish: into ~/.config/fish/completions/fovea.fish.");
  command->callback([shell, &program] { std::cout << completion(program, *shell); });
}
