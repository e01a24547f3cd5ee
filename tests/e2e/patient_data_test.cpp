// Canaries: every attribute that names a patient, a person or a place is filled with a text of its own, and nothing
// that fovea prints or writes contains one, at any log level, whether it succeeds or refuses.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>

#include "support/dicom_bytes.h"
#include "support/program.h"
#include "support/sha256.h"

namespace fovea::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

/// What a number of 3 digits looks like in each representation; all of one kind have a beginning in
/// common that occurs nowhere else.
struct Canaries {
  std::vector<std::string> beginnings{"canary", "1.2.826.0.1.3680043.9.9999.", "010203.7",
                                      "77.1234", "8675309"};
  std::vector<std::string> dates;  // these are searched for whole

  std::string next(const std::string& vr) {
    char number[8];
    std::snprintf(number, sizeof number, "%03d", ++count_);
    if (vr == "UI") return beginnings[1] + std::to_string(1000 + count_);
    if (vr == "TM") return beginnings[2] + number;
    if (vr == "DS") return beginnings[3] + number;
    if (vr == "IS") return beginnings[4] + number;
    if (vr == "AS") return "093Y";  // too short to be told from anything
    if (vr == "DA" || vr == "DT") {
      char date[16];
      std::snprintf(date, sizeof date, "%04d%02d%02d", 1583 + count_ / 300, 1 + count_ % 12,
                    10 + count_ / 12 % 17);
      dates.emplace_back(date);
      return vr == "DA" ? date : date + beginnings[2] + number;
    }
    if (vr == "PN") return "Canary" + std::string(number) + "^Hans";
    if (vr == "UR") return "http://canary" + std::string(number) + "/";
    return "CANARY" + std::string(number);
  }

 private:
  int count_ = 0;
};

/// The table of attributes: tag -> representation.
std::map<uint32_t, std::string> identifying_attributes() {
  std::map<uint32_t, std::string> all;
  std::istringstream lines(read_text(reference("identifying_attributes.csv")));
  std::string line;
  std::getline(lines, line);
  while (std::getline(lines, line))
    all[static_cast<uint32_t>(std::stoul(line.substr(0, 8), nullptr, 16))] = line.substr(9, 2);
  return all;
}

/// An image of 16 x 16 pixels whose every other attribute is a canary; brighter where `ill`.
std::string image_file(Canaries& canaries, bool ill, unsigned index, bool implicit = false) {
  const auto as = implicit ? DicomBytes::As::implicit_little : DicomBytes::As::explicit_little;
  std::map<uint32_t, std::string> elements, meta;  // as written
  const auto put = [&](uint32_t tag, const std::string& vr, const std::string& value) {
    DicomBytes one(tag >> 16 == 2 ? DicomBytes::As::explicit_little : as);
    one.text(tag, vr, value);
    (tag >> 16 == 2 ? meta : elements)[tag] = one.bytes();
  };
  std::map<uint32_t, std::string> all = identifying_attributes();
  all.insert({{0x00091001, "LO"}, {0x00091002, "PN"}, {0x00291010, "OB"}, {0x00291020, "UN"}});
  all.insert({{0x00090010, "LO"}, {0x00290010, "LO"}});  // who reserved them
  all.insert({{0x00020016, "AE"}, {0x00020017, "AE"}, {0x00020100, "UI"}, {0x00020102, "OB"}});
  for (const auto& [tag, vr] : all) {
    if (vr != "SQ") {
      put(tag, vr, vr == "US" ? std::string("\1\0", 2) : canaries.next(vr));
      continue;
    }
    DicomBytes sequence(as);
    sequence.header(tag, "SQ", 0xFFFFFFFF).item();
    sequence.text(0x00080050, "SH", canaries.next("SH"))
        .text(0x00100010, "PN", canaries.next("PN"));
    sequence.item_end().sequence_end();
    elements[tag] = sequence.bytes();
  }
  put(0x00020002, "UI", "1.2.840.10008.5.1.4.1.1.7");
  put(0x00020010, "UI", implicit ? "1.2.840.10008.1.2" : "1.2.840.10008.1.2.1");
  put(0x00080016, "UI", "1.2.840.10008.5.1.4.1.1.7");
  put(0x00280004, "CS", "MONOCHROME2");
  for (const auto& [tag, value] : std::map<uint32_t, uint16_t>{{0x00280002, 1},
                                                               {0x00280010, 16},
                                                               {0x00280011, 16},
                                                               {0x00280100, 8},
                                                               {0x00280101, 8},
                                                               {0x00280102, 7},
                                                               {0x00280103, 0}})
    elements[tag] = DicomBytes(as).us(tag, value).bytes();
  std::string pixels;
  std::mt19937 random(index);
  for (int i = 0; i < 256; ++i)
    pixels += static_cast<char>(20 + random() % 100 + (ill && i < 128 ? 80 : 0));
  elements[0x7FE00010] = DicomBytes(as).element(0x7FE00010, "OB", pixels).bytes();
  std::string bytes = std::string(128, '\0') + "DICM";
  for (const auto& [tag, written] : meta) bytes += written;
  for (const auto& [tag, written] : elements) bytes += written;
  return bytes;
}

constexpr int kCases = 40;
constexpr int kPatients = 20;

std::string patient(int case_number) {
  return "Canaryp" + std::to_string(100 + case_number % kPatients) + " Hans";
}

/// Every row has a patient, a name, an address and a word of its report that is a canary; the ids and
/// files are not, unless they shall be.
std::string table(const std::string& id = "case-", const std::string& file = "images/") {
  std::string rows = "case,path,patient,name,address,report,crp,sex,class,split\n";
  for (int i = 0; i < kCases; ++i) {
    const bool ill = i / kPatients % 2 != i % 2;
    const int p = i % kPatients;
    const std::string number = std::to_string(100 + i);
    rows += id + number + "," + file + number + ".dcm,\"" + patient(i) + "\",\"Canaryn" + number +
            ", Hans\",Canarya" + number + " Street," +
            (ill ? "a mass is seen" : "no mass is seen") + " by Canaryr" + number + "," +
            std::to_string(ill ? 50 + i : 1 + i) + (p % 2 ? ",f," : ",m,") +
            (ill ? "lesion," : "clear,") +
            (p % 5 == 0   ? "test"
             : p % 5 == 1 ? "val"
                          : "train") +
            "\n";
  }
  return rows;
}

constexpr const char* kConfig = R"(seed: 1
data:
  root: .
  table: cases.csv
  id: case
  group: patient
  split: split
  subgroups: [sex]
  cache_folder: cache
  inputs:
    image: {image: {column: path}}
    report: {text: {column: report}}
    labs: {table: {columns: [crp, sex]}}
  targets: {label: {column: class, classes: [clear, lesion]}}
transforms: {train: [{flip: {axis: width}}, {scale: zscore}], eval: [{scale: zscore}]}
model:
  encoders: {image: {cnn: {channels: [4]}}, report: {dan: {embedding: 4}}, labs: {mlp: {hidden: [4]}}}
train: {epochs: 1, batch_size: 8, precision: fp32, threads: 1, loader_threads: 1}
)";

/// The data, and what fovea has said and written about it.
struct Ward {
  TempFolder folder;
  Canaries canaries;
  std::string said;  // by all commands

  Ward() {
    for (int i = 0; i < kCases; ++i)
      folder.write(
          "images/" + std::to_string(100 + i) + ".dcm",
          image_file(canaries, i / kPatients % 2 != i % 2, static_cast<unsigned>(i), i % 3 == 0));
    folder.write("cases.csv", table());
    folder.write("c.yaml", kConfig);
    std::string alone = kConfig;  // the image alone: a file is then a case
    const size_t begin = alone.find("    report:"), end = alone.find("  targets:");
    alone.erase(begin, end - begin);
    const size_t text = alone.find(", report: {dan"), line = alone.find("}\ntrain:");
    alone.erase(text, line - text);
    folder.write("alone.yaml", alone);
  }

  /// In the folder, at every log level or the one that says most; the last outcome.
  Outcome run(const std::string& arguments, int code, bool every_level = false) {
    Outcome outcome;
    const std::vector<std::string> all{"warning", "info", "debug"};
    for (const std::string& level : every_level ? all : std::vector<std::string>{"debug"}) {
      fs::remove_all(folder / "out");
      outcome = run_shell("cd " + quoted(folder.path().string()) + " && " +
                          quoted(program().string()) + " " + arguments + " --log-level " + level);
      EXPECT_EQ(outcome.code, code) << arguments << '\n' << outcome.err;
      said += arguments + "\n" + outcome.out + outcome.err;
    }
    return outcome;
  }

  std::string all_written() const {
    std::string text;
    for (const auto& entry : fs::recursive_directory_iterator(folder.path())) {
      const fs::path within = entry.path().lexically_relative(folder.path());
      if (within.begin()->string().starts_with("images") || within.extension() == ".given")
        continue;
      text += "\n" + within.string() + "\n";
      if (entry.is_regular_file() && within != "cases.csv") text += read_text(entry.path());
    }
    return text;
  }
};

std::string in_lower_case(std::string text) {
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return text;
}

std::string in_hexadecimal(const std::string& text) {
  std::string result;
  for (const char c : text) {
    result += "0123456789abcdef"[static_cast<unsigned char>(c) >> 4];
    result += "0123456789abcdef"[static_cast<unsigned char>(c) & 15];
  }
  return result;
}

/// Each canary that `text` contains, with what stands around it; as text, or its bytes in
/// hexadecimal, or a hash of a patient without salt.
std::vector<std::string> found_in(const std::string& text, const Canaries& canaries) {
  const std::string lower = in_lower_case(text);
  std::vector<std::string> found;
  const auto look = [&](const std::string& word, bool whole) {
    for (size_t at = lower.find(word); at != std::string::npos; at = lower.find(word, at + 1)) {
      const auto is_part = [&](size_t i) {
        return i < lower.size() &&
               (std::isalnum(static_cast<unsigned char>(lower[i])) || lower[i] == '.');
      };
      if (whole && (is_part(at - 1) || is_part(at + word.size()))) continue;
      found.push_back("'" + word + "' in: " + text.substr(at < 80 ? 0 : at - 80, 160));
      if (found.size() > 20) return;
    }
  };
  for (const std::string& beginning : canaries.beginnings) look(beginning, false);
  for (const char* spelling : {"Canary", "CANARY", "canary"}) look(in_hexadecimal(spelling), false);
  for (const std::string& date : canaries.dates) {
    look(date, true);
    look(date.substr(0, 4) + "-" + date.substr(4, 2) + "-" + date.substr(6), false);
  }
  for (int p = 0; p < kPatients; ++p) look(sha256(as_bytes(patient(p))).substr(0, 8), false);
  return found;
}

TEST(PatientData, TheSearchFindsEveryAttributeInTheFilesThemselves) {
  Canaries canaries;
  const std::string file = image_file(canaries, true, 1);
  EXPECT_GE(identifying_attributes().size(), 600u);
  for (const uint32_t tag :
       {0x00100010u, 0x00100020u, 0x00100030u, 0x00101000u, 0x00101040u, 0x00080080u, 0x00080090u,
        0x00081070u, 0x00080050u, 0x00200010u, 0x00181000u})
    EXPECT_TRUE(identifying_attributes().contains(tag)) << std::hex << tag;
  for (const std::string& beginning : canaries.beginnings)
    EXPECT_THAT(in_lower_case(file), HasSubstr(beginning));
  EXPECT_FALSE(found_in(file, canaries).empty());
  EXPECT_FALSE(found_in("... 43414E41525930 ...", canaries).empty());
  EXPECT_FALSE(found_in("on " + canaries.dates[0] + ".", canaries).empty() &&
               found_in("on " + canaries.dates[0] + "\n", canaries).empty());
  EXPECT_FALSE(found_in(sha256(as_bytes(patient(3))).substr(0, 8), canaries).empty());
  EXPECT_TRUE(found_in("an innocent text, 12345678", canaries).empty());
}

TEST(PatientData, NoCommandThatSucceedsSaysOrWritesAnyOfIt) {
  Ward ward;
  EXPECT_THAT(ward.run("check c.yaml", 0, true).out, HasSubstr("no problems found"));
  const Outcome trained = ward.run("train c.yaml --device cpu --force --out run", 0, true);
  EXPECT_THAT(trained.out, HasSubstr("run=run"));
  ward.run("train c.yaml --device cpu --resume --out run --set train.epochs=2 --allow-changed", 0,
           true);
  ward.run("train alone.yaml --device cpu --force --out alone", 0, true);
  ward.run("eval run --split all", 0, true);
  ward.run("eval run --data c.yaml --out out", 0, true);
  ward.run("infer run cases.csv", 0, true);
  ward.run("infer run cases.csv --out answers.jsonl", 0, true);
  ward.run("infer alone images --out answers.csv", 0, true);
  ward.run("infer alone/bundle images/100.dcm images/101.dcm --explain why", 2,
           true);  // of images: none
  const Outcome inspected =
      ward.run("inspect images/*.dcm run alone run/bundle run/best/*", 3, true);
  EXPECT_THAT(inspected.out, HasSubstr("MONOCHROME2"));
  EXPECT_THAT(found_in(ward.said, ward.canaries), testing::IsEmpty());
  const std::string written = ward.all_written();
  EXPECT_THAT(written, HasSubstr("case-100"));  // the ids, as documented
  EXPECT_THAT(written, HasSubstr("eval-all/predictions.csv"));
  EXPECT_THAT(found_in(written, ward.canaries), testing::IsEmpty());
}

TEST(PatientData, NoRefusalOfAnImageSaysAnyOfIt) {
  Ward ward;
  for (const bool implicit : {false, true}) {
    Canaries same;
    const std::string right = image_file(same, true, 1, implicit);
    const std::string name = implicit ? "images/i" : "images/e";
    std::mt19937 random(7);
    for (size_t length = 100; length < right.size(); length += right.size() / 200)
      ward.folder.write(name + "cut" + std::to_string(length) + ".dcm", right.substr(0, length));
    for (int k = 0; k < 200; ++k) {  // other lengths, representations, tags
      std::string wrong = right;
      for (int byte = 0; byte < 3; ++byte)
        wrong[132 + random() % (right.size() - 132)] = static_cast<char>(random());
      ward.folder.write(name + "odd" + std::to_string(k) + ".dcm", wrong);
    }
    for (const char* structural : {"MONOCHROME2", "1.2.840.10008.1.2"}) {
      std::string wrong = right;
      wrong.replace(wrong.find(structural), 4, "XXXX");
      ward.folder.write(name + "value" + structural + ".dcm", wrong);
    }
  }
  EXPECT_THAT(ward.run("inspect images/*", 3).err, HasSubstr("cut"));
  ward.run("train alone.yaml --device cpu --out alone --force", 0);
  EXPECT_THAT(ward.run("infer alone images", 3).err, HasSubstr("could not be read"));
  std::string broken = table();
  broken.replace(broken.find("images/102.dcm"), 14, "images/ecut100.dcm");
  ward.folder.write("broken.csv.given", broken);
  fs::rename(ward.folder / "broken.csv.given", ward.folder / "broken.csv");
  EXPECT_THAT(ward.run("check c.yaml --set data.table=broken.csv", 3).out,
              HasSubstr("ecut100.dcm"));
  ward.run("train c.yaml --set data.table=broken.csv --device cpu --out other --force", 3);
  fs::remove(ward.folder / "broken.csv");
  EXPECT_THAT(found_in(ward.said, ward.canaries), testing::IsEmpty());
  EXPECT_THAT(found_in(ward.all_written(), ward.canaries), testing::IsEmpty());
}

TEST(PatientData, NoRefusalOfATableSaysAnyOfIt) {
  Ward ward;
  const std::string right = table();
  const auto changed = [&](const std::string& from, const std::string& to) {
    std::string wrong = right;
    wrong.replace(wrong.find(from), from.size(), to);
    return wrong;
  };
  const std::string row =
      right.substr(right.find("case-105"), right.find("case-106") - right.find("case-105"));
  std::string all_tabs = right;
  std::ranges::replace(all_tabs, ',', '\t');
  const std::map<std::string, std::string> wrong{
      {"a patient in two splits", changed(",m,clear,test", ",m,clear,train")},
      {"a patient in other letters", changed("Canaryp103 Hans", "CANARYP103 HANS")},
      {"a blank patient", changed("\"Canaryp103 Hans\"", "")},
      {"a patient with blanks around", changed("Canaryp103 Hans", " Canaryp103 Hans ")},
      {"a row twice", right + row},
      {"a field too many", changed("Canarya104 Street", "Canarya104, Street")},
      {"a field too few", changed(",Canarya104 Street", "")},
      {"a quote that is not closed", changed("\"Canaryp104 Hans\"", "\"Canaryp104 Hans")},
      {"a quote in a cell", changed("Canarya104 Street", "\"Canarya104\" Street")},
      {"bytes that are not UTF-8", changed("Canarya104 Street",
                                           "Canarya104 Stra\xdf"
                                           "e")},
      {"a zero byte", changed("Canarya104 Street", std::string("Canarya104 \0", 12))},
      {"a header again", right + right.substr(0, right.find('\n') + 1)},
      {"no header", right.substr(right.find('\n') + 1)},
      {"tabs", all_tabs},
      {"a file that is absent", changed("images/104.dcm", "images/absent.dcm")},
      {"the file of another case", changed("images/104.dcm", "images/105.dcm")},
      {"no class", changed(",m,clear,", ",m,,")},
      {"cut in the middle of a row", right.substr(0, right.find("Canarya120") + 8)},
  };
  for (const auto& [what, text] : wrong) {
    ward.folder.write("wrong.csv", text);
    for (const char* command :
         {"check c.yaml --set data.table=wrong.csv",
          "train c.yaml --set data.table=wrong.csv --device cpu --force --out tried"}) {
      const Outcome outcome =
          run_shell("cd " + quoted(ward.folder.path().string()) + " && " +
                    quoted(program().string()) + " " + command + " --log-level debug");
      EXPECT_THAT(outcome.code, testing::AnyOf(0, 2, 3)) << what << outcome.err;
      EXPECT_THAT(found_in(outcome.out + outcome.err, ward.canaries), testing::IsEmpty()) << what;
      if (outcome.code != 0) break;  // training would say the same
    }
  }
  fs::remove(ward.folder / "wrong.csv");
  EXPECT_THAT(found_in(ward.all_written(), ward.canaries), testing::IsEmpty());
  // Columns that are named wrongly: what is in the others is nobody's business.
  for (const char* set :
       {"data.group=patients", "data.id=cases", "data.inputs.report.text.column=text",
        "data.inputs.labs.table.columns=[crp,age]", "data.subgroups=[sexes]"})
    ward.run("check c.yaml --set '" + std::string(set) + "'", 3);
  EXPECT_THAT(found_in(ward.said, ward.canaries), testing::IsEmpty());
}

TEST(PatientData, NoIdAndNoPathOfACaseAppearsWhereTheyAreToBeHashed) {
  Ward ward;
  for (int i = 0; i < kCases; ++i) {
    const std::string number = std::to_string(100 + i) + ".dcm";
    fs::create_directories(ward.folder / "images/Canaryd");
    fs::rename(ward.folder / ("images/" + number),
               ward.folder / ("images/Canaryd/Canaryf" + number));
  }
  const std::string right = table("Canaryc", "images/Canaryd/Canaryf");
  ward.folder.write("cases.csv", right);
  const std::string hidden = " --hash-ids --device cpu ";
  EXPECT_THAT(ward.run("check c.yaml --hash-ids", 0).out, HasSubstr("no problems found"));
  ward.run("train c.yaml --out run" + hidden, 0);
  ward.run("train c.yaml --out run --resume --allow-changed --set train.epochs=2" + hidden, 0);
  ward.run("train alone.yaml --out alone" + hidden, 0);
  ward.run("eval run --split all" + hidden, 0);
  ward.run("infer run cases.csv --out answers.csv --explain why" + hidden, 0);
  // Explanations hold the words of the reports, which were asked for, and no id.
  EXPECT_THAT(read_text(ward.folder / "why/explanations.jsonl"),
              AllOf(HasSubstr("Canaryr"), Not(HasSubstr("Canaryc"))));
  fs::remove_all(ward.folder / "why");
  ward.run("infer alone images --out answers.jsonl" + hidden, 0);
  // The salt of the run, and nothing else, leads back from a hash to an id.
  const std::string salted = read_text(ward.folder / "run/salt") + "\nCanaryc107";
  EXPECT_THAT(read_text(ward.folder / "run/eval-all/predictions.csv"),
              HasSubstr("\n" + sha256(as_bytes(salted)).substr(0, 16) + ","));

  const std::string image = read_text(ward.folder / "images/Canaryd/Canaryf100.dcm");
  ward.folder.write("images/Canaryd/Canaryb1.dcm", image.substr(0, 5000));
  ward.folder.write("images/Canaryd/Canaryb2.dcm", "no image");
  ward.folder.write("images/Canaryd/.Canaryh", "hidden");
  fs::create_directory_symlink("Canaryd", ward.folder / "images/Canaryl");
  fs::create_symlink("nowhere", ward.folder / "images/Canaryn");
  ward.run("infer alone images" + hidden, 3);
  ward.run("infer alone images/*/*" + hidden, 3);
  ward.run("inspect --hash-ids images/*/*", 3);
  const auto refused = [&](const std::string& from, const std::string& to) {
    std::string wrong = right;
    wrong.replace(wrong.find(from), from.size(), to);
    ward.folder.write("wrong.csv", wrong);
    const std::string set = " --set data.table=wrong.csv" + hidden;
    ward.run("check c.yaml --hash-ids --set data.table=wrong.csv", 3);
    return ward.run("train c.yaml --out tried --force" + set, 3).err;
  };
  refused("Canaryf102.dcm", "Canaryb1.dcm");
  EXPECT_THAT(refused("Canaryf102.dcm", "Canaryx.dcm"), HasSubstr("do not exist"));
  EXPECT_THAT(refused("images/Canaryd/Canaryf102.dcm", "../Canaryo.dcm"), HasSubstr("outside"));
  EXPECT_THAT(refused("Canaryc102", "Canaryc103"), HasSubstr("the same id"));
  fs::remove(ward.folder / "wrong.csv");
  fs::remove_all(ward.folder / "images");
  const Outcome gone = ward.run("train c.yaml --out tried --force" + hidden, 3);
  EXPECT_THAT(gone.err, HasSubstr("missing-files.txt"));
  EXPECT_THAT(found_in(ward.said, ward.canaries), testing::IsEmpty());
  EXPECT_THAT(found_in(ward.all_written(), ward.canaries), testing::IsEmpty());
}

}  // namespace
}  // namespace fovea::test
