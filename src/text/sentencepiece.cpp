#include <fmt/format.h>
#include <sentencepiece_processor.h>

#include "fovea/core/error.h"
#include "fovea/storage/file.h"
#include "text/makers.h"
#include "text/sentencepiece_model.h"

namespace fovea::text {
namespace {

constexpr int64_t kLargestModel = int64_t{256} << 20;  // bytes

bool loads(sentencepiece::SentencePieceProcessor& model, const std::string& bytes) {
  try {
    return model.LoadFromSerializedProto(bytes).ok() && model.GetPieceSize() > 0;
  } catch (const std::exception&) {
    return false;  // the trie of its words throws at an empty one
  }
}

class SentencePiece final : public Tokenizer {
 public:
  explicit SentencePiece(const SentencePieceOptions& options)
      : Tokenizer(options.max_bytes), file_(options.file) {}

  int64_t vocabulary() const override { return static_cast<int64_t>(words_.size()); }
  const std::string& word(int64_t id) const override { return words_.at(static_cast<size_t>(id)); }
  int64_t padding() const override { return model_->pad_id(); }
  int64_t unknown() const override { return model_->unk_id(); }

  bool fits_texts() const override { return false; }
  void fit(const std::vector<std::string>&) override {
    restore(storage::read_file(file_, kLargestModel), storage::shown(file_));
  }
  std::string stored() const override { return bytes_; }

  void restore(std::string stored, const std::string& source) override {
    auto model = std::make_unique<sentencepiece::SentencePieceProcessor>();
    if (stored.empty() || !sound_normalizer(stored) || !loads(*model, stored))
      throw data_error(fmt::format(
          "reading the SentencePiece model {}: {} bytes that are not a SentencePiece model; wanted "
          "the .model file that SentencePiece's trainer wrote",
          source, stored.size()));
    words_.clear();
    for (int id = 0; id < model->GetPieceSize(); ++id) words_.push_back(model->IdToPiece(id));
    model_ = std::move(model);
    bytes_ = std::move(stored);
  }

 private:
  void split(std::string_view text, std::vector<Token>& tokens) const override {
    sentencepiece::ImmutableSentencePieceText pieces;
    const auto status = model_->Encode(text, pieces.mutable_proto());
    if (!status.ok()) throw Error(Fault::internal, "SentencePiece refused a text");
    tokens.reserve(pieces.pieces_size());
    for (size_t i = 0; i < pieces.pieces_size(); ++i) {
      const auto piece = pieces.pieces(static_cast<int>(i));
      tokens.push_back({piece.id(), piece.begin(), piece.end()});
    }
  }

  std::filesystem::path file_;
  std::string bytes_;
  std::vector<std::string> words_;
  std::unique_ptr<sentencepiece::SentencePieceProcessor> model_ =
      std::make_unique<sentencepiece::SentencePieceProcessor>();
};

}  // namespace

TokenizerPtr make_sentencepiece(const SentencePieceOptions& options) {
  return std::make_shared<SentencePiece>(options);
}

}  // namespace fovea::text
