// The program: reads the command line, calls the library, turns its one exception into an exit
// code.
#include <sys/resource.h>

#include <csignal>
#include <filesystem>
#include <iostream>

#include "commands.h"
#include "fovea/commands/commands.h"
#include "fovea/commands/words.h"
#include "fovea/config/version.h"
#include "fovea/core/error.h"
#include "fovea/core/log.h"
#include "fovea/dicom/process.h"
#include "fovea/io/process.h"
#include "fovea/storage/file.h"
#include "options.h"
#include "streams.h"
#include "usage.h"

namespace {

void prepare_process() {
  std::signal(SIGPIPE, SIG_IGN);  // write errors are handled where they happen,
  std::signal(SIGXFSZ, SIG_IGN);  // that of a file-size limit too
  const rlimit none{0, 0};
  setrlimit(RLIMIT_CORE, &none);  // a core dump would hold patients' images
  fovea::io::take_opencv();
  fovea::dicom::silence_dcmtk();
}

/// What the operating system refused where nothing below knew the place better.
std::string sentence_of(const std::filesystem::filesystem_error& error) {
  std::string text = "cannot use ";
  text += error.path1().empty() ? "a path" : fovea::storage::shown(error.path1());
  if (!error.path2().empty()) text += " and " + fovea::storage::shown(error.path2());
  return text + ": " + error.code().message() + "; check the path";
}

int code_of(fovea::Fault fault) { return static_cast<int>(fault); }

int parse(CLI::App& program, int argc, char** argv) {
  if (argc < 2) {
    std::cout << program.help();
    return code_of(fovea::Fault::config);
  }
  try {
    program.parse(argc, argv);
    return 0;
  } catch (const CLI::Success& help) {
    return program.exit(help);
  } catch (const CLI::ParseError& error) {
    fovea::commands::complain(explanation(program, error));
    return code_of(fovea::Fault::config);
  }
}

int run(int argc, char** argv) {
  CLI::App program{"fovea trains, evaluates and runs deep-learning models on medical data."};
  program.name("fovea");
  program.require_subcommand(1);
  program.set_version_flag("--version", fovea::config::version_text());
  program.footer(
      "fovea COMMAND --help says more. Exit codes: 0 done, 2 usage or configuration, 3 data, 4 "
      "input/output, "
      "5 resources, 70 internal, 75 stopped by a signal, with what was done kept.");
  int exit_code = 0;
  for (const auto add : {add_train, add_eval, add_report, add_compare, add_infer, add_inspect,
                         add_check, add_list, add_phantom, add_bundle, add_doctor, add_completion})
    add(program, exit_code);
  for (CLI::App* command : program.get_subcommands({})) add_log_level(*command);
  try {
    const int usage = parse(program, argc, argv);
    return usage != 0 ? usage : exit_code;
  } catch (const fovea::Error& error) {
    fovea::commands::complain(error.what());
    return code_of(error.fault());
  } catch (const std::filesystem::filesystem_error& error) {
    fovea::commands::complain(sentence_of(error));
    return code_of(fovea::Fault::io);
  } catch (const std::bad_alloc&) {
    fovea::commands::complain(
        "out of memory; use a smaller batch (train.batch_size) or smaller images");
    return code_of(fovea::Fault::resources);
  } catch (const std::exception& error) {
    fovea::commands::complain("internal error, please report it with the command line: " +
                              std::string(error.what()));
    return code_of(fovea::Fault::internal);
  }
}

}  // namespace

int main(int argc, char** argv) {
  open_closed_streams();
  prepare_process();
  fovea::set_log_words(fovea::commands::in_our_words);
  int code = run(argc, argv);
  const bool said = code == code_of(fovea::Fault::io);
  if (!std::cout.flush() && !fovea::commands::nobody_reads() && !said) {
    fovea::commands::complain("standard output could not be written whole; is the disk full?");
    if (code == 0) code = code_of(fovea::Fault::io);
  }
  std::_Exit(code);  // LibTorch takes its operators apart one by one when a program returns: 30 ms
}
