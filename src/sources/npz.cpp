#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "formats/array_image.h"
#include "fovea/core/error.h"
#include "fovea/formats/image_tensor.h"
#include "fovea/io/npz.h"
#include "fovea/storage/file.h"
#include "fovea/targets/classes.h"
#include "sources/open.h"
#include "targets/labels.h"

namespace fovea::sources {
namespace {

// The images of one split: [N, H, W], [N, D, H, W], each perhaps with a last side of 3.
struct Part {
  std::string split;
  io::Array images;
  std::string axes;  // ImageOptions::axes

  int64_t size() const { return images.shape[0]; }

  Image image(int64_t index) const {
    io::Array one;
    one.dtype = images.dtype;
    one.shape.assign(images.shape.begin() + 1, images.shape.end());
    const size_t bytes = images.bytes.size() / static_cast<size_t>(size());
    const auto begin = images.bytes.begin() + static_cast<int64_t>(bytes) * index;
    one.bytes.assign(begin, begin + static_cast<int64_t>(bytes));
    return formats::array_image(std::move(one), split + "_images", axes);
  }
};

// All arrays in memory, as they are stored: 28-pixel images take 784 bytes each.
class NpzDataset final : public Dataset {
 public:
  NpzDataset(std::filesystem::path path, std::vector<Part> parts, std::string input,
             int64_t channels, targets::TargetPtr truth)
      : path_(std::move(path)),
        parts_(std::move(parts)),
        input_(std::move(input)),
        channels_(channels),
        truth_(std::move(truth)) {
    for (const Part& part : parts_) size_ += part.size();
  }

  int64_t size() const override { return size_; }

  Example get(int64_t index) const override {
    const auto [part, inner] = find(index);
    Example example{fmt::format("{}/{}", part->split, inner), "", {}, targets(index), {}};
    example.inputs[input_] =
        within(name(index), [&] { return formats::to_tensor(part->image(inner), channels_); });
    return example;
  }

  TensorMap targets(int64_t index) const override {
    TensorMap one;
    one[truth_->spec().name] = truth_->read(index);
    return one;
  }

  std::string group(int64_t) const override { return ""; }

  std::string name(int64_t index) const override {
    const auto [part, inner] = find(index);
    return fmt::format("{}[{}_images {}]", storage::shown(path_), part->split, inner);
  }

 private:
  std::pair<const Part*, int64_t> find(int64_t index) const {
    for (const Part& part : parts_) {
      if (index < part.size()) return {&part, index};
      index -= part.size();
    }
    throw config_error(fmt::format("{}: no case {}", storage::shown(path_), index));
  }

  std::filesystem::path path_;
  std::vector<Part> parts_;
  std::string input_;
  int64_t channels_;
  targets::TargetPtr truth_;
  int64_t size_ = 0;
};

int64_t whole_number(const io::Array& array, int64_t i, const std::string& where) {
  switch (array.dtype) {
    case io::DType::boolean:
    case io::DType::u8:
      return array.data<uint8_t>()[i];
    case io::DType::i8:
      return array.data<int8_t>()[i];
    case io::DType::u16:
      return array.data<uint16_t>()[i];
    case io::DType::i16:
      return array.data<int16_t>()[i];
    case io::DType::u32:
      return array.data<uint32_t>()[i];
    case io::DType::i32:
      return array.data<int32_t>()[i];
    case io::DType::i64:
      return array.data<int64_t>()[i];
    default:
      throw data_error(fmt::format("{}: found labels of type {}, wanted whole numbers", where,
                                   storage::name_of(array.dtype)));
  }
}

class ArchiveReader {
 public:
  explicit ArchiveReader(const DataOptions& options)
      : options_(options),
        where_(storage::shown(options.path)),
        archive_(io::NpzFile::open(options.path)) {}

  Source read() {
    const auto [input, input_options] = only_image(options_.inputs);
    const auto [target, target_options] = only_classes(options_.targets);
    Source source;
    for (const char* split : {"train", "val", "test"})
      if (archive_.find(fmt::format("{}_images", split)))
        read_part(split, input_options.axes, source.splits);
    if (parts_.empty()) refuse_names();
    note_parts(source);
    const targets::TargetPtr truth = number_labels(target, target_options);
    source.data = std::make_shared<NpzDataset>(options_.path, std::move(parts_), input,
                                               input_options.channels, truth);
    finish(source, {truth}, {}, [](size_t i) { return fmt::format("case {}", i); });
    return source;
  }

 private:
  void read_part(const std::string& split, const std::string& axes, FewNames& splits) {
    Part part{split, archive_.read(split + "_images"), axes};
    const io::Array labels = archive_.read(split + "_labels");
    const std::vector<int64_t>& shape = part.images.shape;
    if (shape.size() < 3 || labels.shape.empty() || labels.shape.size() > 2 ||
        labels.shape[0] != shape[0])
      throw data_error(fmt::format(
          "{}: found {}_images of shape {} and {}_labels of shape {}, "
          "wanted [N, height, width …] and [N, 1] or [N, labels]",
          where_, split, storage::shape_text(shape), split, storage::shape_text(labels.shape)));
    const int64_t width = labels.shape.size() == 2 ? labels.shape[1] : 1;
    if (!parts_.empty() && width != width_)
      throw data_error(fmt::format("{}: found {} labels per case in {}_labels, {} before", where_,
                                   width, split, width_));
    width_ = width;
    for (int64_t i = 0; i < labels.size(); ++i)
      numbers_.push_back(whole_number(labels, i, where_ + ": " + split + "_labels"));
    for (int64_t i = 0; i < shape[0]; ++i) splits.push_back(split);
    if (shape[0] > 0) parts_.push_back(std::move(part));
  }

  // What is assumed of the arrays, once, and which of them nobody asks for.
  void note_parts(Source& source) const {
    for (const std::string& note : within(where_, [&] { return parts_[0].image(0); }).notes)
      source.notes.push_back(fmt::format("{}: {}", where_, note));
    std::vector<std::string> others;
    for (const io::NpzEntry& entry : archive_.entries()) {
      const auto of = [&](const Part& part) {
        return entry.name == part.split + "_images" || entry.name == part.split + "_labels";
      };
      if (std::ranges::none_of(parts_, of)) others.push_back(entry.name);
    }
    if (!others.empty())
      source.notes.push_back(
          fmt::format("{}: the arrays {} are left out", where_, join(others, ", ", 10)));
  }

  [[noreturn]] void refuse_names() const {
    std::vector<std::string> names;
    for (const io::NpzEntry& entry : archive_.entries()) names.push_back(entry.name);
    throw data_error(
        fmt::format("{}: found the arrays {}, wanted train_images, train_labels, "
                    "val_images, … as in MedMNIST",
                    where_, join(names, ", ", 20)));
  }

  targets::TargetPtr number_labels(const std::string& name,
                                   const targets::ClassesOptions& target) const {
    std::vector<std::string> cells;
    for (const int64_t number : numbers_) cells.push_back(std::to_string(number));
    targets::LabelTexts texts;
    texts.where = where_ + ": the labels";
    texts.cells.resize(static_cast<size_t>(width_));
    for (size_t i = 0; i < cells.size(); ++i)
      texts.cells[i % static_cast<size_t>(width_)].push_back(cells[i]);
    for (int64_t k = 0; width_ > 1 && k < width_; ++k) texts.columns.push_back(std::to_string(k));
    texts.place = [](size_t i) { return fmt::format("case {}", i); };
    texts.indices = width_ == 1;
    return targets::read_labels(name, target, texts);
  }

  const DataOptions& options_;
  std::string where_;
  io::NpzFile archive_;
  std::vector<Part> parts_;
  std::vector<int64_t> numbers_;
  int64_t width_ = 1;
};

}  // namespace

Source open_npz(const DataOptions& options) { return ArchiveReader(options).read(); }

}  // namespace fovea::sources
