#include "bad_input/trial.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <iostream>
#include <thread>

#include "support/dicom_bytes.h"
#include "support/program.h"

namespace fovea::test {
namespace {

void redirect(int to, const fs::path& path, int flags) {
  const int descriptor = open(path.c_str(), flags, 0644);
  if (descriptor < 0 || dup2(descriptor, to) < 0) _exit(127);
  close(descriptor);
}

std::string shown(const Texts& arguments) {
  std::string line = "fovea";
  for (const std::string& argument : arguments) line += " " + argument;
  return line.substr(0, 400);
}

/// The first bytes of a text that may be long.
std::string short_of(const std::string& text) {
  return text.size() < 1500 ? text : text.substr(0, 1200) + "…" + text.substr(text.size() - 300);
}

}  // namespace

std::string Trial::data(const std::string& name) {
  const fs::path path = test_data() / name;
  if (!fs::exists(path)) throw NeedsData{path.string()};
  return path.string();
}

Answer Trial::run(const Texts& arguments, const Start& start) {
  const TempFolder printed;
  Texts words{program().string()};
  words.insert(words.end(), arguments.begin(), arguments.end());
  if (!start.in_shell.empty())
    words.insert(words.begin(), {"/bin/sh", "-c", start.in_shell + "; exec \"$@\"", "sh"});
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);

  const auto begin = std::chrono::steady_clock::now();
  const pid_t pid = fork();
  if (pid == 0) {
    if (chdir(folder_.path().c_str()) != 0) _exit(127);
    redirect(0, "/dev/null", O_RDONLY);
    redirect(1, printed / "out", O_WRONLY | O_CREAT);
    redirect(2, printed / "err", O_WRONLY | O_CREAT);
    for (const unsigned long capability : {CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH})
      if (start.obedient && geteuid() == 0 && prctl(PR_CAPBSET_DROP, capability) != 0) _exit(127);
    for (const auto& [name, value] : start.environment) setenv(name.c_str(), value.c_str(), 1);
    execv(pointers[0], pointers.data());
    _exit(127);
  }
  if (start.meanwhile) start.meanwhile(pid);
  Answer answer;
  int status = 0;
  rusage usage{};
  while (wait4(pid, &status, WNOHANG, &usage) == 0) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    answer.seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    if (answer.seconds > start.seconds) kill(pid, SIGKILL);
  }
  answer.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  answer.out = read_text(printed / "out");
  answer.err = read_text(printed / "err");
  answer.peak_mib = usage.ru_maxrss / 1024;
  if (std::getenv("FOVEA_SHOW"))
    std::cerr << "\n$ " << shown(arguments) << "\n"
              << short_of(answer.text()) << "[" << answer.code << ", " << answer.seconds << " s, "
              << answer.peak_mib << " MiB]\n";
  check(answer.seconds <= start.seconds, shown(arguments) + " took too long");
  return answer;
}

void Trial::check(bool true_, const std::string& sentence) {
  if (!true_) failures += "  " + sentence + "\n";
}

void Trial::contains(const Answer& answer, const Texts& texts) {
  std::string lacking;
  for (const std::string& text : texts)
    if (answer.text().find(text) == std::string::npos) lacking += " '" + text + "'";
  check(lacking.empty(), "the answer lacks" + lacking + ": " + short_of(answer.text()));
}

void Trial::lacks(const Answer& answer, const Texts& texts) {
  for (const std::string& text : texts)
    check(answer.text().find(text) == std::string::npos,
          "the answer has '" + text + "': " + short_of(answer.text()));
}

Answer Trial::expect(int code, const Texts& arguments, const Texts& texts, const Start& start) {
  const Answer answer = run(arguments, start);
  check(answer.code == code, shown(arguments) + ": exit code " + std::to_string(answer.code) +
                                 ", wanted " + std::to_string(code) + ": " +
                                 short_of(answer.text()));
  contains(answer, texts);
  return answer;
}

Answer Trial::bounded(int code, const Texts& arguments, const Texts& texts, const Texts& smallest,
                      int64_t mib) {
  const int64_t floor = run(smallest).peak_mib;
  const Answer answer = expect(code, arguments, texts);
  check(answer.peak_mib <= floor + mib, shown(arguments) + " took " +
                                            std::to_string(answer.peak_mib) +
                                            " MiB, the smallest input " + std::to_string(floor));
  return answer;
}

Answer Trial::inspect(int code, const std::string& name, std::string_view bytes,
                      const Texts& texts) {
  static const int64_t floor =
      run({"inspect", write("smallest.dcm", DicomImage().file())}).peak_mib;
  const std::string file = write(name, bytes);
  const Answer answer = expect(code, {"inspect", file}, texts);
  contains(answer, {name});
  check(answer.peak_mib <= floor + 64, name + " took " + std::to_string(answer.peak_mib) +
                                           " MiB, the smallest image " + std::to_string(floor));
  return answer;
}

}  // namespace fovea::test
