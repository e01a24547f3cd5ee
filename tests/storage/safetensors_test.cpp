#include "fovea/storage/safetensors.h"

#include <gmock/gmock.h>

#include <cstring>
#include <random>

#include "fovea/core/error.h"
#include "fovea/storage/hash.h"
#include "fovea/storage/pickle.h"
#include "storage/safetensors_header.h"
#include "support/test_files.h"

namespace fovea::storage {
namespace {

using test::TempFolder;
using testing::ElementsAre;
using testing::HasSubstr;

// A file of this header and a buffer of `bytes` bytes, with the true length of the header unless
// another is given.
std::string file_of(const std::string& header, size_t bytes, int64_t length = -1) {
  const uint64_t n = length < 0 ? header.size() : static_cast<uint64_t>(length);
  std::string text(8, '\0');
  std::memcpy(text.data(), &n, 8);
  return text + header + std::string(bytes, '\1');
}

std::string refusal(const std::string& content, const std::string& name = "w.safetensors") {
  TempFolder folder;
  const auto path = folder.write(name, content);
  try {
    SafetensorsFile::open(path);
  } catch (const Error& error) {
    EXPECT_EQ(error.fault(), Fault::data) << error.what();
    EXPECT_THAT(error.what(), HasSubstr(path.string()));
    return error.what();
  }
  ADD_FAILURE() << "accepted";
  return "";
}

std::string entry(const std::string& name, const std::string& dtype, const std::string& shape,
                  const std::string& offsets) {
  return "\"" + name + "\":{\"dtype\":\"" + dtype + "\",\"shape\":" + shape +
         ",\"data_offsets\":" + offsets + "}";
}

template <class T>
std::vector<T> values(const SafetensorsFile& file, const std::string& name) {
  const TensorEntry& entry = file.entry(name);
  std::vector<T> out(static_cast<size_t>(entry.end - entry.begin) / sizeof(T));
  file.read(entry, std::as_writable_bytes(std::span(out)));
  return out;
}

TEST(Safetensors, AFileOfThePythonPackageIsRead) {
  const auto file = SafetensorsFile::open(test::reference("weights.safetensors"));
  EXPECT_EQ(file.entries().size(), 16u);
  EXPECT_THAT(file.metadata(), ElementsAre(testing::Pair("note", "a \"quote\"")));
  EXPECT_THAT(values<float>(file, "f32"), ElementsAre(0, 1, 2, 3, 4, 5));
  EXPECT_THAT(values<double>(file, "f64"), ElementsAre(0, 1, 2, 3, 4, 5));
  EXPECT_THAT(values<uint16_t>(file, "u16"), ElementsAre(0, 1, 2, 3, 4, 5));
  EXPECT_THAT(values<int64_t>(file, "i64"), ElementsAre(0, 1, 2, 3, 4, 5));
  EXPECT_THAT(values<uint16_t>(file, "f16"),  // IEEE half precision
              ElementsAre(0, 0x3c00, 0x4000, 0x4200, 0x4400, 0x4500));
  EXPECT_THAT(values<float>(file, "negative"), ElementsAre(-0.0f, -0.25f, -0.5f));
  EXPECT_THAT(values<uint8_t>(file, "bool"), ElementsAre(1, 0, 1));
  EXPECT_EQ(file.entry("bool").dtype, DType::boolean);
  EXPECT_THAT(file.entry("f32").shape, ElementsAre(2, 3));
  EXPECT_TRUE(file.entry("scalar").shape.empty());
  EXPECT_THAT(values<float>(file, "scalar"), ElementsAre(2.5f));
  EXPECT_THAT(file.entry("empty").shape, ElementsAre(0, 4));
  EXPECT_THAT(values<int64_t>(file,
                              "gr\xc3\xb6\xc3\x9f"
                              "e"),
              ElementsAre(7));
}

TEST(Safetensors, ATensorIsReadIntoRoomOfItsOwnSizeOnly) {
  const auto file = SafetensorsFile::open(test::reference("weights.safetensors"));
  std::vector<std::byte> room(23);  // wanted: 6 numbers of 4 bytes
  EXPECT_THROW(file.read(file.entry("f32"), room), Error);
}

TEST(Safetensors, AFileThatShrinksAfterItWasOpenedIsRefusedByName) {
  TempFolder folder;
  const std::string content = test::read_text(test::reference("weights.safetensors"));
  const auto path = folder.write("w.safetensors", content);
  const auto file = SafetensorsFile::open(path);
  std::filesystem::resize_file(path, content.size() - 1);
  const TensorEntry& last = file.entries().back();
  std::vector<std::byte> room(static_cast<size_t>(last.end - last.begin));
  try {
    file.read(last, room);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.fault(), Fault::io);
    EXPECT_THAT(error.what(), HasSubstr(path.string()));
  }
}

TEST(Safetensors, WrittenBytesAreThoseOfThePythonPackage) {
  const auto file = SafetensorsFile::open(test::reference("weights.safetensors"));
  std::vector<std::vector<std::byte>> bytes;
  std::vector<TensorView> tensors;
  for (const TensorEntry& entry : file.entries()) {
    file.read(entry, bytes.emplace_back(static_cast<size_t>(entry.end - entry.begin)));
    tensors.push_back({entry.name, entry.dtype, entry.shape, bytes.back()});
  }
  std::shuffle(tensors.begin(), tensors.end(), std::minstd_rand(1));
  TempFolder folder;
  write_safetensors(folder / "again", tensors, file.metadata());
  EXPECT_EQ(test::read_text(folder / "again"),
            test::read_text(test::reference("weights.safetensors")));
}

TEST(Safetensors, NoTensorsAtAllIsAFile) {
  TempFolder folder;
  write_safetensors(folder / "none", {});
  EXPECT_TRUE(SafetensorsFile::open(folder / "none").entries().empty());
  EXPECT_EQ(test::read_text(folder / "none"), file_of("{}      ", 0));
}

TEST(Safetensors, AMissingTensorNamesTheNearest) {
  const auto file = SafetensorsFile::open(test::reference("weights.safetensors"));
  EXPECT_EQ(file.find("f33"), nullptr);
  try {
    file.entry("negativ");
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("did you mean 'negative'?"));
  }
}

TEST(Safetensors, OverlapHoleAndTailAreRefusedWithTheOffset) {
  const std::string a = entry("a", "U8", "[4]", "[0,4]");
  EXPECT_THAT(
      refusal(file_of("{" + a + "," + entry("b", "U8", "[4]", "[2,6]") + "}", 6)),
      testing::AllOf(HasSubstr("'b'"), HasSubstr("offset 2, wanted 4"), HasSubstr("overlap")));
  EXPECT_THAT(refusal(file_of("{" + a + "," + entry("b", "U8", "[4]", "[6,10]") + "}", 10)),
              testing::AllOf(HasSubstr("'b'"), HasSubstr("offset 6, wanted 4"), HasSubstr("hole")));
  EXPECT_THAT(refusal(file_of("{" + a + "}", 7)),
              HasSubstr("cover 4 bytes of the buffer, found 7"));
  EXPECT_THAT(refusal(file_of("{" + a + "}", 3)), HasSubstr("'a'"));
  EXPECT_THAT(refusal(file_of("{" + entry("a", "U8", "[4]", "[4,0]") + "}", 4)),
              HasSubstr("rising"));
}

TEST(Safetensors, ShapesThatDisagreeOrOverflowAreRefused) {
  EXPECT_THAT(refusal(file_of("{" + entry("a", "F32", "[2,3]", "[0,20]") + "}", 20)),
              HasSubstr("shape [2, 3] of F32 wants 24 bytes, found 20"));
  EXPECT_THAT(
      refusal(file_of("{" + entry("a", "F32", "[4294967296,4294967296]", "[0,4]") + "}", 4)),
      HasSubstr("overflows"));
  EXPECT_THAT(refusal(file_of("{" + entry("a", "U8", "[9223372036854775808]", "[0,4]") + "}", 4)),
              HasSubstr("does not fit 63 bits"));
  EXPECT_THAT(
      refusal(file_of("{" + entry("a", "U8", "[99999999999999999999999]", "[0,4]") + "}", 4)),
      HasSubstr("'a'"));
  EXPECT_THAT(refusal(file_of("{" + entry("a", "U8", "[-4]", "[0,4]") + "}", 4)), HasSubstr("-4"));
  EXPECT_THAT(refusal(file_of("{" + entry("a", "U8", "[4.0]", "[0,4]") + "}", 4)),
              HasSubstr("4.0"));
  EXPECT_THAT(refusal(file_of("{" + entry("a", "F12", "[4]", "[0,4]") + "}", 4)),
              HasSubstr("'F12'"));
  EXPECT_THAT(refusal(file_of("{" + entry("a", "U8", "[4]", "[0,4,5]") + "}", 4)),
              HasSubstr("found 3 numbers"));
}

TEST(Safetensors, ABadHeaderLengthIsRefusedBeforeAnythingIsAllocated) {
  const std::string good = "{" + entry("a", "U8", "[4]", "[0,4]") + "}";
  EXPECT_THAT(refusal(file_of(good, 4, int64_t{1} << 62)), HasSubstr("4611686018427387904"));
  EXPECT_THAT(refusal(file_of(good, 4, 5000)), HasSubstr("5000"));
  EXPECT_THAT(refusal(""), HasSubstr("found 0 bytes"));
  // A sparse file: 100 MB and 1 byte of header are there, by the file's size.
  TempFolder folder;
  const auto path = folder.write("w", file_of(good, 0, kLargestSafetensorsHeader + 1));
  test::fs::resize_file(path, 8 + kLargestSafetensorsHeader + 1 + 4);
  EXPECT_THROW(SafetensorsFile::open(path), Error);
}

TEST(Safetensors, HeadersThatAreNotTheKnownFormAreRefused) {
  const std::string a = entry("a", "U8", "[4]", "[0,4]");
  const auto refused = [&](const std::string& header) { return refusal(file_of(header, 4)); };
  EXPECT_THAT(refused("{" + a + "," + a + "}"), HasSubstr("'a' appears twice"));
  EXPECT_THAT(refused(" {" + a + "}"), HasSubstr("'{'"));
  EXPECT_THAT(refused("[1,2]"), HasSubstr("'{'"));
  EXPECT_THAT(refused("{" + a), HasSubstr("JSON"));
  EXPECT_THAT(refused("{" + a + "}x"), HasSubstr("JSON"));
  EXPECT_THAT(refused("{" + a + std::string("}\0 ", 3)), HasSubstr("NUL"));
  EXPECT_THAT(refused("{" + entry("\xff", "U8", "[4]", "[0,4]") + "}"), HasSubstr("UTF-8"));
  EXPECT_THAT(refused("{\"a\":3}"), HasSubstr("'a'"));
  EXPECT_THAT(refused("{\"a\":{\"dtype\":\"U8\",\"shape\":[4]}}"),
              HasSubstr("not all of the keys"));
  EXPECT_THAT(refused("{\"a\":{\"dtype\":\"U8\",\"dtype\":\"U8\"}}"),
              HasSubstr("'dtype' appears twice"));
  EXPECT_THAT(refused("{\"a\":{\"more\":1}}"), HasSubstr("unknown key 'more'"));
  EXPECT_THAT(refused("{\"a\":{\"dtype\":{}}}"), HasSubstr("dtype"));
  EXPECT_THAT(refused("{\"a\":{\"shape\":[[4]]}}"), HasSubstr("shape"));
  EXPECT_THAT(refused("{" + std::string(100'000, '[')), HasSubstr("reading weights"));
  EXPECT_THAT(refused("{\"__metadata__\":{\"x\":1}," + a + "}"), HasSubstr("wanted a string"));
  EXPECT_THAT(refused("{\"__metadata__\":{\"x\":\"1\",\"x\":\"2\"}," + a + "}"),
              HasSubstr("appears twice"));
  EXPECT_THAT(refused("{\"__metadata__\":\"x\"," + a + "}"), HasSubstr("__metadata__"));
}

TEST(Safetensors, EveryTruncationIsRefused) {
  const std::string whole = test::read_text(test::reference("weights.safetensors"));
  TempFolder folder;
  const auto path = folder.write("w", whole);
  for (size_t n = whole.size(); n-- > 0;) {
    test::fs::resize_file(path, n);
    EXPECT_THROW(SafetensorsFile::open(path), Error) << n;
  }
  refusal(whole + "x");
}

TEST(Safetensors, AChangedBitOfTheHeaderIsRefusedOrStillCoversTheBuffer) {
  const std::string whole = test::read_text(test::reference("weights.safetensors"));
  uint64_t length;
  std::memcpy(&length, whole.data(), 8);
  const auto buffer = static_cast<int64_t>(whole.size() - 8 - length);
  for (size_t bit = 0; bit < 8 * length; ++bit) {
    std::string changed = whole.substr(8, length);
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << bit % 8));
    try {
      int64_t covered = 0;
      for (const TensorEntry& entry : parse_safetensors_header(changed, buffer).entries) {
        EXPECT_EQ(entry.begin, covered);
        covered = entry.end;
      }
      EXPECT_EQ(covered, buffer);
    } catch (const Error& error) {
      EXPECT_EQ(error.fault(), Fault::data);
    }
  }
}

TEST(Safetensors, AWriterThatDisagreesWithItselfIsOurMistake) {
  TempFolder folder;
  const std::vector<std::byte> bytes(8);
  EXPECT_THROW(write_safetensors(folder / "w", {{"a", DType::f32, {3}, bytes}}), Error);
  EXPECT_THROW(write_safetensors(folder / "w",
                                 {{"a", DType::f32, {2}, bytes}, {"a", DType::f32, {2}, bytes}}),
               Error);
  EXPECT_FALSE(test::fs::exists(folder / "w"));
}

TEST(Pickle, FilesThatCanRunCodeAreRefusedWithTheConversion) {
  const std::string archive =
      std::string("PK\x03\x04") + std::string(26, '\0') + "model/data.pkl....";
  const std::string text = refusal(archive, "model.pt");
  EXPECT_THAT(text, HasSubstr("zip with data.pkl"));
  EXPECT_THAT(text, HasSubstr("torch.load('model.pt', weights_only=True"));
  EXPECT_THAT(text, HasSubstr("'model.safetensors'"));
  EXPECT_THAT(refusal(archive, "renamed.safetensors"), HasSubstr("zip with data.pkl"));
  EXPECT_THAT(refusal(archive + "model/constants.pkl"), HasSubstr("TorchScript"));
  EXPECT_THAT(refusal("\x80\x02}q\x01.", "w.bin"), HasSubstr("opcode PROTO 2"));
  EXPECT_THAT(refusal("(dp0\n.", "w.pkl"), HasSubstr(".pkl"));
}

TEST(Pickle, SafetensorsUnderAnotherNameAndOtherZipsAreNotCalledPickles) {
  TempFolder folder;
  EXPECT_EQ(pickle_type(folder.write("w.pt", file_of("{}", 0))), "");
  EXPECT_EQ(pickle_type(folder.write("a.npz", std::string("PK\x03\x04") + "images.npy")), "");
  // A header of 0x0280 bytes starts like a pickle of protocol 2.
  EXPECT_EQ(pickle_type(folder.write("w", file_of("{}", 0, 0x0280))), "");
}

}  // namespace
}  // namespace fovea::storage
