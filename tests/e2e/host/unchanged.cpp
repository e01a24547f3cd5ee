#include <dcmtk/config/osconfig.h>
#include <dcmtk/oflog/oflog.h>
#include <dlfcn.h>
#include <fovea/fovea.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xmmintrin.h>

#include <cfenv>
#include <clocale>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <iostream>
#include <locale>
#include <map>
#include <new>
#include <opencv2/core/utility.hpp>
#include <opencv2/core/utils/logger.hpp>
#include <sstream>
#include <thread>
#include <vector>

#include "host.h"

extern char** environ;

namespace {

void on_signal(int) {}
void on_terminate() { std::abort(); }
void on_no_memory() { std::abort(); }

int openmp_threads() {
  const auto get = reinterpret_cast<int (*)()>(dlsym(RTLD_DEFAULT, "omp_get_max_threads"));
  return get ? get() : -1;
}
void set_openmp_threads(int threads) {
  if (const auto set = reinterpret_cast<void (*)(int)>(dlsym(RTLD_DEFAULT, "omp_set_num_threads")))
    set(threads);
}

/// Nothing of it at its default.
void settle() {
  set_openmp_threads(3);
  cv::setNumThreads(2);
  cv::utils::logging::setLogLevel(cv::utils::logging::LOG_LEVEL_ERROR);
  OFLog::configure(OFLogger::INFO_LOG_LEVEL);
  setenv("HOST", "mine", 1);
  std::setlocale(LC_ALL, "C.UTF-8");
  std::signal(SIGTERM, on_signal);
  std::signal(SIGINT, on_signal);
  std::signal(SIGPIPE, on_signal);
  std::set_terminate(on_terminate);
  std::set_new_handler(on_no_memory);
  umask(027);
  std::srand(7);
  std::fesetround(FE_UPWARD);
  std::cout.precision(4);
  std::cerr.setf(std::ios::hex, std::ios::basefield);
}

template <class Value>
std::string text(const Value& value) {
  std::ostringstream stream;
  stream.imbue(std::locale::classic());
  stream << value;
  return stream.str();
}

std::map<std::string, std::string> state() {
  std::map<std::string, std::string> found;
  found["threads of OpenMP"] = text(openmp_threads());
  found["threads of OpenCV"] = text(cv::getNumThreads());
  found["log of OpenCV"] = text(static_cast<int>(cv::utils::logging::getLogLevel()));
  for (const char* name : {"", "dcmtk", "dcmtk.dcmdata", "dcmtk.dcmjpeg", "dcmtk.dcmjpls"})
    found[std::string("log of DCMTK ") + name] =
        text(OFLog::getLogger(name).getChainedLogLevel()) + ' ' +
        text(OFLog::getLogger(name).getAllAppenders().size());
  std::string variables;
  for (char** one = environ; *one; ++one) variables += std::string(*one) + '\n';
  found["environment"] = variables;
  found["locale of C"] = std::setlocale(LC_ALL, nullptr);
  found["locale of C++"] = std::locale().name();
  for (int number = 1; number < NSIG; ++number) {
    struct sigaction action {};
    if (sigaction(number, nullptr, &action) == 0)
      found["signal " + text(number)] =
          text(reinterpret_cast<const void*>(action.sa_handler)) + ' ' + text(action.sa_flags);
  }
  sigset_t blocked;
  pthread_sigmask(SIG_SETMASK, nullptr, &blocked);
  for (int number = 1; number < NSIG; ++number)
    if (sigismember(&blocked, number) == 1) found["blocked " + text(number)] = "yes";
  found["terminate"] = text(reinterpret_cast<const void*>(std::get_terminate()));
  found["new handler"] = text(reinterpret_cast<const void*>(std::get_new_handler()));
  const mode_t mask = umask(0);
  umask(mask);
  found["umask"] = text(mask);
  found["folder"] = std::filesystem::current_path().string();
  for (const auto limit : {RLIMIT_CORE, RLIMIT_NOFILE, RLIMIT_STACK, RLIMIT_AS, RLIMIT_NPROC}) {
    rlimit value{};
    getrlimit(limit, &value);
    found["limit " + text(static_cast<int>(limit))] = text(value.rlim_cur);
  }
  found["priority"] = text(getpriority(PRIO_PROCESS, 0));
  found["rounding"] = text(std::fegetround());
  found["floating-point mode"] = text(_mm_getcsr() & ~0x3fu);  // without the sticky flags
  found["cout"] = text(std::cout.precision()) + ' ' + text(std::cout.flags());
  found["cerr"] = text(std::cerr.flags());
  return found;
}

void use(const fovea::Predictor& model, const std::vector<std::filesystem::path>& files) {
  model.predict(files.at(0));
  int answers = 0, failures = 0;
  model.predict(
      files, 3, [&](const fovea::Prediction&) { ++answers; },
      [&](const std::filesystem::path&, const std::string&) { ++failures; });
  std::cout << "answers: " << answers << ", failures: " << failures << '\n';
}

void compare(const char* where, const std::map<std::string, std::string>& before) {
  const auto now = state();
  for (const auto& [name, value] : now) {
    const auto was = before.find(name);
    if (was == before.end() || was->second != value)
      std::cout << "changed " << where << ": " << name << ", "
                << (was == before.end() ? "" : was->second) << " -> " << value << '\n';
  }
}

}  // namespace

int host::unchanged(const std::string& run, const std::string& folder) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder))
    if (entry.is_regular_file()) files.push_back(entry.path());
  settle();
  const int first_random = std::rand();
  std::srand(7);
  const auto before = state();
  {
    const auto model = fovea::load(run);
    compare("by load", before);
    use(model, files);
    compare("by predict", before);
    std::thread([&] {
      set_openmp_threads(3);
      std::fesetround(FE_UPWARD);
      use(model, files);
      compare("in a thread", before);
    }).join();
    compare("by a thread", before);
    try {
      fovea::load(folder);
    } catch (const fovea::Error&) {
      compare("by an error", before);
    }
  }
  compare("at the end", before);
  if (std::rand() != first_random) std::cout << "changed: the random numbers of C\n";
  return 0;
}
