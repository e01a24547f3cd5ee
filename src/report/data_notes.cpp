#include "fovea/report/data_notes.h"

#include <nlohmann/json.hpp>

#include "fovea/storage/file.h"

namespace fovea::report {

void add_data_notes(const std::filesystem::path& metrics_json, const DataNotes& notes) {
  if (notes.notes.empty() && notes.cut_texts.empty()) return;
  using Json = nlohmann::ordered_json;
  Json json = Json::parse(storage::read_file(metrics_json));
  Json& data = json["data"];
  if (!notes.notes.empty()) data["notes"] = notes.notes;
  for (const auto& [input, count] : notes.cut_texts) data["cut_texts"][input] = count;
  storage::write_file_atomically(metrics_json,
                                 json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
}

}  // namespace fovea::report
