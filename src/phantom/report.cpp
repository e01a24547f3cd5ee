#include "phantom/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace fovea::phantom {
namespace {

constexpr double kSeen = 0.75;    // of radiographs with lesions, how many reports say so
constexpr double kCalled = 0.25;  // of radiographs without

constexpr const char* kNouns[] = {"nodule", "opacity", "mass", "lesion"};
constexpr const char* kLooks[] = {"round", "spiculated", "ill-defined", "ring-shaped"};
constexpr const char* kNormal[] = {"The heart is of normal size.",
                                   "No pleural effusion.",
                                   "The mediastinum is not widened.",
                                   "Degenerative changes of the spine.",
                                   "No pneumothorax.",
                                   "Monitoring leads overlie the chest.",
                                   "The costophrenic angles are sharp.",
                                   "Old rib fracture on the left."};

template <size_t N>
const char* one_of(const char* const (&all)[N], Random& random) {
  return all[random.below(N)];
}

/// A text that remembers where its entities stand. All of it is ASCII: bytes are code points.
class Writer {
 public:
  void say(std::string_view text) { report_.text += text; }
  void name(std::string_view text, const char* label) {
    if (!report_.entities.empty()) report_.entities += ", ";
    report_.entities += fmt::format("[{}, {}, \"{}\"]", report_.text.size(),
                                    report_.text.size() + text.size(), label);
    report_.text += text;
  }
  Report finish() && {
    report_.entities = "[" + report_.entities + "]";
    return std::move(report_);
  }

 private:
  Report report_;
};

std::string zone(double x, double y, int64_t size) {
  // A radiograph is seen from the front: the patient's left is on the right.
  const auto side = static_cast<double>(size);
  const char* height = y < 0.4 * side ? "upper" : y < 0.62 * side ? "middle" : "lower";
  return fmt::format("{} {} zone", x < 0.5 * side ? "right" : "left", height);
}

void normal_sentences(Writer& writer, int64_t count, Random& random) {
  for (int64_t i = 0; i < count; ++i) writer.say(std::string(" ") + one_of(kNormal, random));
}

void positive(Writer& writer, double millimetres, const std::string& where, Random& random) {
  const bool early = random.chance(0.5);
  writer.say(early ? " There is a " : " A ");
  writer.name(fmt::format("{:.0f} mm", std::max(3.0, millimetres)), "SIZE");
  writer.say(" ");
  writer.name(fmt::format("{} {}", one_of(kLooks, random), one_of(kNouns, random)), "FINDING");
  writer.say(early ? " in the " : " is seen in the ");
  writer.name(where, "SITE");
  writer.say(".");
}

void negative(Writer& writer, Random& random) {
  static constexpr const char* kForms[] = {" No {} is seen.", " There is no {} or consolidation.",
                                           " The {} described before is not seen any more."};
  writer.say(fmt::format(fmt::runtime(one_of(kForms, random)), one_of(kNouns, random)));
}

std::string number(double value, int digits) { return fmt::format("{:.{}f}", value, digits); }

}  // namespace

Report write_report(bool lesions, const std::vector<Finding>& found, int64_t size, Random& random) {
  Writer writer;
  writer.say("Chest radiograph, one view.");
  normal_sentences(writer, 1 + random.below(2), random);
  if (random.chance(lesions ? kSeen : kCalled)) {
    const double pixel_mm = 300.0 / static_cast<double>(size);
    if (!found.empty() && lesions) {
      const Finding& first = found[static_cast<size_t>(random.below(std::ssize(found)))];
      positive(writer, pixel_mm * static_cast<double>(std::max(first.width, first.height)),
               zone(static_cast<double>(first.x), static_cast<double>(first.y), size), random);
    } else {
      // As large, and where, as those that are there: the words alone must not tell.
      const auto side = static_cast<double>(size);
      positive(writer, std::clamp(35 + 9 * random.normal(), 19.0, 75.0),
               zone(random.uniform(0, side), random.uniform(0.15 * side, 0.63 * side), size),
               random);
    }
  } else {
    negative(writer, random);
  }
  normal_sentences(writer, 1 + random.below(2), random);
  return std::move(writer).finish();
}

std::vector<std::string> draw_labs(bool lesions, Random& random) {
  const double shift = lesions ? 1 : 0;
  std::vector<std::string> cells = {
      number(std::exp(1.6 + 0.45 * shift + 0.9 * random.normal()), 1),
      number(std::max(80.0, 190 + 22 * shift + 42 * random.normal()), 0),
      number(std::max(2.0, 7.2 + 0.5 * shift + 1.9 * random.normal()), 1),
      random.chance(lesions ? 0.5 : 0.3) ? "current"
      : random.chance(0.5)               ? "former"
                                         : "never"};
  for (std::string& cell : cells)
    if (random.chance(1.0 / 12)) cell.clear();
  return cells;
}

}  // namespace fovea::phantom
