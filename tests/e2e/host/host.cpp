// host WHAT RUN FILE_OR_FOLDER
#include "host.h"

#include <dlfcn.h>
#include <fovea/fovea.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <filesystem>
#include <iostream>
#include <set>
#include <thread>
#include <vector>

namespace {

std::atomic<bool> no_more_threads{false};

std::string said(const fovea::Predictor& model, const std::string& file) {
  const fovea::Prediction found = model.predict(file);
  std::string text = found.decision;
  for (const auto& one : found.probabilities) text += ' ' + std::to_string(one.second);
  return text;
}

int threads(const std::string& run, const std::string& file) {
  const auto model = fovea::load(run);
  std::vector<std::string> answers(6);
  std::vector<std::thread> all;
  for (std::string& answer : answers)
    all.emplace_back([&] {
      for (int i = 0; i < 3; ++i) answer = said(model, file);
    });
  for (std::thread& one : all) one.join();
  const std::set<std::string> different(answers.begin(), answers.end());
  std::cout << "different answers: " << different.size() << '\n';
  return 0;
}

/// In a child: an answer, or death after a minute.
template <class Ask>
void in_child(const char* name, Ask ask) {
  std::cout.flush();
  const pid_t child = fork();
  if (child == 0) {
    alarm(60);
    std::cout << name << ": " << ask() << std::endl;
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) std::cout << name << ": no answer\n";
}

int forked(const std::string& run, const std::string& file) {
  // Two threads, so that OpenMP has a team also where there is one core.
  if (const auto set = reinterpret_cast<void (*)(int)>(dlsym(RTLD_DEFAULT, "omp_set_num_threads")))
    set(2);
  const auto model = fovea::load(run);
  std::cout << "parent: " << said(model, file) << '\n';
  const auto ask = [&] { return said(model, file); };
  in_child("child", ask);
  in_child("child, again", ask);
  in_child("its thread", [&] {
    std::string answer;
    std::thread([&] { answer = said(model, file); }).join();
    return answer;
  });
  in_child("loaded there", [&] { return said(fovea::load(run), file); });
  std::cout << "afterwards: " << said(model, file) << '\n';
  return 0;
}

/// Where the system starts no more threads.
int alone(const std::string& run, const std::string& folder) {
  no_more_threads = true;
  const auto model = fovea::load(run);
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder))
    if (entry.is_regular_file()) files.push_back(entry.path());
  size_t answers = 0, failures = 0;
  model.predict(
      files, 8, [&](const fovea::Prediction&) { ++answers; },
      [&](const std::filesystem::path&, const std::string&) { ++failures; });
  model.predict(files.at(0));
  std::cout << "answers: " << answers << " of " << files.size() << ", failures: " << failures
            << '\n';
  return 0;
}

}  // namespace

/// Stands before that of the system for every library of the process.
extern "C" int pthread_create(pthread_t* thread, const pthread_attr_t* attributes,
                              void* (*start)(void*), void* argument) {
  using Create = int (*)(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*);
  static const auto real = reinterpret_cast<Create>(dlsym(RTLD_NEXT, "pthread_create"));
  return no_more_threads ? EAGAIN : real(thread, attributes, start, argument);
}

int main(int argc, char** argv) try {
  if (argc != 4) return 2;
  const std::string what = argv[1];
  if (what == "threads") return threads(argv[2], argv[3]);
  if (what == "fork") return forked(argv[2], argv[3]);
  if (what == "alone") return alone(argv[2], argv[3]);
  if (what == "unchanged") return host::unchanged(argv[2], argv[3]);
  return 2;
} catch (const fovea::Error& error) {
  std::cerr << error.what() << '\n';
  return static_cast<int>(error.fault());
}
