#include "fovea/core/fields.h"

namespace fovea {

void Fields::begin_reading(const Node& node, bool shorthand) {
  const bool bare = node.kind == Node::Kind::scalar || node.kind == Node::Kind::list;
  if (bare && !shorthand) wrong_kind(node, "a map of key: value");
  mode_ = Mode::read;
  source_ = &node;
  shorthand_ = bare;
}

const Node* Fields::take(std::string_view name) {
  const bool first = known_.empty();
  known_.emplace_back(name);
  if (shorthand_) return first ? source_ : nullptr;
  return source_->find(name);
}

void Fields::finish_reading() const {
  if (shorthand_) {
    if (known_.empty())
      throw config_error(place(*source_) + "it has no settings, found '" + inline_text(*source_) +
                         "'");
    return;
  }
  for (const Entry& entry : source_->entries) {
    if (std::ranges::find(known_, entry.key) != known_.end()) continue;
    const std::string near = nearest(entry.key, known_);
    throw config_error(
        (entry.where.empty() ? "" : entry.where + ": ") +
        (source_->path.empty() ? "" : source_->path + ": ") + "unknown key '" + entry.key + "'" +
        (near.empty() ? "" : "; did you mean '" + near + "'?") +
        (known_.empty() ? "; nothing can be set here" : "; known here: " + join(known_)));
  }
}

void Fields::refuse(std::string_view name, const std::string& found,
                    const std::string& wanted) const {
  const Node* node = nullptr;
  if (source_) node = shorthand_ ? source_ : source_->find(name);
  const std::string begin = node      ? place(*node)
                            : source_ ? place(*source_) + std::string(name) + ": "
                                      : std::string(name) + ": ";
  throw config_error(begin + "found " + found + ", wanted " + wanted);
}

}  // namespace fovea
