// Image files that are not DICOM, and files that cannot be opened: A01 to A04 and A08 to A13.
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>

#include "bad_input/made.h"
#include "support/jpeg_bytes.h"

namespace fovea::test {
namespace {

std::string big_endian(uint32_t value) {
  std::string text;
  for (int i = 3; i >= 0; --i) text += static_cast<char>(value >> (8 * i) & 0xFF);
  return text;
}

std::string png_chunk(const std::string& type, const std::string& body) {
  const std::string all = type + body;
  const auto crc =
      crc32(0, reinterpret_cast<const Bytef*>(all.data()), static_cast<uInt>(all.size()));
  return big_endian(static_cast<uint32_t>(body.size())) + all +
         big_endian(static_cast<uint32_t>(crc));
}

void a01(Trial& t) {
  const std::string size = big_endian(60000);
  const std::string png = "\x89PNG\r\n\x1a\n" +
                          png_chunk("IHDR", size + size + std::string("\x08\0\0\0\0", 5)) +
                          png_chunk("IDAT", "x") + png_chunk("IEND", "");
  t.inspect(3, "huge.png", png, {"60000 x 60000", "3600000000 bytes", "data.max_decoded_mb"});
  JpegBytes made;
  made.values = {{100}};
  std::string jpeg = made.file();
  const size_t frame = jpeg.find("\xFF\xC0");
  jpeg.replace(frame + 5, 4, "\xEA\x60\xEA\x60");
  t.inspect(3, "huge.jpg", jpeg, {"60000 x 60000", "3600000000 bytes", "data.max_decoded_mb"});
}

void a03(Trial& t) {
  t.inspect(3, "cmyk.jpg", read_text(reference("images/cmyk.jpg")), {"CMYK", "RGB"});
  t.inspect(0, "alpha.png", read_text(reference("images/rgba8.png")), {"alpha", "dropped"});
  t.inspect(0, "palette.png", read_text(reference("images/palette.png")), {"palette", "RGB"});
  t.inspect(0, "turned.jpg", read_text(reference("images/turned.jpg")), {"EXIF", "orientation"});
}

void a04(Trial& t) {
  for (const char* name : {"images/rgb.jpg", "images/progressive.jpg", "images/grey.jpg"}) {
    const std::string whole = read_text(reference(name));
    t.inspect(3, "half.jpg", whole.substr(0, whole.size() / 2),
              {std::to_string(whole.size() / 2) + " bytes", "end", "copy"});
  }
}

void a11(Trial& t) {
  t.write("locked.dcm", ramp().file());
  chmod(t.path("locked.dcm").c_str(), 0);
  fs::create_directory(t.path("folder.dcm"));
  fs::create_symlink("absent.dcm", t.path("dangling.dcm"));
  fs::create_symlink("loop.dcm", t.path("loop.dcm"));
  mkfifo(t.path("fifo.dcm").c_str(), 0600);
  struct Bad {
    std::string name, says;
  };
  const std::vector<Bad> bad{{"folder.dcm", "a folder"},     {"dangling.dcm", "link"},
                             {"loop.dcm", "symbolic links"}, {"fifo.dcm", "a FIFO"},
                             {"/dev/zero", "a device"},      {"locked.dcm", "Permission denied"}};
  for (const Bad& one : bad) {
    if (one.name != "folder.dcm")  // which inspect takes for a run
      t.expect(4, {"inspect", one.name}, {one.name, one.says}, {.seconds = 20, .obedient = true});
    t.expect(4,
             {"train",
              image_config(
                  t,
                  [&] {
                    Texts names = good_images(t, 9);
                    names.insert(names.begin(), one.name);
                    return names;
                  }(),
                  "  allow_outside_root: true\n"),
              "--out", "run", "--device", "cpu"},
             {one.name, one.says}, {.seconds = 20, .obedient = true});
    fs::remove_all(t.path("run"));
  }
}

void a12(Trial& t) {
  for (const bool removed : {false, true}) {
    const std::string config = image_config(t, good_images(t));
    const auto change = [&](int) {
      if (removed)
        fs::remove(t.path("g0.dcm"));
      else
        t.write("g0.dcm", ramp().file() + std::string(100, 'x'));
    };
    const std::string out = removed ? "removed" : "changed";
    const auto size = std::to_string(ramp().file().size());
    const Texts texts =
        removed ? Texts{"g0.dcm", "No such file", size + " bytes when it was listed", "epoch "}
                : Texts{"g0.dcm",   std::to_string(ramp().file().size() + 100) + " bytes",
                        "modified", "wanted " + size + " bytes",
                        "listed",   "epoch "};
    t.expect(4, {"train", config, "--out", out, "--device", "cpu", "--set", "train.epochs=100000"},
             texts, {.meanwhile = when(t.path(out) / "metrics.csv", "\n1,", change)});
  }
}

void a13(Trial& t) {
  const std::string latin = "r\xF6ntgen \xFF.dcm", longest = std::string(251, 'n') + ".dcm";
  std::string deep;  // 4,000 bytes
  while (deep.size() + 201 + t.path("").string().size() < 4000) deep += std::string(200, 'd') + "/";
  t.write(latin, ramp().file());
  t.write(longest, ramp().file());
  t.accepted({"inspect", longest}, {longest});
  fs::create_directories(t.path("in"));
  t.write("in/" + latin, ramp().file());
  t.write("in/" + longest, ramp(1).file());
  const fs::path before = fs::current_path();
  fs::create_directories(t.path("deep"));
  fs::current_path(t.path("deep"));
  for (size_t i = 0; i + 201 <= deep.size(); i += 201) {
    fs::create_directory(std::string(200, 'd'));
    fs::current_path(std::string(200, 'd'));
  }
  std::ofstream("x.dcm", std::ios::binary) << ramp(2).file();
  fs::current_path(before);
  const Answer answer = t.accepted({"infer", image_run().run, "in", "deep", "--out", "a.csv"});
  const std::string csv = t.read("a.csv");
  t.check(std::ranges::count(csv, '\n') == 4, "not three answers: " + csv.substr(0, 1000));
  t.check(csv.find("r\xF6ntgen \xFF") != std::string::npos ||
              csv.find("r\\xf6ntgen \\xff") != std::string::npos,
          "the name is not in the CSV: " + csv.substr(0, 1000));
  t.write("in/bad\xF6.dcm", "no image");
  t.expect(3, {"infer", image_run().run, "in"}, {"bad\\xf6.dcm"});
  std::error_code ignored;
  fs::remove_all(t.path("deep"), ignored);
}

}  // namespace

Rows image_rows() {
  return {
      {"A01", "a PNG and a JPEG of 60000 x 60000", a01},
      {"A02", "a PNG of 16 bits",
       [](Trial& t) {
         t.inspect(0, "deep.png", read_text(reference("images/grey16.png")),
                   {"PNG", "16 bits", "0 to 59500"});
         t.contains({.out = read_text(image_run().run + "/config.yaml")},
                    {"scale:", "mode: range"});
       }},
      {"A03", "CMYK, alpha, a palette, an EXIF orientation", a03},
      {"A04", "a JPEG cut in half", a04},
      {"A08", "NIfTI headers that cannot be", nullptr},
      {"A09", "an image and a mask of other size", nullptr},
      {"A10", "a mask with a value that is no class", nullptr},
      {"A11", "what is not a readable regular file", a11},
      {"A12", "a file that changes during the run", a12},
      {"A13", "names that are not UTF-8, or long", a13},
  };
}

}  // namespace fovea::test
