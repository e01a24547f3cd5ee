// What is wrong with the cells of a target.
#pragma once

#include <fmt/format.h>

#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "fovea/core/error.h"
#include "fovea/core/text.h"
#include "fovea/storage/text.h"

namespace fovea::tables {

/// Collects what is wrong with the cells of a target, so that one message tells it all.
class Complaints {
 public:
  void add(size_t i, std::string_view found) {
    ++count_;
    if (cases_.size() < 5) cases_.push_back(i);
    if (values_.size() < 10) values_.insert(fmt::format("'{}'", storage::escaped(found, 40)));
  }

  bool empty() const { return count_ == 0; }

  /// A data Error where there is something to complain of.
  void raise(const std::string& where, const std::function<std::string(size_t)>& place,
             const std::string& wanted, const std::string& remedy) const {
    if (count_ == 0) return;
    std::vector<std::string> places;
    for (const size_t i : cases_) places.push_back(place(i));
    Error error = data_error(fmt::format("{} labels are wrong ({}{}): found {}, wanted {}", count_,
                                         join(places), count_ > places.size() ? ", …" : "",
                                         join({values_.begin(), values_.end()}), wanted),
                             remedy);
    error.add_place(where);
    throw error;
  }

 private:
  size_t count_ = 0;
  std::vector<size_t> cases_;
  std::set<std::string> values_;
};

}  // namespace fovea::tables
