// What a row of the table of bad inputs does: it makes files in a folder of its own, runs the program on them, and holds the
// answer against what the table wants.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "support/test_files.h"

namespace fovea::test {

using Texts = std::vector<std::string>;

/// How the program ended, what it printed, and what it took.
struct Answer {
  int code = -1;  ///< 128 + signal where a signal ended it
  std::string out, err;
  double seconds = 0;
  int64_t peak_mib = 0;

  std::string text() const { return out + err; }
};

/// How the program is started, and what it may take.
struct Start {
  std::map<std::string, std::string> environment = {};
  double seconds = 60;        ///< longer: killed, and the row fails
  std::string in_shell = {};  ///< a command of the shell before it, as "ulimit -f 64"
  std::function<void(int pid)> meanwhile = {};  ///< called once after the start
  bool obedient = false;  ///< root, too, may read and write only what the permissions say
};

/// A data set that is not on this machine: the row is skipped, visibly.
struct NeedsData {
  std::string path;
};

class Trial {
 public:
  fs::path path(const std::string& name) const { return folder_ / name; }
  std::string write(const std::string& name, std::string_view bytes) const {
    return folder_.write(name, bytes).string();
  }
  std::string read(const std::string& name) const { return read_text(path(name)); }
  /// A file of the public data sets; NeedsData where it is absent.
  static std::string data(const std::string& name);

  /// The program in the row's folder.
  Answer run(const Texts& arguments, const Start& start = {});
  /// Its exit code and every text that its answer must contain.
  Answer expect(int code, const Texts& arguments, const Texts& texts, const Start& start = {});
  Answer refused(const Texts& arguments, const Texts& texts) { return expect(3, arguments, texts); }
  Answer accepted(const Texts& arguments, const Texts& texts = {}) {
    return expect(0, arguments, texts);
  }
  /// The same, and at most `mib` of memory more than `smallest` takes.
  Answer bounded(int code, const Texts& arguments, const Texts& texts, const Texts& smallest,
                 int64_t mib = 64);
  /// `inspect` of one file of these bytes, within 64 MiB of what the smallest image takes.
  Answer inspect(int code, const std::string& name, std::string_view bytes, const Texts& texts);

  void contains(const Answer& answer, const Texts& texts);
  void lacks(const Answer& answer, const Texts& texts);
  void check(bool true_, const std::string& sentence);

  std::string failures;

 private:
  TempFolder folder_;
};

/// A row: its id in the table, and what is checked. Without a check it is for later. `open` says why the program does not do
/// yet what the row wants: its failure is printed and counted, and is no failure of the test.
struct Row {
  const char* id;
  const char* input;
  void (*check)(Trial&);
  const char* open = nullptr;
};
using Rows = std::vector<Row>;
inline void PrintTo(const Row& row, std::ostream* out) { *out << row.id << ": " << row.input; }

Rows dicom_rows();
Rows dicom_value_rows();
Rows image_rows();
Rows archive_rows();
Rows table_rows();
Rows split_rows();
Rows config_rows();
Rows run_rows();
Rows checkpoint_rows();
Rows weight_rows();

}  // namespace fovea::test
