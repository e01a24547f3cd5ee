// A small chart writer: a page of SVG in pixels, and a panel on it whose axes turn data into
// pixels.
//
// The page stands alone: no style sheet, no script, no font of its own. Text is escaped, whatever
// it holds.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fovea/core/standard_library.h"

namespace fovea::report {

struct Point {
  double x = 0;
  double y = 0;
};

struct Stroke {
  std::string color = "#333333";
  double width = 1;       ///< pixels
  std::string dash = {};  ///< "4 3": dashes and gaps in pixels; empty is solid
};

enum class Anchor { start, middle, end };

struct TextStyle {
  double size = 13;  ///< pixels
  std::string color = "#333333";
  Anchor anchor = Anchor::start;
  bool bold = false;
  double degrees = 0;  ///< turned clockwise around the anchor
};

/// The colours of Okabe and Ito (2008), told apart by colour-blind readers; they repeat after
/// seven.
std::string color_of_series(size_t index);
/// From white (0) to a dark blue (1), even in lightness.
std::string shade(double part);

/// The width of a line of text in the usual sans-serif fonts, estimated: good for boxes around
/// legends.
double text_width(std::string_view text, double size);
/// At most `letters` letters of UTF-8 text, the last one an ellipsis where it was cut.
std::string shortened(std::string_view text, size_t letters);

/// A page. (0, 0) is the upper left corner.
class Svg {
 public:
  Svg(double width, double height, std::string_view title);

  void line(Point from, Point to, const Stroke& stroke);
  void polyline(std::span<const Point> points, const Stroke& stroke);
  void polygon(std::span<const Point> points, std::string_view fill, double opacity = 1);
  void rectangle(Point corner, double width, double height, std::string_view fill,
                 std::string_view border = "none");
  void circle(Point center, double radius, std::string_view fill, std::string_view border = "none");
  void text(Point at, std::string_view text, const TextStyle& style = {});

  std::string finish() const;  ///< the whole document

 private:
  std::string body_;
  double width_, height_;
  std::string title_;
};

struct Axis {
  std::string label = {};
  double low = 0;
  double high = 1;
  bool integers = false;  ///< ticks on whole numbers only
  bool labelled_ticks = true;
};

/// Round numbers (1, 2, 2.5 or 5 times a power of ten) from low to high, about `wanted` of them.
std::vector<double> nice_ticks(double low, double high, int wanted, bool integers = false);
/// An axis that holds all values with round ends; a single value gets room on both sides.
Axis axis_around(std::string label, std::span<const double> values);

/// A rectangle of the page with axes. Draws its grid, ticks and labels when made.
class Panel {
 public:
  struct Area {
    double left, top, width, height;  ///< of the plotted area; ticks and labels lie outside it
  };
  struct Entry {
    std::string text;
    Stroke stroke;
    bool dot = false;  ///< a filled circle in place of a line
  };

  Panel(Svg& page, Area area, Axis x, Axis y);

  Point at(Point data) const;  ///< in pixels
  const Axis& y() const { return y_; }
  /// Points closer than half a pixel to the one before are left out; NaN interrupts the line.
  void line(std::span<const Point> data, const Stroke& stroke);
  void marker(Point data, std::string_view fill, double radius, std::string_view border = "none");
  void bar(double from, double to, double height, std::string_view fill);

  /// A boxed legend in the corner where it hides least: `right` and `bottom` choose it.
  void legend(std::span<const Entry> entries, bool right, bool bottom);
  /// The same without a box, from the given point of the page down.
  void legend_at(Point corner, std::span<const Entry> entries);

 private:
  void entries(Point corner, std::span<const Entry> entries);

  Svg& page_;
  Area area_;
  Axis x_, y_;
};

}  // namespace fovea::report
