#include "fovea/data/splits.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <unordered_map>

#include "fovea/core/error.h"
#include "fovea/core/random.h"
#include "fovea/core/text.h"

namespace fovea {
namespace {

// Cases per class, of a group or of a split.
using Profile = std::map<int64_t, double>;

struct Group {
  std::vector<size_t> cases;
  Profile profile;
  int64_t split = -1;
};

std::vector<Group> grouped(const std::vector<std::string>& names,
                           const std::vector<int64_t>& classes, size_t cases) {
  std::vector<Group> groups;
  std::unordered_map<std::string, size_t> known;
  for (size_t i = 0; i < cases; ++i) {
    size_t home = groups.size();
    if (!names.empty()) {
      if (names[i].empty())
        throw data_error(
            fmt::format("split: case {} has a blank group; fill it in, or leave the "
                        "group out if every case is a patient of its own",
                        i));
      home = known.try_emplace(names[i], groups.size()).first->second;
    }
    if (home == groups.size()) groups.emplace_back();
    groups[home].cases.push_back(i);
    groups[home].profile[classes.empty() ? 0 : classes[i]] += 1;
  }
  return groups;
}

class Dealer {
 public:
  Dealer(std::vector<Group>& groups, const Fractions& fractions,
         const std::vector<std::string>& names)
      : groups_(groups), fractions_(fractions), names_(names), have_(fractions.size()) {
    for (const Group& group : groups)
      for (const auto& [c, n] : group.profile) {
        total_[c] += n;
        ++holders_[c];
      }
  }

  void deal() {
    for (const auto& [c, n] : holders_)
      if (n < static_cast<int64_t>(fractions_.size()) && holders_.size() > 1)
        throw data_error(fmt::format(
            "split: class {} is found in {} groups (patients), wanted at least one for each of "
            "the {} splits; use fewer splits or leave the class out",
            name_of(c), n, fractions_.size()));
    seed_rarest_first();
    for (Group& group : groups_)
      if (group.split < 0) give(group, furthest_behind(group));
    check_none_empty();
  }

 private:
  std::string name_of(int64_t c) const {
    const auto index = static_cast<size_t>(c);
    return index < names_.size() ? "'" + names_[index] + "'" : std::to_string(c);
  }

  void seed_rarest_first() {
    std::vector<std::pair<int64_t, int64_t>> classes;  // holders, class
    for (const auto& [c, n] : holders_) classes.emplace_back(n, c);
    std::ranges::sort(classes);
    for (const auto& [n, c] : classes)
      for (size_t s = 0; s < fractions_.size(); ++s) {
        if (have_[s].contains(c)) continue;
        const auto free = std::ranges::find_if(groups_, [c = c](const Group& group) {
          return group.split < 0 && group.profile.contains(c);
        });
        if (free != groups_.end()) give(*free, s);
      }
  }

  // The split whose squared distance from its shares, summed over classes in parts of each class,
  // falls most.
  size_t furthest_behind(const Group& group) const {
    size_t best = 0;
    double best_gain = -1e300;
    for (size_t s = 0; s < fractions_.size(); ++s) {
      double gain = 0;
      for (const auto& [c, n] : group.profile) {
        const double total = total_.at(c);
        const auto held = have_[s].find(c);
        const double behind =
            fractions_[s].second * total - (held == have_[s].end() ? 0 : held->second);
        gain += n * behind / (total * total);
      }
      if (gain > best_gain) {
        best = s;
        best_gain = gain;
      }
    }
    return best;
  }

  void give(Group& group, size_t s) {
    group.split = static_cast<int64_t>(s);
    for (const auto& [c, n] : group.profile) have_[s][c] += n;
  }

  void check_none_empty() const {
    std::vector<std::string> sizes;
    bool empty = false;
    for (size_t s = 0; s < fractions_.size(); ++s) {
      double sum = 0;
      for (const auto& [c, n] : have_[s]) sum += n;
      empty = empty || sum == 0;
      sizes.push_back(fractions_[s].first + " " + number(sum));
    }
    if (empty)
      throw config_error("DataOptions::split: a split stays empty, the sizes would be " +
                         join(sizes) + "; use other fractions or more cases");
  }

  std::vector<Group>& groups_;
  const Fractions& fractions_;
  const std::vector<std::string>& names_;
  Profile total_;
  std::map<int64_t, int64_t> holders_;  // groups that have the class
  std::vector<Profile> have_;           // by split
};

}  // namespace

void check_fractions(const Fractions& fractions) {
  double sum = 0;
  std::vector<std::string> shown;
  bool inside = !fractions.empty();
  for (const auto& [name, share] : fractions) {
    sum += share;
    inside = inside && share > 0 && share <= 1;
    shown.push_back(name + " " + number(share));
  }
  if (!inside || std::abs(sum - 1) > 1e-6)
    throw config_error(fmt::format(
        "DataOptions::split: the fractions {} sum to {:.6g}, wanted numbers above 0 that sum to 1",
        join(shown), sum));
}

std::vector<std::string> split(const std::vector<std::string>& groups,
                               const std::vector<int64_t>& classes, const Fractions& fractions,
                               uint64_t seed, const std::vector<std::string>& names) {
  check_fractions(fractions);
  const size_t cases = std::max(groups.size(), classes.size());
  if ((!groups.empty() && groups.size() != cases) || (!classes.empty() && classes.size() != cases))
    throw config_error(fmt::format("split: found {} groups and {} classes, wanted one per case",
                                   groups.size(), classes.size()));
  std::vector<Group> all = grouped(groups, classes, cases);
  Random random(seed, Purpose::split);
  random.shuffle(all);
  Dealer(all, fractions, names).deal();
  std::vector<std::string> result(cases);
  for (const Group& group : all)
    for (const size_t i : group.cases)
      result[i] = fractions[static_cast<size_t>(group.split)].first;
  return result;
}

std::vector<std::string> split_in_order(size_t cases, const Fractions& fractions) {
  check_fractions(fractions);
  std::vector<std::string> result;
  double share = 0;
  for (const auto& [name, own] : fractions) {
    share += own;
    result.resize(static_cast<size_t>(std::llround(share * static_cast<double>(cases))), name);
  }
  return result;
}

std::vector<SharedGroup> shared_groups(const std::vector<std::string>& groups,
                                       const FewNames& splits) {
  struct Seen {
    int64_t first;
    bool shared = false;
  };
  std::unordered_map<std::string_view, Seen> seen;
  std::vector<SharedGroup> shared;
  for (size_t i = 0; i < groups.size(); ++i) {
    if (groups[i].empty()) continue;
    const auto here = static_cast<int64_t>(i);
    Seen& group = seen.try_emplace(groups[i], Seen{here}).first->second;
    if (group.shared || splits[static_cast<size_t>(group.first)] == splits[i]) continue;
    group.shared = true;
    shared.push_back({group.first, here});
  }
  return shared;
}

void check_groups(const std::vector<std::string>& groups, const FewNames& splits) {
  const std::vector<SharedGroup> shared = shared_groups(groups, splits);
  if (shared.empty()) return;
  throw data_error(fmt::format(
      "{} patients are in more than one split (the first in '{}' and in '{}'): every metric would "
      "be flattering; split by group",
      shared.size(), splits[static_cast<size_t>(shared[0].first)],
      splits[static_cast<size_t>(shared[0].second)]));
}

}  // namespace fovea
