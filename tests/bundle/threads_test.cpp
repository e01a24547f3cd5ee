// What several threads may do with a trained model at once.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "bundle/untrained.h"
#include "fovea/bundle/load.h"

namespace fovea::bundle {
namespace {

TEST(Threads, OnePredictorAnswersSeveralThreadsAtOnce) {
  const Predictor predictor = load(untrained().path, "cpu");
  const auto& images = untrained().images;
  std::vector<double> alone;
  for (const auto& image : images)
    alone.push_back(predictor.predict(image).probabilities.at(0).second);
  std::atomic<int> wrong = 0;
  std::vector<std::jthread> threads;
  for (size_t t = 0; t < 6; ++t)
    threads.emplace_back([&, t] {
      for (size_t i = 0; i < images.size(); ++i) {
        const size_t at = (i + t * 5) % images.size();
        if (predictor.predict(images[at]).probabilities.at(0).second != alone[at]) ++wrong;
      }
    });
  threads.clear();
  EXPECT_EQ(wrong, 0);
}

TEST(Threads, ManyFilesAreAnsweredInTheirOrderWhileOthersAskToo) {
  const Predictor predictor = load(untrained().path, "cpu");
  const auto& images = untrained().images;
  std::atomic<int> wrong = 0;
  std::vector<std::jthread> threads;
  for (int t = 0; t < 3; ++t)
    threads.emplace_back([&] {
      size_t next = 0;
      predictor.predict(
          images, 3,
          [&](const Prediction& prediction) {
            if (prediction.path != images[next++]) ++wrong;
          },
          [&](const std::filesystem::path&, const std::string&) { ++wrong; });
      if (next != images.size()) ++wrong;
    });
  threads.clear();
  EXPECT_EQ(wrong, 0);
}

TEST(Threads, TwoLoadsAtOnceGiveTheSameModel) {
  const auto image = untrained().images[0];
  const double expected = load(untrained().path, "cpu").predict(image).probabilities.at(0).second;
  std::atomic<int> wrong = 0;
  std::vector<std::jthread> threads;
  for (int t = 0; t < 3; ++t)
    threads.emplace_back([&] {
      const Predictor own = load(untrained().path, "cpu");
      if (own.predict(image).probabilities.at(0).second != expected) ++wrong;
    });
  threads.clear();
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace fovea::bundle
