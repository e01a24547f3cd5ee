// 240 radiographs in eight encodings, both polarities, three depths: all must be the PNG they were
// made from.
// Reference: tests/reference/nih_cxr_dicom.csv, by Pillow and pydicom (make_nih_cxr_dicom.py).
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "fovea/dicom/image.h"
#include "support/test_files.h"

namespace fovea::dicom {
namespace {

double physical(const Image& image, int64_t at) {
  switch (image.sample) {
    case Sample::u8:
      return image.data<uint8_t>()[at] * image.slope + image.intercept;
    case Sample::u16:
      return image.data<uint16_t>()[at] * image.slope + image.intercept;
    case Sample::i16:
      return image.data<int16_t>()[at] * image.slope + image.intercept;
    default:
      return image.data<float>()[at];
  }
}

struct Row {
  std::string file;
  int bits = 0;
  bool is_signed = false;
  double mean = 0, least = 0, most = 0;
  std::vector<std::pair<int64_t, double>> samples;  ///< pixel index, grey level
};

std::vector<Row> reference_rows() {
  std::ifstream stream(test::reference("nih_cxr_dicom.csv"));
  std::vector<int64_t> places;
  std::vector<Row> rows;
  for (std::string line; std::getline(stream, line);) {
    std::vector<std::string> cells;
    std::stringstream text(line);
    for (std::string cell; std::getline(text, cell, ',');) cells.push_back(cell);
    if (places.empty()) {
      for (size_t i = 8; i < cells.size(); ++i) {
        int r = 0, c = 0;
        EXPECT_EQ(std::sscanf(cells[i].c_str(), "r%dc%d", &r, &c), 2);
        places.push_back(r * 128 + c);
      }
      continue;
    }
    Row row{cells[0],
            std::stoi(cells[1]),
            cells[2] == "1",
            std::stod(cells[4]),
            std::stod(cells[5]),
            std::stod(cells[6]),
            {}};
    for (size_t i = 0; i < places.size(); ++i)
      row.samples.emplace_back(places[i], std::stod(cells[8 + i]));
    rows.push_back(row);
  }
  return rows;
}

/// In grey levels of 0..255 every file is within half a level of its PNG, whatever way it was read.
void expect_the_png(const ReadOptions& options, double tolerance) {
  const auto rows = reference_rows();
  ASSERT_EQ(rows.size(), 240u);
  for (const Row& row : rows) {
    SCOPED_TRACE(row.file);
    const Image image = read(test::test_data() / "nih_cxr/dicom" / row.file, options);
    ASSERT_EQ(image.samples(), 128 * 128);
    const double unit = options.window != WindowFrom::none ? 255
                        : row.is_signed                    ? 1
                                                           : 1.0 / (1 << (row.bits - 8));
    double sum = 0, least = 1e9, most = -1e9;
    for (int64_t i = 0; i < image.samples(); ++i) {
      const double level = physical(image, i) * unit;
      sum += level;
      least = std::min(least, level);
      most = std::max(most, level);
    }
    EXPECT_NEAR(sum / 16384, row.mean, tolerance);
    EXPECT_NEAR(least, row.least, tolerance);
    EXPECT_NEAR(most, row.most, tolerance);
    for (const auto& [at, level] : row.samples)
      EXPECT_NEAR(physical(image, at) * unit, level, tolerance);
  }
}

TEST(NihCxr, AllEncodingsAndPolaritiesAreTheirPng) {
  FOVEA_NEEDS_DATA("nih_cxr/dicom");
  expect_the_png({}, 0.5);
}

TEST(NihCxr, TheFilesOwnWindowShowsTheSameImage) {
  FOVEA_NEEDS_DATA("nih_cxr/dicom");
  ReadOptions options;
  options.window = WindowFrom::file_or_range;  // the 8-bit files give no window
  expect_the_png(options, 1.0);                // 255/4095 against 1/16
}

}  // namespace
}  // namespace fovea::dicom
