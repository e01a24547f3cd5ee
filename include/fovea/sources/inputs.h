// What a case consists of. Each input is of a kind (a picture, numbers of a table …) that knows how
// to read its part of a row: a line of the table in src/sources/inputs.cpp.
#pragma once

#include <torch/types.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "fovea/core/catalogue.h"
#include "fovea/data/example.h"
#include "fovea/sources/reading.h"
#include "fovea/sources/runs.h"
#include "fovea/storage/file.h"
#include "fovea/storage/table.h"
#include "fovea/text/tokenizers.h"

namespace fovea::sources {

struct DataOptions;

/// What is seen of the images of all cases before any is decoded.
struct ImageSurvey {
  int64_t channels = 0;  ///< to read all of them with; 0: as stored, they are alike
  std::vector<std::string> notes;
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
  /// Without sizes where only the cases can tell (pictures).
  virtual InputShape shape() const { return {}; }
  /// What was learned from the training cases (medians, categories …). It is kept with the model:
  /// another table is then read as the training table was. Null where nothing is learned.
  virtual Node learned() const { return {}; }
  /// Text that goes on behind the last token: it was cut.
  virtual bool cut(int64_t) const { return false; }
  /// Changes with the content; "" where the names of files stand for it.
  virtual std::string fingerprint() const { return ""; }
  /// Of images, what their headers tell; null where nobody looked.
  virtual const ImageSurvey* survey() const { return nullptr; }
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
};

/// What the place of an input in a table offers to its kind.
struct InputPlace {
  const std::string& name;
  const DataOptions& data;
  const Rows& rows;
  const std::vector<size_t>& training;  ///< the rows to learn from
  const Node* learned;                  ///< of a trained model; null: to be learned
  bool cases;                           ///< a model is asked about the rows: they are to be shown
  bool origins;                         ///< texts are kept as they were written
  std::function<const Runs&()> runs;    ///< of all rows of the table, those of no case too
  /// The file of each row; missing ones are complained of together, later.
  std::function<std::vector<ListedFile>(const FileColumn&)> files;
  Findings& findings;  ///< where to say how cells were read
};

using InputTable = Catalogue<InputPtr(const InputPlace&)>;
InputTable& input_kinds();

struct InputChoice : Choice<InputPtr(const InputPlace&)> {
  InputChoice() : Choice(input_kinds(), "image") {}
  template <class Options>
  InputChoice(std::string_view kind, Options options) : InputChoice() {
    set(kind, std::move(options));
  }
  /// The settings where the input is of this kind, else null.
  template <class Options>
  const Options* as() const {
    const auto* held = dynamic_cast<const Held<Options>*>(&settings());
    return held ? &held->options : nullptr;
  }
};

/// By name: {chest: {image: {column: file}}}. The kind may be left out where the name is one:
/// {image: {column: file}}.
struct Inputs : Named<InputChoice> {};
void read_value(const Node& node, Inputs& inputs);
Node write_value(const Inputs& inputs);

inline constexpr const char* kOptionalHelp =
    "a case may lack it (a blank cell); the model learns a placeholder";

struct ImageOptions {
  std::string column{};  // of the table: the file of the case
  std::string folder{};  // put in front of the column's text
  int64_t channels = 0;  // 0: as stored, 1: colour becomes grey, 3: colour wanted
  std::string axes{};    // of NumPy arrays
  bool optional = false;

  void describe(Fields& f) {
    f("column", column, "column of the table with the file of the case");
    f("folder", folder, "folder under the root that the column's text stands on");
    f("channels", channels,
      "0: as stored, or 1 where some of the images are grey and some are colour; 1: colour becomes "
      "grey; 3: colour is wanted")
        .one_of({0, 1, 3});
    f("axes", axes,
      "what the sides of NumPy arrays are (channels, depth, height, width); default: told by the "
      "sides, and refused where they may mean one thing or another")
        .one_of({"", "hw", "hwc", "chw", "dhw", "dhwc", "cdhw"});
    f("optional", optional, kOptionalHelp);
  }
};
InputPtr image_input(const ImageOptions& options, const InputPlace& place);

struct TableOptions {
  std::vector<std::string> columns{};
  std::vector<std::string> categories{};
  std::vector<std::string> missing{""};
  bool optional = false;

  void describe(Fields& f) {
    f("columns", columns, "the clinical indicators; a column of numbers is standardised")
        .required();
    f("categories", categories, "of these, the columns whose numbers are names of categories");
    f("missing", missing, "texts that mean 'not measured' (\"\" is a blank cell)");
    f("optional", optional,
      "a case may lack all of them; the model then uses a placeholder, not the medians");
  }
};

/// Columns of the table itself. What is learned from the training rows, and from them alone:
///
///   numbers     mean and deviation (the value becomes standard); the median, which stands in for a
///               value that was not measured, and whether any was missing: then a column of 0 and 1
///               that says so follows
///   categories  the texts that occur, sorted; index 0 is for all others, and for missing ones
///
/// A column is of numbers where every training cell is one, unless `categories` lists it. A data
/// Error with line and column for a cell that is neither a finite number nor missing.
InputPtr table_input(const TableOptions& options, const InputPlace& place);

struct TextOptions {
  std::string column{};
  text::TokenizerChoice tokenizer{};
  int64_t max_tokens = 512;
  int64_t spelling = 0;
  bool optional = false;

  void describe(Fields& f) {
    f("column", column, "the column of the table with the text").required();
    f("tokenizer", tokenizer, "what makes words of it");
    f("max_tokens", max_tokens, "longer texts are cut, and counted in the log").above(0);
    f("spelling", spelling,
      "bytes of each word that the encoder sees beside its id, half of them its last ones; 0: none")
        .between(0, 256);
    f("optional", optional, kOptionalHelp);
  }
};

/// A text per row, as the ids of its tokens. The words are learned from the training rows, and from
/// them alone. A data Error with the lines of texts in which there is no token, and with the line of
/// one that is no UTF-8.
InputPtr text_input(const TextOptions& options, const InputPlace& place);

/// The tokenizer of a trained text input: what its ids stand for.
text::TokenizerPtr trained_tokenizer(const TextOptions& options, const Node& learned);

}  // namespace fovea::sources
