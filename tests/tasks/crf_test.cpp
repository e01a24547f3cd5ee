// The chain against all its sequences, one by one.
#include "fovea/tasks/crf.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace fovea::tasks {
namespace {

using torch::Tensor;

struct Chain {
  Tensor emissions, transitions;  // [L, K], [K + 1, K + 1]
  int64_t length, tags;

  double score(const std::vector<int64_t>& path) const {
    double sum = transitions[tags][path[0]].item<double>();
    for (int64_t t = 0; t < length; ++t) {
      const auto tag = path[static_cast<size_t>(t)];
      sum += emissions[t][tag].item<double>();
      const int64_t next = t + 1 < length ? path[static_cast<size_t>(t + 1)] : tags;
      sum += transitions[tag][next].item<double>();
    }
    return sum;
  }
  template <class Visit>
  void each(Visit visit) const {
    std::vector<int64_t> path(static_cast<size_t>(length), 0);
    while (true) {
      visit(path);
      int64_t t = length - 1;
      while (t >= 0 && ++path[static_cast<size_t>(t)] == tags) path[static_cast<size_t>(t--)] = 0;
      if (t < 0) return;
    }
  }
};

Chain chain(int64_t length, int64_t tags, int64_t seed) {
  torch::manual_seed(seed);
  return {torch::randn({length, tags}, torch::kDouble) * 2,
          torch::randn({tags + 1, tags + 1}, torch::kDouble), length, tags};
}

const auto kAnything = [](int64_t, int64_t) { return true; };

TEST(Crf, TheLikelihoodIsThatOfAllSequencesCountedOneByOne) {
  for (const auto& [length, tags] : {std::pair<int64_t, int64_t>{1, 3}, {2, 2}, {4, 3}, {5, 4}}) {
    const Chain c = chain(length, tags, length);
    double all = 0;
    c.each([&](const auto& path) { all += std::exp(c.score(path)); });
    int64_t seen = 0;
    double sum = 0;
    c.each([&](const auto& path) {
      if (++seen % 7 != 1) return;
      const double found = crf_log_likelihood(c.emissions.unsqueeze(0),
                                              torch::tensor(path).unsqueeze(0), c.transitions)
                               .template item<double>();
      EXPECT_NEAR(found, c.score(path) - std::log(all), 1e-10);
      sum += std::exp(found);
    });
    EXPECT_LE(sum, 1 + 1e-10);
  }
}

TEST(Crf, TheBestSequenceIsTheBestOfAll) {
  for (int64_t seed = 0; seed < 20; ++seed) {
    const Chain c = chain(5, 3, seed);
    std::vector<int64_t> best;
    double most = -std::numeric_limits<double>::infinity();
    c.each([&](const auto& path) {
      if (c.score(path) > most) {
        most = c.score(path);
        best = path;
      }
    });
    const Tensor found = crf_decode(c.emissions.unsqueeze(0), {}, c.transitions, kAnything);
    EXPECT_TRUE(torch::equal(found[0], torch::tensor(best))) << seed;
  }
}

TEST(Crf, ForbiddenStepsAreNeverTaken) {
  const auto allowed = [](int64_t from, int64_t to) {
    return !(from == 0 && to == 2) && from != to;
  };
  for (int64_t seed = 0; seed < 20; ++seed) {
    const Chain c = chain(5, 3, 100 + seed);
    std::vector<int64_t> best;
    double most = -std::numeric_limits<double>::infinity();
    c.each([&](const auto& path) {
      for (size_t t = 1; t < path.size(); ++t)
        if (!allowed(path[t - 1], path[t])) return;
      if (c.score(path) > most) {
        most = c.score(path);
        best = path;
      }
    });
    const Tensor found = crf_decode(c.emissions.unsqueeze(0), {}, c.transitions, allowed);
    EXPECT_TRUE(torch::equal(found[0], torch::tensor(best))) << seed;
  }
}

TEST(Crf, GradientsAreFiniteDifferences) {
  Chain c = chain(4, 3, 9);
  const Tensor tags = torch::tensor({{2, 0, 1, 1}});
  const auto value = [&] {
    return crf_log_likelihood(c.emissions.unsqueeze(0), tags, c.transitions).sum();
  };
  for (Tensor* one : {&c.emissions, &c.transitions}) {
    one->set_requires_grad(true);
    value().backward();
    const Tensor gradient = one->grad().clone().flatten();
    one->set_requires_grad(false);
    const Tensor flat = one->flatten();
    for (int64_t i = 0; i < flat.numel(); ++i) {
      const double at = flat[i].item<double>();
      flat[i] = at + 1e-5;
      const double up = value().item<double>();
      flat[i] = at - 1e-5;
      const double down = value().item<double>();
      flat[i] = at;
      EXPECT_NEAR(gradient[i].item<double>(), (up - down) / 2e-5, 1e-8);
    }
  }
}

TEST(Crf, PaddingChangesNothingWhateverStandsThere) {
  const Chain c = chain(6, 3, 4);
  Tensor padded = c.emissions.unsqueeze(0).repeat({3, 1, 1});
  padded[1].slice(0, 4) = std::numeric_limits<double>::quiet_NaN();
  padded[2].slice(0, 0) = std::numeric_limits<double>::infinity();
  padded.set_requires_grad(true);
  const Tensor tags =
      torch::tensor({{0, 1, 2, 0, 1, 2}, {0, 1, 2, 0, -1, -1}, {-1, -1, -1, -1, -1, -1}});
  const Tensor found = crf_log_likelihood(padded, tags, c.transitions);
  const Tensor alone = crf_log_likelihood(c.emissions.slice(0, 0, 4).unsqueeze(0),
                                          tags[1].slice(0, 0, 4).unsqueeze(0), c.transitions);
  EXPECT_NEAR(found[1].item<double>(), alone.item<double>(), 1e-12);
  EXPECT_EQ(found[2].item<double>(), 0);
  found.sum().backward();
  EXPECT_EQ(padded.grad()[1].slice(0, 4).abs().max().item<double>(), 0);
  EXPECT_EQ(padded.grad()[2].abs().max().item<double>(), 0);

  const Tensor best = crf_decode(padded, torch::tensor({6, 4, 0}), c.transitions, kAnything);
  const Tensor cut =
      crf_decode(c.emissions.slice(0, 0, 4).unsqueeze(0), {}, c.transitions, kAnything);
  EXPECT_TRUE(torch::equal(best[1].slice(0, 0, 4), cut[0]));
  EXPECT_EQ(best[1].slice(0, 4).max().item<int64_t>(), -1);
  EXPECT_EQ(best[2].max().item<int64_t>(), -1);
}

}  // namespace
}  // namespace fovea::tasks
