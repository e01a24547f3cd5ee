#include "fovea/report/progress.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

namespace fovea::report {
namespace {

using testing::HasSubstr;
using testing::Not;

/// A terminal in memory whose clock and width the test sets.
struct Screen {
  std::ostringstream text;
  double time = 100;
  int columns = 120;

  Terminal terminal(bool interactive = true) {
    return {&text, interactive, [this] { return columns; }, [this] { return time; }};
  }
  size_t redraws() const { return static_cast<size_t>(std::ranges::count(text.str(), '\r')); }
  std::string last_line() const {
    const std::string all = text.str();
    const std::string wipe = "\r\x1b[K";
    return all.substr(all.rfind(wipe) + wipe.size());
  }
};

TEST(Duration, ReadsAsAClock) {
  EXPECT_EQ(duration(0), "0:00");
  EXPECT_EQ(duration(65.4), "1:05");
  EXPECT_EQ(duration(3722), "1:02:02");
  EXPECT_EQ(duration(-3), "0:00");
}

TEST(Progress, ShowsShareRateAndTimeLeft) {
  Screen screen;
  Progress progress("epoch 3/10", 400, screen.terminal());
  screen.time += 2;
  progress.advance(100, "loss 0.312");
  // 100 in 2 s: 50 a second; 300 are left, so 6 s. A quarter of 24 places is 6.
  EXPECT_EQ(
      screen.last_line(),
      "epoch 3/10   25% [======>                 ] 100/400  50 cases/s  0:06 left  loss 0.312");
}

TEST(Progress, IsRedrawnAtMostTenTimesASecond) {
  Screen screen;
  Progress progress("", 10'000, screen.terminal());
  for (int i = 0; i < 10'000; ++i) {
    screen.time += 0.001;
    progress.advance(1);
  }
  EXPECT_LE(screen.redraws(), 101u);
  EXPECT_GE(screen.redraws(), 90u);
}

TEST(Progress, NeverFillsTheWindow) {
  for (int columns : {1, 10, 30, 60, 80, 200}) {
    Screen screen;
    screen.columns = columns;
    Progress progress("epoch 1/10", 1000, screen.terminal());
    screen.time += 1;
    progress.advance(10, "loss 0.123  größe 0.456");
    const std::string line = screen.last_line();
    const auto letters = std::ranges::count_if(line, [](char c) { return (c & 0xc0) != 0x80; });
    EXPECT_LE(letters, std::max(columns - 1, 1)) << line;
  }
}

TEST(Progress, KeepsABarInAWindowOfEightyColumns) {
  Screen screen;
  screen.columns = 80;
  Progress progress("epoch 3/10", 3000, screen.terminal());
  screen.time += 1;
  progress.advance(2400, "loss 0.312  auc 0.942");
  EXPECT_THAT(screen.last_line(), HasSubstr("80% [==========>  ] 2400 cases/s  0:00 left  loss"));
}

TEST(Progress, OfAnUnknownTotalPromisesNothing) {
  Screen screen;
  Progress progress("reading", 0, screen.terminal(), "files");
  screen.time += 1;
  progress.advance(40);
  EXPECT_THAT(screen.last_line(), HasSubstr("40  40 files/s"));
  EXPECT_THAT(screen.last_line(), Not(HasSubstr("left")));
  EXPECT_THAT(screen.last_line(), Not(HasSubstr("%")));
}

TEST(Progress, WritesOnlyFinalLinesToAFile) {
  Screen screen;
  {
    Progress progress("epoch 1/2", 100, screen.terminal(false));
    for (int i = 0; i < 100; ++i) {
      screen.time += 1;
      progress.advance(1, "loss 1");
    }
    progress.finish("epoch 1/2 loss 0.5");
  }
  EXPECT_EQ(screen.text.str(), "epoch 1/2 loss 0.5\n");
}

TEST(Progress, LeavesACleanLineWhenAnErrorEndsTheLoop) {
  Screen screen;
  {
    Progress progress("epoch 1/2", 100, screen.terminal());
    progress.advance(1);
  }
  EXPECT_EQ(screen.last_line(), "");
}

TEST(Progress, IsWipedBeforeTheFinalLine) {
  Screen screen;
  Progress progress("epoch 1/2", 100, screen.terminal());
  progress.advance(100);
  progress.finish("done");
  EXPECT_EQ(screen.last_line(), "done\n");
}

}  // namespace
}  // namespace fovea::report
