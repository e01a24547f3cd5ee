#include "fovea/report/svg.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "fovea/storage/text.h"

namespace fovea::report {
namespace {

/// Coordinates to a hundredth of a pixel, without trailing zeros.
std::string px(double value) { return fmt::format("{:g}", std::round(value * 100) / 100 + 0.0); }

/// Bytes of the letter that `text` begins with; 0 where it is not valid UTF-8.
size_t utf8_length(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text.front());
  const size_t length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  return storage::valid_utf8(text.substr(0, length)) == length ? length : 0;
}

/// Text as XML takes it: markup escaped, control characters and bytes that are not valid UTF-8
/// shown as U+FFFD.
std::string escaped(std::string_view text) {
  std::string result;
  for (size_t i = 0; i < text.size();) {
    const size_t length = utf8_length(text.substr(i));
    const char c = text[i];
    if (length == 0 || (length == 1 && static_cast<unsigned char>(c) < 0x20)) {
      result += "\xEF\xBF\xBD";
    } else if (c == '&') {
      result += "&amp;";
    } else if (c == '<') {
      result += "&lt;";
    } else if (c == '>') {
      result += "&gt;";
    } else if (c == '"') {
      result += "&quot;";
    } else {
      result += text.substr(i, length);
    }
    i += std::max<size_t>(length, 1);
  }
  return result;
}

std::string attributes(const Stroke& stroke) {
  std::string text =
      fmt::format("stroke=\"{}\" stroke-width=\"{}\"", stroke.color, px(stroke.width));
  if (!stroke.dash.empty()) text += fmt::format(" stroke-dasharray=\"{}\"", stroke.dash);
  return text;
}

std::string listed(std::span<const Point> points) {
  std::string text;
  for (const Point& point : points) {
    if (!text.empty()) text += ' ';
    text += px(point.x) + ',' + px(point.y);
  }
  return text;
}

}  // namespace

Svg::Svg(double width, double height, std::string_view title)
    : width_(width), height_(height), title_(title) {}

void Svg::line(Point from, Point to, const Stroke& stroke) {
  body_ += fmt::format("<line x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\" {}/>\n", px(from.x),
                       px(from.y), px(to.x), px(to.y), attributes(stroke));
}

void Svg::polyline(std::span<const Point> points, const Stroke& stroke) {
  if (points.empty()) return;
  body_ += fmt::format(
      "<polyline points=\"{}\" fill=\"none\" stroke-linejoin=\"round\" stroke-linecap=\"round\" "
      "{}/>\n",
      listed(points), attributes(stroke));
}

void Svg::polygon(std::span<const Point> points, std::string_view fill, double opacity) {
  body_ += fmt::format("<polygon points=\"{}\" fill=\"{}\" fill-opacity=\"{}\"/>\n", listed(points),
                       fill, px(opacity));
}

void Svg::rectangle(Point corner, double width, double height, std::string_view fill,
                    std::string_view border) {
  body_ += fmt::format(
      "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"{}\" stroke=\"{}\"/>\n",
      px(corner.x), px(corner.y), px(width), px(height), fill, border);
}

void Svg::circle(Point center, double radius, std::string_view fill, std::string_view border) {
  body_ += fmt::format(
      "<circle cx=\"{}\" cy=\"{}\" r=\"{}\" fill=\"{}\" stroke=\"{}\" stroke-width=\"1.5\"/>\n",
      px(center.x), px(center.y), px(radius), fill, border);
}

void Svg::text(Point at, std::string_view text, const TextStyle& style) {
  constexpr std::array kAnchors{"start", "middle", "end"};
  const std::string turn = style.degrees == 0 ? ""
                                              : fmt::format(" transform=\"rotate({} {} {})\"",
                                                            px(style.degrees), px(at.x), px(at.y));
  body_ += fmt::format(
      "<text x=\"{}\" y=\"{}\" font-size=\"{}\" fill=\"{}\" text-anchor=\"{}\"{}{}>{}</text>\n",
      px(at.x), px(at.y), px(style.size), style.color, kAnchors[static_cast<size_t>(style.anchor)],
      style.bold ? " font-weight=\"600\"" : "", turn, escaped(text));
}

std::string Svg::finish() const {
  return fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} "
      "{1}\" role=\"img\" "
      "font-family=\"system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', 'Liberation "
      "Sans', Arial, "
      "sans-serif\">\n"
      "<title>{2}</title>\n"
      "<rect width=\"{0}\" height=\"{1}\" fill=\"#ffffff\"/>\n{3}</svg>\n",
      px(width_), px(height_), escaped(title_), body_);
}

std::string color_of_series(size_t index) {
  constexpr std::array kOkabeIto{"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                 "#e69f00", "#56b4e9", "#7f7f7f"};
  return kOkabeIto[index % kOkabeIto.size()];
}

std::string shade(double part) {
  constexpr std::array<std::array<double, 3>, 3> kStops{
      {{255, 255, 255}, {107, 174, 214}, {8, 69, 130}}};
  const double place = std::clamp(part, 0.0, 1.0) * 2;
  const size_t from = place < 1 ? 0 : 1;
  std::array<int, 3> rgb{};
  for (size_t c = 0; c < 3; ++c) {
    rgb[c] = static_cast<int>(std::lround(
        std::lerp(kStops[from][c], kStops[from + 1][c], place - static_cast<double>(from))));
  }
  return fmt::format("#{:02x}{:02x}{:02x}", rgb[0], rgb[1], rgb[2]);
}

double text_width(std::string_view text, double size) {
  // After DejaVu Sans, the widest of the fonts that "system-ui" may mean.
  double ems = 0;
  for (size_t i = 0; i < text.size();) {
    const char c = text[i];
    const bool narrow = std::string_view("iljtf.,:;|'()[] ").find(c) != std::string_view::npos;
    const bool wide = (c >= 'A' && c <= 'Z') || c == 'm' || c == 'w' || c == '%';
    ems += narrow ? 0.35 : wide ? 0.8 : 0.61;
    i += std::max<size_t>(utf8_length(text.substr(i)), 1);
  }
  return ems * size;
}

std::string shortened(std::string_view text, size_t letters) {
  size_t seen = 0, cut = 0;
  for (size_t i = 0; i < text.size(); ++seen) {
    if (seen + 1 == letters) cut = i;
    i += std::max<size_t>(utf8_length(text.substr(i)), 1);
  }
  return seen <= letters ? std::string(text) : std::string(text.substr(0, cut)) + "…";
}

}  // namespace fovea::report
