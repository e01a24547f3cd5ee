#include "fovea/data/loader.h"

#include <ATen/Parallel.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <set>
#include <thread>

#include "fovea/core/error.h"

namespace fovea {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

// Case i is an image of 4 x 4 floats with value i; its decoding takes a time of its own.
class Numbers : public Dataset {
 public:
  explicit Numbers(int64_t size) : size_(size) {}
  int64_t size() const override { return size_; }
  Example get(int64_t index) const override {
    const int now = ++inside;
    for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {
    }
    std::this_thread::sleep_for(std::chrono::microseconds(100 + 700 * (index * 7 % 5)));
    --inside;
    ++decoded;
    if (index == broken) throw data_error("the file is truncated");
    if (index == broken_otherwise) throw std::runtime_error("odd");
    Example e;
    e.id = "id" + std::to_string(index);
    e.inputs["image"] = torch::full({1, 4, 4}, double(index));
    e.targets["label"] = torch::tensor(label(index));
    return e;
  }
  virtual int64_t label(int64_t index) const { return index % 10 == 0 ? 1 : 0; }
  TensorMap targets(int64_t index) const override {
    TensorMap map;
    map["label"] = torch::tensor(label(index));
    return map;
  }
  std::string group(int64_t) const override { return ""; }
  std::string name(int64_t index) const override { return "file" + std::to_string(index) + ".png"; }

  int64_t broken = -1;
  int64_t broken_otherwise = -1;
  mutable std::atomic<int> inside = 0, most = 0, decoded = 0;

 private:
  int64_t size_;
};

Example noise(Example e, Random& random) {
  torch::Tensor image = e.inputs.at("image").clone();
  auto* values = image.data_ptr<float>();
  for (int64_t i = 0; i < image.numel(); ++i) values[i] += float(random.normal());
  e.inputs["image"] = image;
  return e;
}

std::vector<Batch> all(const Loader& loader, int64_t epoch, int64_t position = 0) {
  std::vector<Batch> batches;
  for (Batch& batch : loader.epoch(epoch, position)) batches.push_back(std::move(batch));
  return batches;
}

bool equal(const std::vector<Batch>& a, const std::vector<Batch>& b) {
  bool same = a.size() == b.size();
  for (size_t i = 0; same && i < a.size(); ++i)
    same = a[i].ids == b[i].ids && a[i].indices == b[i].indices &&
           torch::equal(a[i].inputs.at("image"), b[i].inputs.at("image")) &&
           torch::equal(a[i].targets.at("label"), b[i].targets.at("label"));
  return same;
}

TEST(Loader, GivesEveryCaseOnceInOrder) {
  const Loader loader(std::make_shared<Numbers>(23), {}, {.batch_size = 5, .threads = 3});
  const auto batches = all(loader, 0);
  ASSERT_EQ(batches.size(), 5u);
  EXPECT_EQ(loader.batches(), 5);
  EXPECT_EQ(batches[4].size(), 3);
  int64_t next = 0;
  for (const Batch& batch : batches)
    for (int64_t i = 0; i < batch.size(); ++i, ++next) {
      EXPECT_EQ(batch.indices[size_t(i)], next);
      EXPECT_EQ(batch.ids[size_t(i)], "id" + std::to_string(next));
      EXPECT_EQ(batch.inputs.at("image")[i][0][3][3].item<float>(), float(next));
    }
  EXPECT_EQ(next, 23);
}

TEST(Loader, ALastBatchThatIsTooSmallJoinsTheOneBefore) {
  const auto data = std::make_shared<Numbers>(33);
  for (const int64_t threads : {0, 1, 4})
    for (const bool overlap : {false, true}) {
      LoaderOptions options{
          .batch_size = 8, .threads = threads, .overlap = overlap, .shuffle = true};
      const auto apart = all(Loader(data, noise, options), 3);
      options.least = 2;
      const Loader loader(data, noise, options);
      EXPECT_EQ(loader.batches(), 4);
      EXPECT_EQ(loader.examples(), 33);
      EXPECT_EQ(loader.joined(), 1);
      const auto joined = all(loader, 3);
      ASSERT_EQ(joined.size(), 4u);
      EXPECT_EQ(joined[3].size(), 9);
      EXPECT_EQ(joined[3].ids[8], apart[4].ids[0]);
      EXPECT_TRUE(torch::equal(joined[3].inputs.at("image")[8], apart[4].inputs.at("image")[0]));
      for (const int64_t position : {1, 3, 4}) {
        const auto rest = all(loader, 3, position);
        EXPECT_TRUE(equal(rest, {joined.begin() + position, joined.end()})) << position;
      }
      // The targets of a batch are known without reading one of its cases.
      const auto decoded = data->decoded.load();
      for (int64_t i = 0; i < 4; ++i) {
        const Batch targets = loader.targets(loader.order(3), i);
        EXPECT_EQ(targets.indices, joined[size_t(i)].indices);
        EXPECT_TRUE(
            torch::equal(targets.targets.at("label"), joined[size_t(i)].targets.at("label")));
      }
      EXPECT_EQ(data->decoded.load(), decoded);
    }
}

TEST(Loader, ABatchJoinsOnlyWhereThereIsOneBeforeAndItsSizeWasNotMeant) {
  const auto sizes = [](int64_t cases, int64_t batch_size, bool drop_last = false) {
    const Loader loader(
        std::make_shared<Numbers>(cases), {},
        {.batch_size = batch_size, .threads = 0, .drop_last = drop_last, .least = 2});
    std::vector<int64_t> found;
    for (const Batch& batch : loader.epoch(0)) found.push_back(batch.size());
    EXPECT_EQ(static_cast<int64_t>(found.size()), loader.batches());
    return found;
  };
  using Sizes = std::vector<int64_t>;
  EXPECT_EQ(sizes(3, 1), (Sizes{1, 1, 1}));
  EXPECT_EQ(sizes(1, 8), (Sizes{1}));
  EXPECT_EQ(sizes(9, 8), (Sizes{9}));
  EXPECT_EQ(sizes(10, 8), (Sizes{8, 2}));
  EXPECT_EQ(sizes(16, 8), (Sizes{8, 8}));
  EXPECT_EQ(sizes(9, 8, true), (Sizes{8}));
}

TEST(Loader, AnyNumberOfThreadsGivesTheSameBits) {
  const auto data = std::make_shared<Numbers>(50);
  LoaderOptions options{.batch_size = 8, .threads = 0, .shuffle = true, .seed = 7};
  const auto expected = all(Loader(data, noise, options), 2);
  for (const int64_t threads : {1, 4, 16})
    for (const int64_t prefetch : {1, 3}) {
      options.threads = threads;
      options.prefetch = prefetch;
      EXPECT_TRUE(equal(all(Loader(data, noise, options), 2), expected)) << threads;
    }
}

TEST(Loader, AnImageDoesNotDependOnBatchBorders) {
  const auto data = std::make_shared<Numbers>(20);
  const auto small = all(Loader(data, noise, {.batch_size = 3, .threads = 2}), 1);
  const auto large = all(Loader(data, noise, {.batch_size = 20, .threads = 2}), 1);
  std::vector<torch::Tensor> parts;
  for (const Batch& batch : small) parts.push_back(batch.inputs.at("image"));
  EXPECT_TRUE(torch::equal(torch::cat(parts), large[0].inputs.at("image")));
}

TEST(Loader, EpochsDifferInOrderAndInAugmentation) {
  const auto data = std::make_shared<Numbers>(40);
  const Loader shuffled(data, {}, {.batch_size = 40, .threads = 2, .shuffle = true});
  EXPECT_NE(shuffled.order(0), shuffled.order(1));
  std::vector<int64_t> sorted = shuffled.order(1);
  std::ranges::sort(sorted);
  for (int64_t i = 0; i < 40; ++i) EXPECT_EQ(sorted[size_t(i)], i);
  const Loader plain(data, noise, {.batch_size = 40, .threads = 2});
  EXPECT_FALSE(equal(all(plain, 0), all(plain, 1)));
}

TEST(Loader, AnEpochThatStartsInTheMiddleIsTheRestOfTheWhole) {
  const auto data = std::make_shared<Numbers>(30);
  const Loader loader(data, noise, {.batch_size = 4, .threads = 3, .shuffle = true});
  auto whole = all(loader, 5);
  whole.erase(whole.begin(), whole.begin() + 3);
  EXPECT_TRUE(equal(all(loader, 5, 3), whole));
  EXPECT_TRUE(all(loader, 5, loader.batches()).empty());
}

TEST(Loader, DropLastLeavesOutTheBatchThatIsNotFull) {
  const auto data = std::make_shared<Numbers>(10);
  const Loader loader(data, {}, {.batch_size = 4, .threads = 2, .drop_last = true});
  EXPECT_EQ(loader.batches(), 2);
  EXPECT_EQ(loader.examples(), 8);
  EXPECT_EQ(all(loader, 0).size(), 2u);
  EXPECT_THROW(Loader(data, {}, {.batch_size = 11, .drop_last = true}), Error);
}

TEST(Loader, AllThreadsWorkOnOneBatch) {
  const auto data = std::make_shared<Numbers>(16);
  all(Loader(data, {}, {.batch_size = 16, .threads = 4, .prefetch = 1}), 0);
  EXPECT_GT(data->most, 1);
  EXPECT_LE(data->most, 4);
}

TEST(Loader, NoMoreIsDecodedThanThePrefetchAllows) {
  const auto data = std::make_shared<Numbers>(100);
  const Loader loader(data, {}, {.batch_size = 5, .threads = 4, .prefetch = 3});
  int64_t seen = 0;
  for ([[maybe_unused]] const Batch& batch : loader.epoch(0)) {
    ++seen;
    std::this_thread::sleep_for(milliseconds(15));
    EXPECT_LE(data->decoded, 5 * (seen + 3));
  }
  EXPECT_EQ(seen, 20);
}

TEST(Loader, NoMoreIsDecodedThanTheBytesAllow) {
  const auto data = std::make_shared<Numbers>(60);
  const int64_t batch_bytes = 5 * (64 + 8);
  const Loader loader(
      data, {}, {.batch_size = 5, .threads = 4, .prefetch = 50, .queue_bytes = 2 * batch_bytes});
  int64_t seen = 0;
  for ([[maybe_unused]] const Batch& batch : loader.epoch(0)) {
    ++seen;
    std::this_thread::sleep_for(milliseconds(15));
    EXPECT_LE(data->decoded, 5 * (seen + 2));
  }
  EXPECT_EQ(seen, 12);
}

// Every input is ragged or optional and the target is tags: no tensor has one place in a batch. Case i
// has a text of 1 + i % 7 words i, an image (values i) only where i is even, and as many tags.
class Reports : public Dataset {
 public:
  explicit Reports(int64_t size) : size_(size) {
    schema_.inputs = {{"text", {.sizes = {-1}, .vocabulary = 1000}}, {"image", {.optional = true}}};
    schema_.targets = {
        {.name = "found", .classes = {"a"}, .type = "tags", .layout = Layout::tokens}};
  }
  int64_t size() const override { return size_; }
  const Schema& schema() const override { return schema_; }
  Example get(int64_t index) const override {
    ++decoded;
    Example e;
    e.id = "id" + std::to_string(index);
    e.inputs["text"] = torch::full({1 + index % 7}, index, torch::kInt64);
    if (index % 2 == 0) e.inputs["image"] = torch::full({1, 2, 2}, double(index));
    e.targets = targets(index);
    return e;
  }
  TensorMap targets(int64_t index) const override {
    TensorMap map;
    map["found"] = torch::full({1 + index % 7}, index % 3, torch::kInt64);
    return map;
  }
  std::string group(int64_t) const override { return ""; }
  std::string name(int64_t index) const override { return "line " + std::to_string(index); }

  mutable std::atomic<int> decoded = 0;

 private:
  int64_t size_;
  Schema schema_;
};

TEST(Loader, CasesWhoseEveryInputIsRaggedOrOptionalAreStackedByAnyNumberOfThreads) {
  const auto data = std::make_shared<Reports>(203);
  for (const int64_t threads : {0, 1, 8, 16}) {
    int64_t next = 0;
    for (const Batch& batch : Loader(data, {}, {.batch_size = 10, .threads = threads}).epoch(0))
      for (int64_t row = 0; row < batch.size(); ++row, ++next) {
        const int64_t length = 1 + next % 7;
        const torch::Tensor text = batch.inputs.at("text")[row];
        const torch::Tensor tags = batch.targets.at("found")[row];
        ASSERT_EQ(batch.ids[size_t(row)], "id" + std::to_string(next));
        ASSERT_EQ(batch.lengths.at("text")[row].item<int64_t>(), length);
        ASSERT_EQ(text.slice(0, 0, length).eq(next).sum().item<int64_t>(), length);
        ASSERT_EQ(text.slice(0, length).sum().item<int64_t>(), 0);
        ASSERT_EQ(tags.slice(0, 0, length).eq(next % 3).sum().item<int64_t>(), length);
        ASSERT_EQ(tags.slice(0, length).eq(-1).sum().item<int64_t>(), tags.size(0) - length);
        ASSERT_EQ(batch.present.at("image")[row].item<bool>(), next % 2 == 0);
        const torch::Tensor* image = batch.inputs.find("image");
        if (image)
          ASSERT_EQ((*image)[row].sum().item<double>(), next % 2 == 0 ? 4 * double(next) : 0);
      }
    EXPECT_EQ(next, 203) << threads;
  }
}

TEST(Loader, RaggedAndOptionalInputsCountAgainstTheBytesAllowed) {
  const auto data = std::make_shared<Reports>(70);
  // A batch of 7 holds texts and tags of 1 to 7 words of 8 bytes and up to four images of 16 bytes;
  // padded, seven times the largest case. Two batches do not fit.
  const Loader loader(data, {},
                      {.batch_size = 7, .threads = 4, .prefetch = 50, .queue_bytes = 1500});
  int64_t seen = 0;
  for ([[maybe_unused]] const Batch& batch : loader.epoch(0)) {
    ++seen;
    std::this_thread::sleep_for(milliseconds(15));
    EXPECT_LE(data->decoded, 7 * (seen + 1));
  }
  EXPECT_EQ(seen, 10);
}

TEST(Loader, WithoutOverlapNothingIsDecodedWhileTheCallerComputes) {
  const auto data = std::make_shared<Numbers>(50);
  LoaderOptions options{.batch_size = 8, .threads = 0, .shuffle = true};
  const auto expected = all(Loader(data, noise, options), 2);
  data->decoded = 0;
  options.threads = 4;
  options.overlap = false;
  std::vector<Batch> batches;
  for (Batch& batch : Loader(data, noise, options).epoch(2)) {
    batches.push_back(std::move(batch));
    const int before = data->decoded;
    EXPECT_EQ(before, std::min<int>(50, 8 * int(batches.size())));
    std::this_thread::sleep_for(milliseconds(5));
    EXPECT_EQ(data->decoded, before);
  }
  EXPECT_TRUE(equal(batches, expected));
}

TEST(Loader, ABatchLargerThanTheQueueIsStillDelivered) {
  const auto data = std::make_shared<Numbers>(12);
  EXPECT_EQ(all(Loader(data, {}, {.batch_size = 4, .threads = 3, .queue_bytes = 100}), 0).size(),
            3u);
}

TEST(Loader, ACaseLargerThanTheQueueIsAResourceErrorThatNamesIt) {
  const auto data = std::make_shared<Numbers>(12);
  try {
    all(Loader(data, {}, {.batch_size = 4, .threads = 3, .queue_bytes = 71}), 0);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.fault(), Fault::resources);
    EXPECT_THAT(error.what(), HasSubstr("file0.png"));
    EXPECT_THAT(error.what(), HasSubstr("72 bytes"));
    EXPECT_THAT(error.what(), HasSubstr("71"));
  }
}

TEST(Loader, AnErrorNamesItsCaseAndComesAfterTheBatchesBeforeIt) {
  const auto data = std::make_shared<Numbers>(100);
  data->broken = 42;
  data->broken_otherwise = 44;
  for (const int64_t threads : {0, 1, 4, 16}) {
    int64_t seen = 0;
    try {
      for ([[maybe_unused]] const Batch& b :
           Loader(data, {}, {.batch_size = 5, .threads = threads}).epoch(0))
        ++seen;
      FAIL() << "no error";
    } catch (const Error& error) {
      EXPECT_STREQ(error.what(), "file42.png: the file is truncated");
      EXPECT_EQ(error.fault(), Fault::data);
    }
    EXPECT_EQ(seen, 8) << threads;
  }
}

TEST(Loader, AForeignExceptionBecomesAnInternalErrorWithTheCase) {
  const auto data = std::make_shared<Numbers>(10);
  data->broken_otherwise = 3;
  try {
    all(Loader(data, {}, {.batch_size = 5, .threads = 2}), 0);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.fault(), Fault::internal);
    EXPECT_STREQ(error.what(), "file3.png: odd");
  }
}

TEST(Loader, LeavingTheLoopEarlyJoinsAllThreads) {
  const auto data = std::make_shared<Numbers>(1000);
  const Loader loader(data, {}, {.batch_size = 4, .threads = 8});
  for (int round = 0; round < 20; ++round) {
    int64_t seen = 0;
    for ([[maybe_unused]] const Batch& batch : loader.epoch(round))
      if (++seen == 2) break;
    EXPECT_EQ(data->inside, 0);
    const int after = data->decoded;
    std::this_thread::sleep_for(milliseconds(3));
    EXPECT_EQ(data->decoded, after);
  }
  { auto unused = loader.epoch(0); }  // never begun
  EXPECT_EQ(data->inside, 0);
}

TEST(Loader, OperatorsInAWorkerDoNotStartThreads) {
  const int before = at::get_num_threads();
  std::mutex mutex;
  std::set<int> seen;
  const auto look = [&](Example e, Random&) {
    const std::lock_guard lock(mutex);
    seen.insert(at::get_num_threads());
    return e;
  };
  all(Loader(std::make_shared<Numbers>(8), look, {.batch_size = 4, .threads = 2}), 0);
  EXPECT_EQ(seen, std::set<int>{1});
  EXPECT_EQ(at::get_num_threads(), before);
}

TEST(Loader, ImagesOfDifferentSizesAreAnErrorThatNamesTheFirst) {
  const auto grow = [](Example e, Random&) {
    if (e.id == "id2" || e.id == "id3") e.inputs["image"] = torch::zeros({1, 5, 5});
    return e;
  };
  for (const int64_t threads : {0, 4}) try {
      all(Loader(std::make_shared<Numbers>(4), grow, {.batch_size = 4, .threads = threads}), 0);
      FAIL() << "no error";
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), HasSubstr("'id2'"));
      EXPECT_THAT(error.what(), HasSubstr("[1, 5, 5]"));
    }
}

TEST(Loader, BalancedRefusesNumbers) {
  class Ages final : public Numbers {
   public:
    using Numbers::Numbers;
    TensorMap targets(int64_t) const override {
      TensorMap map;
      map["age"] = torch::tensor(61.5f);
      return map;
    }
  };
  try {
    Loader(std::make_shared<Ages>(4), noise, {.batch_size = 2, .balanced = true});
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("the first target is a number"));
  }
}

TEST(Loader, BalancedDrawsEveryClassEquallyOftenWithStreamsOfTheirOwn) {
  const auto data = std::make_shared<Numbers>(100);  // 10 cases of class 1, 90 of class 0
  const Loader loader(data, noise, {.batch_size = 100, .threads = 2, .balanced = true, .seed = 3});
  const Batch batch = all(loader, 0)[0];
  EXPECT_EQ(batch.targets.at("label").sum().item<int64_t>(), 50);
  std::map<int64_t, int> times;
  std::map<int64_t, std::set<float>> images;
  for (int64_t i = 0; i < 100; ++i) {
    const int64_t index = batch.indices[size_t(i)];
    ++times[index];
    images[index].insert(batch.inputs.at("image")[i][0][0][0].item<float>());
  }
  for (const auto& [index, count] : times) {
    EXPECT_EQ(count, index % 10 == 0 ? 5 : 1);
    EXPECT_EQ(int(images[index].size()), count) << "the same augmentation came twice";
  }
}

TEST(Loader, AnEmptyDataSetIsRefused) {
  EXPECT_THROW(Loader(std::make_shared<Numbers>(0), {}, {}), Error);
}

}  // namespace
}  // namespace fovea
