#include "phantom/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace fovea::phantom {

namespace {

// 70/10/20 % of the patients of one label, but one of each where there are three.
void split(std::vector<PlannedPatient*> patients, Random& random) {
  random.shuffle(patients);
  const auto count = static_cast<double>(patients.size());
  const double least = count >= 3 ? 1 : 0;
  const auto test = static_cast<size_t>(std::max(least, std::round(0.2 * count)));
  const auto val = static_cast<size_t>(std::max(least, std::round(0.1 * count)));
  for (size_t i = 0; i < patients.size(); ++i)
    patients[i]->split = i < test ? "test" : i < test + val ? "val" : "train";
}

void plan_group(std::vector<PlannedPatient>& all, int64_t count, double prevalence,
                Random& random) {
  const size_t first = all.size();
  std::vector<char> ill(static_cast<size_t>(count));
  std::fill_n(ill.begin(), std::lround(prevalence * static_cast<double>(count)), 1);
  random.shuffle(ill);
  for (int64_t i = 0; i < count; ++i) {
    PlannedPatient planned;
    Patient& patient = planned.patient;
    patient.id = fmt::format("PHANTOM-{:04}", all.size() + 1);
    patient.lesions = ill[static_cast<size_t>(i)] != 0;
    // Age and sex say a little about the label, as they do in life.
    const double age = (patient.lesions ? 56 : 52) + 14 * random.normal();
    patient.age = std::clamp<int64_t>(std::llround(age), 18, 90);
    patient.sex = random.chance(patient.lesions ? 0.55 : 0.5) ? 'M' : 'F';
    all.push_back(planned);
  }
  for (const bool label : {false, true}) {
    std::vector<PlannedPatient*> same;
    for (size_t i = first; i < all.size(); ++i)
      if (all[i].patient.lesions == label) same.push_back(&all[i]);
    split(std::move(same), random);
  }
}

}  // namespace

Random stream(const PhantomOptions& options, Use use, uint64_t index) {
  return {static_cast<uint64_t>(options.seed), Purpose::phantom, static_cast<uint64_t>(use), index};
}

std::vector<PlannedPatient> plan_patients(const PhantomOptions& options) {
  std::vector<PlannedPatient> all;
  Random radiographs = stream(options, Use::plan, 0);
  plan_group(all, options.patients, options.prevalence, radiographs);
  Random volumes = stream(options, Use::plan, 1);
  plan_group(all, options.volumes, options.prevalence, volumes);
  return all;
}

std::string uid(const PhantomOptions& options, uint64_t type, uint64_t index) {
  Random random = stream(options, Use::uid, type << 32 | index);
  // The variant and version bits of a random UUID (RFC 9562, version 4).
  const uint64_t high = (random.seed64() & ~uint64_t{0xF000}) | 0x4000;
  const uint64_t low = (random.seed64() >> 2) | uint64_t{1} << 63;
  unsigned __int128 value = static_cast<unsigned __int128>(high) << 64 | low;
  std::string digits;
  for (; value != 0; value /= 10) digits += static_cast<char>('0' + static_cast<int>(value % 10));
  std::ranges::reverse(digits);
  return "2.25." + digits;
}

}  // namespace fovea::phantom
