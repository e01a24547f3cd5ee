// report.json as the page reads it: a value that knows its place in the document, so that what is
// damaged can be named.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fovea/core/error.h"

namespace fovea::report::page {

using Json = nlohmann::ordered_json;

/// The document; a data Error where the text is no JSON or of a later version.
Json parsed(std::string_view report_json);

/// One value of the document, which must outlive it. Every question it cannot answer is a data Error
/// that begins with the place as a JSON pointer: /targets/0/figures.
class Node {
 public:
  explicit Node(const Json& json, std::string place = "")
      : json_(&json), place_(std::move(place)) {}

  const std::string& place() const { return place_; }
  bool is_text() const { return json_->is_string(); }
  bool is_number() const { return json_->is_number(); }
  bool is_null() const { return json_->is_null(); }

  /// Whether it has that key, with a value other than null.
  bool has(std::string_view key) const;
  Node at(std::string_view key) const;
  std::vector<Node> items() const;
  /// Of the list at `key`; none where the key is missing.
  std::vector<Node> items(std::string_view key) const;

  std::string text() const;
  double number() const;
  int64_t count() const;

  std::string text(std::string_view key) const { return at(key).text(); }
  std::string text_or(std::string_view key, std::string_view otherwise) const;
  int64_t count(std::string_view key) const { return at(key).count(); }
  bool flag(std::string_view key) const;
  /// Nothing where it is null.
  std::optional<double> number(std::string_view key) const;
  std::optional<int64_t> maybe_count(std::string_view key) const;

  /// An Error that says what is wrong with this value.
  Error wrong(std::string problem) const;

 private:
  [[noreturn]] void refuse(std::string_view wanted) const;

  const Json* json_;
  std::string place_;
};

}  // namespace fovea::report::page
