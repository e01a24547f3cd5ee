#include "fovea/sources/digests.h"

#include <fmt/format.h>

#include <map>
#include <mutex>
#include <utility>

#include "fovea/core/threads.h"
#include "fovea/storage/hash.h"
#include "sources/files.h"

namespace fovea::sources {
namespace {

std::string bytes_of(const torch::Tensor& tensor) {
  const torch::Tensor values = tensor.contiguous();
  return {static_cast<const char*>(values.const_data_ptr()), values.nbytes()};
}

std::vector<std::string> files_of(const Source& source, int64_t index) {
  std::vector<std::string> files;
  const auto add = [&](const inputs::Input& input) {
    if (std::string file = input.file(index); !file.empty()) files.push_back(std::move(file));
  };
  for (const auto& [name, input] : source.inputs) add(*input);
  if (source.images) add(*source.images);
  return files;
}

/// What the files of a case hold, by its name and stamp; 0 where cases that have both hold different
/// things: a file of one size and time may lie in several folders.
using Contents = std::map<std::pair<uint64_t, uint64_t>, uint64_t>;

Contents contents_of(const storage::CaseDigests& known) {
  Contents contents;
  for (const storage::CaseDigest& one : known) {
    if (one.stamp == 0) continue;
    const auto [there, added] = contents.try_emplace({one.name, one.stamp}, one.content);
    if (!added && there->second != one.content) there->second = 0;
  }
  return contents;
}

storage::CaseDigest digest(const Source& source, int64_t index, const Contents& known) {
  storage::CaseDigest one;
  const std::vector<std::string> files = files_of(source, index);
  std::string learned =
      source.splits[static_cast<size_t>(index)] + "\n" + source.data->group(index);
  for (const auto& [target, value] : source.data->targets(index))
    learned += "\n" + target + "\n" + bytes_of(value);
  one.learned = storage::digest_of(learned);
  if (files.empty()) {
    one.name = storage::salted_digest_of(source.data->id(index));
    if (!source.inputs.empty()) return one;
    std::string content;  // of an archive
    for (const auto& [input, values] : source.data->get(index).inputs) content += bytes_of(values);
    one.content = storage::digest_of(content);
    return one;
  }
  const std::filesystem::path name = source.data->name(index);
  one.name = storage::salted_digest_of(name.filename().string());
  std::string stamps, contents;
  for (const std::string& file : files)
    if (const auto stamp = stamp_of(file))
      stamps += fmt::format("{} {}\n", stamp->size, stamp->modified_ns);
  one.stamp = storage::digest_of(stamps);
  if (const auto there = known.find({one.name, one.stamp});
      there != known.end() && there->second != 0) {
    one.content = there->second;
    return one;
  }
  for (const std::string& file : files) contents += storage::sha256_file(file);
  one.content = storage::digest_of(contents);
  return one;
}

}  // namespace

storage::CaseDigests digests(const Source& source, const storage::CaseDigests& known,
                             const std::function<void()>& advance,
                             const std::optional<std::vector<int64_t>>& cases) {
  const Contents contents = contents_of(known);
  const int64_t count = cases ? static_cast<int64_t>(cases->size()) : source.data->size();
  storage::CaseDigests all(static_cast<size_t>(count));
  std::mutex mutex;
  for_each_index(count, 0, [&](int64_t k) {
    const int64_t i = cases ? (*cases)[static_cast<size_t>(k)] : k;
    all[static_cast<size_t>(k)] = digest(source, i, contents);
    const std::lock_guard lock(mutex);
    advance();
  });
  return all;
}

}  // namespace fovea::sources
