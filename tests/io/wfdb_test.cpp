// WFDB records against files written here byte by byte, and the public record against numbers that
// its owners and tests/reference/make_wfdb.py decoded.
#include "fovea/io/wfdb.h"

#include <gmock/gmock.h>

#include <cmath>
#include <functional>
#include <nlohmann/json.hpp>

#include "fovea/core/error.h"
#include "fovea/storage/csv.h"
#include "support/test_files.h"

namespace fovea::io {
namespace {

using test::TempFolder;
using testing::ElementsAre;
using testing::HasSubstr;
using namespace std::string_literals;

std::string words(std::initializer_list<int> values) {
  std::string bytes;
  for (const int value : values) {
    bytes += static_cast<char>(value & 0xff);
    bytes += static_cast<char>(value >> 8 & 0xff);
  }
  return bytes;
}

std::string refusal(const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& error) {
    EXPECT_EQ(error.fault(), Fault::data) << error.what();
    return error.what();
  }
  return "accepted";
}

TEST(Wfdb, Format16IsTwoBytesASampleAndSignalsAlternate) {
  const TempFolder folder;
  folder.write("r.dat", "??" + words({1, -2, 300, -32768, 5, 6}));
  const auto header = folder.write("r.hea",
                                   "# of the tests\r\nr 2 100/1(0) 3 12:00:00\r\n"
                                   "r.dat 16+2 100(1)/uV 16 0 1 306 0 lead one\r\n"
                                   "\r\nr.dat 16+2 0 16 2\r\n#end\r\n");
  const WfdbRecord record = read_wfdb(header);
  EXPECT_EQ(record.header.record, "r");
  EXPECT_EQ(record.header.frequency, 100);
  EXPECT_EQ(record.header.samples, 3);
  EXPECT_EQ(record.header.signals[0].name, "lead one");
  EXPECT_EQ(record.header.signals[0].units, "uV");
  EXPECT_THAT(record.stored, ElementsAre(1, -2, 300, -32768, 5, 6));
  EXPECT_DOUBLE_EQ(record.value(1, 0), 2.99);   // (300 - 1) / 100
  EXPECT_DOUBLE_EQ(record.value(2, 1), 0.02);   // the default gain 200, zero 2
  EXPECT_TRUE(std::isnan(record.value(1, 1)));  // the mark of no sample
}

TEST(Wfdb, Format212PacksTwoSamplesIntoThreeBytes) {
  const TempFolder folder;
  // 0x123 and 0xfff = -1; 0x800 = -2048, the mark of no sample, and 0x7ff = 2047; 5 alone.
  folder.write("r.dat", std::string("\x23\xf1\xff\x00\x78\xff\x05\x00", 8));
  const auto header = folder.write("r.hea", "r 1 360 5\nr.dat 212 1\n");
  const WfdbRecord record = read_wfdb(header);
  EXPECT_THAT(record.stored, ElementsAre(0x123, -1, -2048, 2047, 5));
  EXPECT_TRUE(std::isnan(record.value(2, 0)));
  folder.write("r.hea", "r 1 360\nr.dat 212 1\n");  // as many as the file holds
  EXPECT_THAT(read_wfdb(header).stored, ElementsAre(0x123, -1, -2048, 2047, 5));
}

TEST(Wfdb, HeadersThatLieAreRefused) {
  const TempFolder folder;
  folder.write("r.dat", words({1, 2, 3, 4}));
  const auto message = [&](const std::string& header) {
    const auto path = folder.write("r.hea", header);
    return refusal([&] { read_wfdb(path); });
  };
  EXPECT_THAT(message("r 1 100 4\nr.dat 16 1 16 0 1 10\n"), "accepted");
  for (const auto& [header, wanted] : std::vector<std::pair<std::string, std::string>>{
           {"r 1 100 5\nr.dat 16 1\n", "found 8 bytes, wanted 10 for 5 samples of 1 signals"},
           {"r 1 100 900000000000\nr.dat 16 1\n", "found 8 bytes"},
           {"r 1 100 99999999999999\nr.dat 16 1\n", "number of samples"},
           {"r 1 100 4\nr.dat 16 1 16 0 7\n", "found the first sample 1, the header says 7"},
           {"r 1 100 4\nr.dat 16 1 16 0 1 11\n", "found the checksum 10, the header says 11"},
           {"r 2 100 2\nr.dat 16 1\n", "found 1 signal lines, wanted 2"},
           {"r 2 100 2\nr.dat 16 1\nr.dat 212 1\n", "two formats"},
           {"r 999999 100 2\n", "number of signals"},
           {"r -1 100 2\n", "number of signals"},
           {"r/3 1 100 2\n", "several segments"},
           {"r 1 0 4\nr.dat 16 1\n", "sampling frequency"},
           {"r 1 nan 4\nr.dat 16 1\n", "sampling frequency"},
           {"r 1 100 4\nr.dat 80 1\n", "found the format '80', wanted 16 or 212"},
           {"r 1 100 4\nr.dat 16x4 1\n", "one sample per frame"},
           {"r 1 100 4\nr.dat 16:3 1\n", "no skew"},
           {"r 1 100 4\nr.dat 16+99999 1\n", "found 0 bytes"},
           {"r 1 100 4\nr.dat 16+-1 1\n", "format"},
           {"r 1 100 4\n../r.dat 16 1\n", "line 2: wanted a signal file beside the header"},
           {"r 1 100 4\nr.dat 16 much\n", "wanted a gain"},
           {"# nothing\n", "no record line"},
           {"", "no record line"}})
    EXPECT_THAT(message(header), HasSubstr(wanted)) << header;
  folder.write("r.dat", "");
  EXPECT_THAT(message("r 1 100\nr.dat 16 1\n"), HasSubstr("found 0 bytes"));
}

TEST(Wfdb, AnnotationsHaveTimesSymbolsAndTexts) {
  const TempFolder folder;
  const std::string bytes = words({28 << 10 | 18, 63 << 10 | 3}) + "(N\0\0"s.substr(0, 4) +
                            words({1 << 10 | 59, 61 << 10 | 2, 62 << 10 | 1,  // N at 77
                                   59 << 10, 1, 0, 5 << 10 | 3,               // V 65536 + 3 later
                                   60 << 10 | 1023, 49 << 10 | 1, 0}) +
                            "what follows the end";
  const auto found = read_wfdb_annotations(folder.write("r.atr", bytes)).all;
  ASSERT_EQ(found.size(), 4u);
  EXPECT_EQ(found[0].sample, 18);
  EXPECT_EQ(found[0].symbol, "+");
  EXPECT_EQ(found[0].aux, "(N");
  EXPECT_EQ(found[1].sample, 77);
  EXPECT_EQ(found[1].symbol, "N");
  EXPECT_EQ(found[1].subtype, 2);
  EXPECT_EQ(found[1].channel, 1);
  EXPECT_EQ(found[2].sample, 77 + 65536 + 3);
  EXPECT_EQ(found[2].symbol, "V");
  EXPECT_EQ(found[2].subtype, 0);  // of one annotation only
  EXPECT_EQ(found[2].channel, 1);  // until another is said
  EXPECT_EQ(found[2].number, -1);
  EXPECT_EQ(found[3].symbol, "[49]");
}

/// A note (code 22) at the place of the annotation before, with its text.
std::string note(const std::string& text) {
  return words({22 << 10, 63 << 10 | static_cast<int>(text.size())}) + text +
         (text.size() % 2 ? "\0"s : ""s);
}

TEST(Wfdb, AnnotationsCountTheTicksThatTheFileNames) {
  const TempFolder folder;
  const auto found = read_wfdb_annotations(folder.write(
      "r.atr", note("## time resolution: 250") + words({1 << 10 | 250, 5 << 10 | 556, 0})));
  ASSERT_EQ(found.all.size(), 2u);
  EXPECT_EQ(found.resolution, 250);
  EXPECT_EQ(found.all[0].sample, 250);
  // A second, and 3.224 seconds, at 360 a second; the nearest sample.
  EXPECT_EQ(found.at(360)[0].sample, 360);
  EXPECT_EQ(found.at(360)[1].sample, 1161);  // 1160.64
  EXPECT_EQ(found.at(360)[1].symbol, "V");
  const auto plain = read_wfdb_annotations(folder.write("p.atr", words({1 << 10 | 250, 0})));
  EXPECT_EQ(plain.at(360)[0].sample, 250);
  const auto slow = read_wfdb_annotations(
      folder.write("s.atr", note("## time resolution: 1e-300") + words({1 << 10 | 250, 0})));
  EXPECT_THAT(refusal([&] { slow.at(360); }), HasSubstr("tick 250 of 1e-300 a second"));
}

TEST(Wfdb, AnnotationsHaveSymbolsOfTheirOwn) {
  const TempFolder folder;
  const auto found = read_wfdb_annotations(
      folder.write("r.atr", note("## annotation type definitions") +
                                note("42 zz a beat of this file") + note("## end of definitions") +
                                note("## time resolution: 360.5") + words({42 << 10 | 7}) +
                                note("a remark") + words({0 << 10 | 3, 1 << 10 | 1, 0})));
  ASSERT_EQ(found.all.size(), 3u);
  EXPECT_EQ(found.resolution, 360.5);
  EXPECT_EQ(found.all[0].symbol, "zz");
  EXPECT_EQ(found.all[1].symbol, "\"");  // a note that defines nothing
  EXPECT_EQ(found.all[1].aux, "a remark");
  EXPECT_EQ(found.all[2].sample, 11);  // a code of 0 only carries time
  for (const char* bad : {"## time resolution: fast",
                          "## time resolution:", "## time resolution: 0", "## time resolution: -1"})
    EXPECT_THAT(refusal([&] { read_wfdb_annotations(folder.write("b.atr", note(bad) + "\0\0"s)); }),
                HasSubstr("time resolution"))
        << bad;
}

TEST(Wfdb, SignalsAreTheirPositionsAndNamesOnlyLabels) {
  const TempFolder folder;
  const auto labels = [&](const std::string& signals) {
    return read_wfdb_header(folder.write("r.hea", "r 3 100 2\n" + signals)).labels();
  };
  EXPECT_THAT(labels("a 16 1 16 0 0 0 0 I\na 16 1 16 0 0 0 0 II\na 16 1 16 0 0 0 0 V1\n"),
              ElementsAre("I", "II", "V1"));
  EXPECT_THAT(labels("a 16\na 16 1\na 16 1 16 0 0 0 0 V1\n"),
              ElementsAre("signal 1", "signal 2", "V1"));
  EXPECT_THAT(labels("a 16 1 16 0 0 0 0 E\na 16 1 16 0 0 0 0 I\na 16 1 16 0 0 0 0 E\n"),
              ElementsAre("E (signal 1)", "I", "E (signal 3)"));
  EXPECT_THAT(labels("a 16 1 16 0 0 0 0 signal 2\na 16 1\na 16 1\n"),
              ElementsAre("signal 2", "signal 2'", "signal 3"));
}

TEST(Wfdb, AGainOfZeroOrNoneIsNotCalibrated) {
  const TempFolder folder;
  const auto header =
      read_wfdb_header(folder.write("r.hea", "r 3 100 2\na 16\na 16 0/mV\na 16 200/mV\n"));
  EXPECT_FALSE(header.signals[0].calibrated);
  EXPECT_FALSE(header.signals[1].calibrated);
  EXPECT_TRUE(header.signals[2].calibrated);
}

TEST(Wfdb, AFileThatIsLongerThanItsHeaderSaysNeedsAChecksum) {
  const TempFolder folder;
  folder.write("r.dat", words({1, 2, 3, 4}));
  const auto message = [&](const std::string& signal) {
    const auto path = folder.write("r.hea", "r 1 100 2\n" + signal);
    return refusal([&] { read_wfdb(path); });
  };
  EXPECT_THAT(message("r.dat 16 1\n"), HasSubstr("found 8 bytes, the header says 4"));
  EXPECT_EQ(message("r.dat 16 1 16 0 1 3\n"), "accepted");                // 1 + 2
  EXPECT_THAT(message("r.dat 16 1 16 0 1 10\n"), HasSubstr("checksum"));  // of all four
}

TEST(Wfdb, AnnotationsThatAreCutOffAreRefused) {
  const TempFolder folder;
  const auto message = [&](const std::string& bytes) {
    const auto path = folder.write("r.atr", bytes);
    return refusal([&] { read_wfdb_annotations(path); });
  };
  EXPECT_EQ(message(words({1 << 10 | 5, 0})), "accepted");
  EXPECT_THAT(message(""), HasSubstr("cut off"));
  EXPECT_THAT(message(words({1 << 10 | 5})), HasSubstr("byte 2: the file is cut off"));
  EXPECT_THAT(message(words({1 << 10 | 5}) + "x"), HasSubstr("cut off"));
  EXPECT_THAT(message(words({1 << 10 | 5, 63 << 10 | 100}) + "x"), HasSubstr("in the text"));
  EXPECT_THAT(message(words({59 << 10, 0})), HasSubstr("cut off"));
  EXPECT_THAT(message(words({59 << 10, -1, -9, 1 << 10, 0})), HasSubstr("before the first one"));
  EXPECT_THAT(message(words({61 << 10 | 1, 0})), HasSubstr("before the first one"));
}

/// Writes the files of an entry of wfdb_records.json, whose bytes stand there as hexadecimal digits.
void write_files(const TempFolder& folder, const nlohmann::json& files) {
  for (const auto& [name, digits] : files.items()) {
    const auto text = digits.get<std::string>();
    std::string bytes;
    for (size_t i = 0; i < text.size(); i += 2)
      bytes += static_cast<char>(std::stoi(text.substr(i, 2), nullptr, 16));
    folder.write(name, bytes);
  }
}

TEST(Wfdb, RecordsHaveTheValuesThatThePythonPackageReads) {
  const auto wanted = nlohmann::json::parse(test::read_text(test::reference("wfdb_records.json")));
  for (const auto& one : wanted.at("records")) {
    const TempFolder folder;
    write_files(folder, one.at("files"));
    const WfdbRecord record = read_wfdb(folder / (one.at("name").get<std::string>() + ".hea"));
    EXPECT_EQ(record.header.frequency, one.at("frequency").get<double>());
    const auto& values = one.at("values");
    ASSERT_EQ(record.header.samples, static_cast<int64_t>(values.size()));
    for (size_t k = 0; k < record.header.signals.size(); ++k) {
      EXPECT_EQ(record.header.signals[k].units, one.at("units").at(k).get<std::string>());
      for (size_t t = 0; t < values.size(); ++t) {
        const double found = record.value(static_cast<int64_t>(t), k);
        if (values[t][k].is_null())
          EXPECT_TRUE(std::isnan(found));
        else
          EXPECT_DOUBLE_EQ(found, values[t][k].get<double>());
      }
    }
  }
}

TEST(Wfdb, AnnotationsAreWhereThePythonPackageHasThem) {
  const auto wanted = nlohmann::json::parse(test::read_text(test::reference("wfdb_records.json")));
  for (const auto& one : wanted.at("annotations")) {
    const TempFolder folder;
    write_files(folder, one.at("files"));
    const WfdbAnnotations found = read_wfdb_annotations(folder / "r.atr");
    EXPECT_EQ(found.resolution, one.at("resolution").get<double>()) << one.at("name");
    ASSERT_EQ(found.all.size(), one.at("sample").size()) << one.at("name");
    const auto at = found.at(360);
    for (size_t i = 0; i < at.size(); ++i) {
      EXPECT_EQ(found.all[i].sample, one.at("sample").at(i).get<int64_t>());
      EXPECT_EQ(at[i].sample, one.at("at_360").at(i).get<int64_t>());
      EXPECT_EQ(at[i].symbol, one.at("symbol").at(i).get<std::string>());
      EXPECT_EQ(at[i].aux, one.at("aux").at(i).get<std::string>());
    }
  }
}

TEST(Wfdb, TheRecordOfMitIsReadSampleForSample) {
  FOVEA_NEEDS_DATA("timeseries/ecg_mitdb_100/100.hea");
  const auto folder = test::test_data() / "timeseries/ecg_mitdb_100";
  const WfdbRecord record = read_wfdb(folder / "100.hea");
  ASSERT_EQ(record.stored.size(), 1'300'000u);
  EXPECT_EQ(record.header.frequency, 360);
  EXPECT_EQ(record.header.signals[1].name, "V5");
  EXPECT_DOUBLE_EQ(record.value(0, 0), -0.145);  // (995 - 1024) / 200
  const auto wanted = nlohmann::json::parse(test::read_text(test::reference("wfdb.json")));
  for (size_t k = 0; k < 2; ++k) {
    uint64_t hash = 0;
    for (size_t i = k; i < record.stored.size(); i += 2)
      hash = hash * 1'000'003 + static_cast<uint64_t>(record.stored[i] + 2048);
    EXPECT_EQ(hash, wanted.at("hashes").at(k).get<uint64_t>()) << "signal " << k;
    for (const auto& [place, value] : wanted.at("samples").at(k).items())
      EXPECT_EQ(record.stored[std::stoul(place) * 2 + k], value.get<int>()) << place;
  }
}

TEST(Wfdb, TheBeatsOfMitAreThoseOfTheTable) {
  FOVEA_NEEDS_DATA("timeseries/ecg_mitdb_100/100.atr");
  const auto folder = test::test_data() / "timeseries/ecg_mitdb_100";
  const storage::Table wanted = storage::read_csv(folder / "beats.csv");
  const auto found = read_wfdb_annotations(folder / "100.atr").all;
  ASSERT_EQ(static_cast<int64_t>(found.size()), wanted.rows());
  for (int64_t row = 0; row < wanted.rows(); ++row) {
    EXPECT_EQ(std::to_string(found[static_cast<size_t>(row)].sample), wanted.cell(row, 0));
    EXPECT_EQ(found[static_cast<size_t>(row)].symbol, wanted.cell(row, 1));
  }
  EXPECT_EQ(found[0].aux, "(N");
}

}  // namespace
}  // namespace fovea::io
