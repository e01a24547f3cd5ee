#include <fmt/format.h>

#include <algorithm>

#include "fovea/core/error.h"
#include "fovea/storage/file.h"
#include "report/page/numbers.h"
#include "report/page/parts.h"
#include "report/page/words.h"

namespace fovea::report::page {
namespace {

constexpr size_t kMostCases = 40;  // of a target

struct Thumbnail {
  Html image;  // empty where there is none
  bool no_room = false;
};

uint32_t big_endian(std::string_view bytes) {
  uint32_t value = 0;
  for (const char byte : bytes.substr(0, 4)) value = value << 8 | static_cast<unsigned char>(byte);
  return value;
}

Thumbnail thumbnail(const std::filesystem::path& path, std::string_view alt, Setting& setting) {
  if (path.empty()) return {};
  if (setting.images_left <= 0) return {{}, true};
  std::string png;
  try {
    if (!storage::exists(path)) return {};
    png = storage::read_file(path, static_cast<int64_t>(setting.image_bytes));
  } catch (const Error& error) {
    return {{}, error.fault() == Fault::data};  // larger than what is left
  }
  if (png.size() < 33 || !png.starts_with("\x89PNG\r\n\x1a\n")) return {};
  const size_t bytes = png.size() / 3 * 4 + 300;
  if (bytes > setting.image_bytes) return {{}, true};
  setting.image_bytes -= bytes;
  --setting.images_left;
  const std::string_view header = std::string_view(png).substr(16, 8);
  return {html(R"(<img alt="{}" width="{}" height="{}" src="data:image/png;base64,{}">)",
               {alt, int64_t{big_endian(header)}, int64_t{big_endian(header.substr(4))},
                Html::markup(base64(png))}),
          false};
}

/// A path as a link: what is no letter, digit or one of -._~/ is written as %XX, so that it can be
/// nothing but a path.
std::string address(const std::string& link) {
  for (const char* scheme : {"file:///", "https://", "http://"})
    if (link.starts_with(scheme)) return link;
  constexpr std::string_view kPlain =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/";
  std::string path = link.starts_with("//") ? "." : "";
  for (const char c : link) {
    if (kPlain.find(c) != std::string_view::npos)
      path += c;
    else
      path += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return path;
}

Html case_of(const Node& failure, const Html& image, bool links) {
  const std::string id = failure.text("id"), type = failure.text("type");
  Html name = html("<bdi>{}</bdi>", {id});
  if (links && failure.has("link"))
    name = html("<a href=\"{}\">{}</a>", {address(failure.text("link")), name});
  const std::string of = failure.text_or("class", "");
  return html(
      R"(<li>{}<div><p class="id">{}</p><p><span class="tag">{}</span>{}</p><dl><div><dt>Truth</dt><dd>{}</dd></div><div><dt>Answer</dt><dd>{}</dd></div><div><dt>{}</dt><dd>{}</dd></div></dl></div></li>
)",
      {image, name, type, of.empty() ? Html() : html(" <bdi>{}</bdi>", {of}), failure.text("truth"),
       failure.text("answer"), type == "number" ? "Error" : "Margin",
       digits(failure.number("margin")).value});
}

}  // namespace

Html failures(const Node& target, Setting& setting) {
  const auto all = target.items("failures");
  if (all.empty()) return {};
  const size_t shown = std::min(all.size(), kMostCases);
  Html list;
  int64_t no_room = 0;
  for (size_t i = 0; i < shown; ++i) {
    const Node& failure = all[i];
    Thumbnail picture;
    if (setting.images && failure.has("image")) {
      const std::string alt = fmt::format("Case {}: truth {}, answer {}", failure.text("id"),
                                          failure.text("truth"), failure.text("answer"));
      picture = thumbnail(below(setting.folder, failure.text("image")), alt, setting);
      no_room += picture.no_room ? 1 : 0;
      if (picture.image.empty()) {
        picture.image = html("<p class=\"missing\">{}</p>",
                             {picture.no_room ? "thumbnail left out" : "no thumbnail"});
      }
    }
    list += case_of(failure, picture.image, setting.images);
  }
  Html part =
      html("<p>The cases that were decided wrongly by the widest margin, the worst first.</p>\n");
  if (!setting.images)
    part += html("<p class=\"small\">Thumbnails and links were left out of this page.</p>\n");
  if (no_room > 0) {
    part += html("<p class=\"small\">{} left out, to keep this page small.</p>\n",
                 {counted(no_room, "more thumbnail was", "more thumbnails were")});
  }
  if (all.size() > shown) {
    part +=
        html("<p class=\"small\">{} in report.json.</p>\n",
             {counted(static_cast<int64_t>(all.size() - shown), "more case is", "more cases are")});
  }
  return part += html("<ul class=\"gallery\">\n{}</ul>\n", {list});
}

}  // namespace fovea::report::page
