// What a case consists of. Each input is of a type (an image, numbers of a table …) that knows how
// to read its part of a row: a line of the table in src/inputs/inputs.cpp.
#pragma once

#include <torch/types.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "fovea/core/catalogue.h"
#include "fovea/data/example.h"
#include "fovea/formats/formats.h"
#include "fovea/storage/csv.h"
#include "fovea/storage/file.h"
#include "fovea/storage/table.h"
#include "fovea/tables/reading.h"
#include "fovea/tables/runs.h"
#include "fovea/text/tokenizer.h"

namespace fovea::inputs {

/// A column of the table whose cells the model sees.
struct SeenColumn {
  std::string name;
  bool indicator = false;  ///< a number or a category of the case itself: then a copy of the target
                           ///< among them, or an identifier, is worth a word
  bool category = false;   ///< of an indicator: its settings say that it is one
  std::vector<std::string> missing = {};  ///< texts that mean "not measured"
};

/// A column of all cases as it was read, before it was scaled.
struct ColumnValues {
  std::string name;
  bool category = false;
  std::vector<double> numbers = {};          ///< NaN where missing
  std::vector<std::string> categories = {};  ///< empty where missing
};

/// One input of all cases. Safe from many threads.
class Input {
 public:
  virtual ~Input() = default;
  /// Of case `index`; what the case was before it became a tensor is added to `origin`: where an image
  /// lies, and of a text what it was written as where InputPlace asks for it. Errors name the file, or
  /// the line.
  virtual torch::Tensor read(int64_t index, Origin& origin) const = 0;
  /// False where the case lacks the input; only where its shape says that it is optional.
  virtual bool has(int64_t) const { return true; }
  /// The file of the case; "" where it is a part of the table itself.
  virtual std::string file(int64_t) const { return ""; }
  /// Without sizes where only the cases can tell (images).
  virtual InputShape shape() const { return {}; }
  /// What was fitted to the training cases (medians, categories …). It is kept with the model:
  /// another table is then read as the training table was. Null where nothing is fitted.
  virtual Node fitted() const { return {}; }
  /// Text that goes on behind the last token: it was cut.
  virtual bool cut(int64_t) const { return false; }
  /// Changes with the content; "" where the names of files stand for it.
  virtual std::string fingerprint() const { return ""; }
  /// What the cells of the table said, where the input is made of them.
  virtual std::vector<ColumnValues> values() const { return {}; }
  /// The columns of the table that the model sees.
  virtual std::vector<SeenColumn> columns() const { return {}; }
  /// Settings that were left open, as they were chosen from the cases ({channels: 1}): they become
  /// settings of the model. Null where nothing was chosen.
  virtual Node chosen() const { return {}; }
  /// What was assumed, converted or left out while cases were read, so far.
  virtual std::vector<std::string> notes() const { return {}; }
};
using InputPtr = std::shared_ptr<const Input>;

/// Of an input whose cases are windows of the same values.
class Windows {
 public:
  virtual ~Windows() = default;
  /// From and to where among all values that the input holds those of a case lie: cases that
  /// overlap share values.
  virtual std::pair<int64_t, int64_t> window(int64_t index) const = 0;
};

/// The rows of a table that are cases.
struct Rows {
  const storage::Table& table;
  std::vector<int64_t> used;
  std::set<std::string>& columns_read;  ///< what the file itself says of these is passed on

  /// The place of a column that is going to be read; a data Error where there is none such.
  int64_t column(const std::string& name) const {
    columns_read.insert(name);
    return table.column(name);
  }

  size_t size() const { return used.size(); }
  std::string place(size_t i) const { return table.place(used[i]); }  ///< "line 7"
  std::string_view cell(size_t i, int64_t column) const { return table.cell(used[i], column); }
};

/// A file and what it was like when it was listed.
struct ListedFile {
  std::filesystem::path path;
  storage::FileStamp stamp;
};

/// Where a table names files.
struct FileColumn {
  std::string column;
  std::string folder = {};  ///< under the root, in front of the cell's text
  std::string ending = {};  ///< put behind the name where there is no file of just that name
  bool optional = false;    ///< a blank cell is a ListedFile without a path, not a missing file
  bool names_case =
      false;  ///< each case has its own: where no column names the cases, this one does
};

/// How files and cells are read, whatever the input.
struct ReadOptions {
  formats::FormatOptions formats = {};
  std::filesystem::path cache_folder = {};  ///< of decoded images; "" keeps none
  std::filesystem::path root = {};          ///< what names of files are relative to
  storage::CsvOptions csv = {};             ///< of further tables
  tables::NumberFormat numbers = {};        ///< of cells
  std::string id = {};                      ///< the column with the ids of the cases, or ""
  int64_t longest = 0;  ///< tokens or time steps that the encoder has positions for; 0: no limit
};

/// What the place of an input in a table offers to its type.
struct InputPlace {
  const std::string& name;
  ReadOptions read;
  const Rows& rows;
  const std::vector<size_t>& training;  ///< the rows to fit to
  const Node* fitted;                   ///< of a trained model; null: to be fitted
  bool cases;                           ///< a model is asked about the rows: they are to be shown
  bool origins;                         ///< texts are kept as they were written
  std::function<const tables::Runs&()> runs;  ///< of all rows of the table, those of no case too
  /// The file of each row; missing ones are complained of together, later.
  std::function<std::vector<ListedFile>(const FileColumn&)> files;
  tables::Findings& findings;  ///< where to say how cells were read
};

/// What there is of an input where a model is asked about files that stand in no table.
struct FilePlace {
  const std::string& name;
  const ReadOptions& read;
  const Node* fitted;  ///< by training; null: nothing
};

/// Reads such files, each of them a case. Safe from many threads.
struct FileReader {
  InputShape shape;  ///< without sizes where only the files can tell
  std::function<torch::Tensor(const std::filesystem::path&, Origin&)> read;
  std::function<std::vector<std::string>()> notes = {};  ///< as Input::notes
};

/// Files that are cases by themselves.
struct FileCases {
  /// Of a file in a folder: why it is not a case; "" where it is one.
  std::function<std::string(const std::filesystem::path&)> why_not = {};
  bool rows_name_files =
      false;  ///< a table in place of files names them; else its rows are the cases
  std::function<FileReader(const FilePlace&)> open = {};  ///< none: a file alone is not a case
};

/// What the settings of an input make.
struct InputType {
  std::function<InputPtr(const InputPlace&)> open;
  bool image = false;  ///< an image or volume: what `transforms` act on
  FileCases files = {};
  /// The tokenizer of a trained input: what its ids stand for. None where they are not tokens.
  std::function<text::TokenizerPtr(const Node& fitted)> tokenizer = {};
};

using InputTable = Catalogue<InputType()>;
InputTable& input_types();

struct InputChoice : Choice<InputType()> {
  InputChoice() : Choice(input_types(), "image") {}
  template <class Options>
  InputChoice(std::string_view type, Options options) : InputChoice() {
    set(type, std::move(options));
  }
  /// The settings where the input is of this type, else null.
  template <class Options>
  const Options* as() const {
    const auto* held = dynamic_cast<const Held<Options>*>(&settings());
    return held ? &held->options : nullptr;
  }
};

/// By name: {chest: {image: {column: file}}}. The type may be left out where the name is one:
/// {image: {column: file}}.
struct Inputs : Named<InputChoice> {};
void read_value(const Node& node, Inputs& inputs);
Node write_value(const Inputs& inputs);

inline constexpr const char* kOptionalHelp =
    "a case may lack it (a blank cell); the model learns a placeholder";

}  // namespace fovea::inputs
