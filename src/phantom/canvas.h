// An image being drawn in the coordinates of the patient.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

namespace fovea::phantom {

/// Patient coordinates of a radiograph: the detector is [-1, 1] x [-1, 1] at rest, x to the right
/// of the image, y down.
struct Point {
  double x = 0;
  double y = 0;
};

/// How the patient stands before the detector.
struct Pose {
  double angle = 0;  ///< radians
  double scale = 1;
  Point shift;

  Point to_patient(Point detector) const {
    const double x = detector.x - shift.x;
    const double y = detector.y - shift.y;
    const double c = std::cos(angle) / scale;
    const double s = std::sin(angle) / scale;
    return {c * x + s * y, c * y - s * x};
  }
  Point to_detector(Point patient) const {
    const double c = std::cos(angle) * scale;
    const double s = std::sin(angle) * scale;
    return {c * patient.x - s * patient.y + shift.x, s * patient.x + c * patient.y + shift.y};
  }
};

/// A smooth step: 0 well below zero, 1 well above.
inline double edge(double distance, double softness) {
  return 1 / (1 + std::exp(-distance / softness));
}

/// One plane of size x size values.
struct Canvas {
  Canvas(int64_t size, Pose pose)
      : size(size), pose(pose), values(static_cast<size_t>(size * size)) {}

  int64_t size;
  Pose pose;
  std::vector<float> values;

  Point detector(int64_t row, int64_t column) const {
    const double step = 2.0 / static_cast<double>(size);
    return {(static_cast<double>(column) + 0.5) * step - 1,
            (static_cast<double>(row) + 0.5) * step - 1};
  }

  /// value = change(value, where) for every pixel.
  template <class Change>
  void everywhere(const Change& change) {
    paint({0, 0}, 4, change);
  }

  /// The same for the pixels no farther than `reach` from `centre` (and a few more).
  template <class Change>
  void paint(Point centre, double reach, const Change& change) {
    const Point middle = pose.to_detector(centre);
    const double radius = reach * pose.scale;
    const int64_t top = pixel(middle.y - radius);
    const int64_t bottom = pixel(middle.y + radius);
    const int64_t left = pixel(middle.x - radius);
    const int64_t right = pixel(middle.x + radius);
    // Along a row the patient's coordinates advance by a constant.
    const Point origin = pose.to_patient({0, 0});
    const Point unit = pose.to_patient({1, 0});
    const Point advance{(unit.x - origin.x) * 2 / size, (unit.y - origin.y) * 2 / size};
    for (int64_t row = top; row <= bottom; ++row) {
      Point at = pose.to_patient(detector(row, left));
      float* value = values.data() + row * size + left;
      for (int64_t column = left; column <= right; ++column, ++value) {
        *value = static_cast<float>(change(*value, at));
        at.x += advance.x;
        at.y += advance.y;
      }
    }
  }

 private:
  int64_t pixel(double detector_coordinate) const {
    const double position = (detector_coordinate + 1) / 2 * static_cast<double>(size);
    return static_cast<int64_t>(std::clamp(position, 0.0, static_cast<double>(size - 1)));
  }
};

}  // namespace fovea::phantom
