// The program: reads the command line, calls the library, turns its one exception into an exit
// code.
#include <sys/resource.h>

#include <csignal>
#include <iostream>

#include "commands.h"
#include "fovea/commands/words.h"
#include "fovea/config/version.h"
#include "fovea/core/error.h"
#include "fovea/core/log.h"
#include "fovea/dicom/process.h"
#include "fovea/io/process.h"

namespace {

void prepare_process() {
  std::signal(SIGPIPE, SIG_IGN);  // write errors are handled where they happen,
  std::signal(SIGXFSZ, SIG_IGN);  // that of a file-size limit too
  const rlimit none{0, 0};
  setrlimit(RLIMIT_CORE, &none);  // a core dump would hold patients' pictures
  fovea::io::take_opencv();
  fovea::dicom::silence_dcmtk();
}

int parse(CLI::App& program, int argc, char** argv) {
  try {
    program.parse(argc, argv);
    return 0;
  } catch (const CLI::ParseError& error) {
    return program.exit(error) == 0 ? 0 : static_cast<int>(fovea::Fault::config);
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
      "5 resources, 70 internal, 75 stopped with a checkpoint.");
  int exit_code = 0;
  for (const auto add :
       {add_train, add_eval, add_infer, add_inspect, add_check, add_list, add_phantom, add_doctor})
    add(program, exit_code);
  try {
    const int usage = parse(program, argc, argv);
    return usage != 0 ? usage : exit_code;
  } catch (const fovea::Error& error) {
    std::cerr << "fovea: " << fovea::commands::in_our_words(error.what()) << '\n';
    return static_cast<int>(error.fault());
  } catch (const std::bad_alloc&) {
    std::cerr
        << "fovea: out of memory; use a smaller batch (train.batch_size) or smaller pictures\n";
    return static_cast<int>(fovea::Fault::resources);
  } catch (const std::exception& error) {
    std::cerr << "fovea: internal error, please report it with the command line: " << error.what()
              << '\n';
    return static_cast<int>(fovea::Fault::internal);
  }
}

}  // namespace

int main(int argc, char** argv) {
  prepare_process();
  fovea::set_log_words(fovea::commands::in_our_words);
  int code = run(argc, argv);
  if (!std::cout.flush()) {
    std::cerr << "fovea: standard output could not be written whole; is the disk full?\n";
    if (code == 0) code = static_cast<int>(fovea::Fault::io);
  }
  std::_Exit(code);  // LibTorch takes its operators apart one by one when a program returns: 30 ms
}
