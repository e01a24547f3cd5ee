#include "fovea/report/progress.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <iostream>

#include "fovea/report/svg.h"

namespace fovea::report {
namespace {

constexpr double kRedraw = 0.1;          // seconds
constexpr int kBar = 24, kShortBar = 8;  // columns
constexpr const char* kWipe = "\r\x1b[K";

/// Letters of UTF-8 text: every byte but those that continue one.
int letters(std::string_view text) {
  return static_cast<int>(std::ranges::count_if(text, [](char c) { return (c & 0xc0) != 0x80; }));
}

std::string bar(double part, int width) {
  const int filled = static_cast<int>(part * width);
  std::string text(static_cast<size_t>(filled), '=');
  if (filled < width) text += '>' + std::string(static_cast<size_t>(width - filled - 1), ' ');
  return '[' + text + "] ";
}

}  // namespace

Terminal Terminal::standard_error() {
  Terminal terminal;
  terminal.out = &std::cerr;
  terminal.interactive = isatty(STDERR_FILENO) == 1;
  terminal.columns = [] {
    winsize size{};
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? int{size.ws_col} : 80;
  };
  terminal.seconds = [] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
  };
  return terminal;
}

std::string duration(double seconds) {
  const auto whole = static_cast<int64_t>(std::clamp(seconds, 0.0, 3.6e8) + 0.5);
  const int64_t hours = whole / 3600, minutes = whole / 60 % 60, rest = whole % 60;
  return hours > 0 ? fmt::format("{}:{:02}:{:02}", hours, minutes, rest)
                   : fmt::format("{}:{:02}", minutes, rest);
}

Progress::Progress(std::string label, int64_t total, Terminal terminal, std::string unit)
    : label_(std::move(label)),
      unit_(std::move(unit)),
      terminal_(std::move(terminal)),
      total_(total),
      start_(terminal_.seconds()),
      last_drawn_(start_) {}

Progress::~Progress() {
  if (on_screen_ && !finished_) *terminal_.out << kWipe << std::flush;
}

void Progress::advance(int64_t cases, std::string_view fields) {
  done_ += cases;
  if (!terminal_.interactive) return;
  fields_ = fields;
  const double time = terminal_.seconds();
  const bool due = !on_screen_ || time - last_drawn_ >= kRedraw;
  if (!due) return;
  last_drawn_ = time;
  on_screen_ = true;
  *terminal_.out << kWipe << drawn(terminal_.columns()) << std::flush;
}

void Progress::finish(std::string_view line) {
  if (on_screen_) *terminal_.out << kWipe;
  if (!line.empty()) *terminal_.out << line << '\n';
  *terminal_.out << std::flush;
  finished_ = true;
}

std::string Progress::drawn(int columns) const {
  const double elapsed = last_drawn_ - start_;
  const double rate = elapsed > 0 ? static_cast<double>(done_) / elapsed : 0;
  const double part =
      total_ > 0 ? std::min(1.0, static_cast<double>(done_) / static_cast<double>(total_)) : 0;
  const int64_t left = std::max<int64_t>(total_ - done_, 0);
  const std::string share = total_ > 0 ? fmt::format("{:3.0f}% ", std::floor(100 * part)) : "";
  const std::string head = label_ + "  " + share;
  const std::string count =
      total_ > 0 ? fmt::format("{}/{}  ", done_, total_) : fmt::format("{}  ", done_);
  std::string tail;
  if (rate > 0) tail += fmt::format("{:.{}f} {}/s  ", rate, rate < 10 ? 1 : 0, unit_);
  if (rate > 0 && total_ > 0)
    tail += fmt::format("{} left  ", duration(static_cast<double>(left) / rate));
  tail += fields_;

  // One column stays free: a full line would wrap in some terminals and could not be wiped. The bar
  // has the room that is left; where that is little, the count gives way to it, then the bar goes.
  const int limit = std::max(columns - 1, 1);
  const int room = limit - letters(head) - letters(tail) - 3;
  std::string line = head;
  if (total_ > 0 && room - letters(count) >= kShortBar) {
    line += bar(part, std::min(room - letters(count), kBar)) + count;
  } else if (total_ > 0 && room >= kShortBar) {
    line += bar(part, room);
  } else {
    line += count;
  }
  return shortened(line + tail, static_cast<size_t>(limit));
}

}  // namespace fovea::report
