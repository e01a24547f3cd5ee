#include "fovea/io/npy.h"

#include <gmock/gmock.h>
#include <zip.h>

#include <cmath>
#include <limits>
#include <numeric>

#include "fovea/core/error.h"
#include "fovea/io/npz.h"
#include "support/test_files.h"

namespace fovea::io {
namespace {

using test::TempFolder;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

test::fs::path array_file(const std::string& name) { return test::reference("images/" + name); }

template <class T>
std::vector<T> values(const Array& array) {
  return {array.data<T>(), array.data<T>() + array.size()};
}

template <class T>
std::vector<T> counting(size_t n) {
  std::vector<T> out(n);
  std::iota(out.begin(), out.end(), T{0});
  return out;
}

template <class T>
void expect_counting(const std::string& name, DType dtype) {
  const Array array = read_npy(array_file(name));
  EXPECT_EQ(array.dtype, dtype) << name;
  EXPECT_THAT(array.shape, ElementsAre(2, 3, 4)) << name;
  EXPECT_EQ(values<T>(array), counting<T>(24)) << name;
}

template <class Body>
std::string refusal(Body body) {
  try {
    body();
  } catch (const Error& error) {
    EXPECT_EQ(error.fault(), Fault::data) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "accepted";
  return "";
}

std::string npy(const std::string& header, size_t bytes) {
  const size_t n = header.size();
  return std::string("\x93NUMPY\x01\x00", 8) + static_cast<char>(n & 0xff) +
         static_cast<char>(n >> 8) + header + std::string(bytes, '\0');
}
std::string refused(const std::string& header, size_t bytes = 0) {
  return refusal([&] { decode_npy(npy(header, bytes), "folder/a.npy"); });
}

TEST(Npy, EachTypeOfNumpyIsRead) {
  expect_counting<uint8_t>("c_u1.npy", DType::u8);
  expect_counting<int8_t>("c_i1.npy", DType::i8);
  expect_counting<uint16_t>("c_u2.npy", DType::u16);
  expect_counting<int16_t>("c_i2.npy", DType::i16);
  expect_counting<uint32_t>("c_u4.npy", DType::u32);
  expect_counting<int32_t>("c_i4.npy", DType::i32);
  expect_counting<uint64_t>("c_u8.npy", DType::u64);
  expect_counting<int64_t>("c_i8.npy", DType::i64);
  expect_counting<float>("c_f2.npy", DType::f32);
  expect_counting<float>("c_f4.npy", DType::f32);
  expect_counting<double>("c_f8.npy", DType::f64);
  const Array flags = read_npy(array_file("bool.npy"));
  EXPECT_EQ(flags.dtype, DType::boolean);
  EXPECT_EQ(values<uint8_t>(flags)[1], 1);
  EXPECT_EQ(values<uint8_t>(flags)[2], 0);
}

TEST(Npy, FortranOrderBigEndianAndTheLaterVersionsAreConverted) {
  expect_counting<float>("fortran_f4.npy", DType::f32);
  expect_counting<int32_t>("big_endian_i4.npy", DType::i32);
  expect_counting<double>("fortran_big_endian_f8.npy", DType::f64);
  expect_counting<int16_t>("version2.npy", DType::i16);
  expect_counting<int16_t>("version3.npy", DType::i16);
}

TEST(Npy, HalvesBecomeFloatsExactly) {
  const float inf = std::numeric_limits<float>::infinity();
  EXPECT_THAT(values<float>(read_npy(array_file("halves.npy"))),
              ElementsAre(0.0f, -0.0f, 1.0f, -2.0f, 65504.0f, std::ldexp(1.0f, -14),
                          std::ldexp(1.0f, -24), inf, -inf));
  EXPECT_TRUE(std::signbit(values<float>(read_npy(array_file("halves.npy")))[1]));
}

TEST(Npy, AScalarAndAnEmptyArrayHaveTheirShapes) {
  const Array scalar = read_npy(array_file("scalar.npy"));
  EXPECT_TRUE(scalar.shape.empty());
  EXPECT_THAT(values<double>(scalar), ElementsAre(2.5));
  EXPECT_THAT(read_npy(array_file("empty.npy")).shape, ElementsAre(0, 5));
}

TEST(Npy, ObjectsAndOtherTypesAreRefused) {
  EXPECT_THAT(refusal([] { read_npy(array_file("object.npy")); }),
              AllOf(HasSubstr("object.npy"), HasSubstr("dtype O"), HasSubstr("numbers")));
  EXPECT_THAT(refusal([] { read_npy(array_file("structured.npy")); }), HasSubstr("structured"));
  EXPECT_THAT(refusal([] { read_npy(array_file("complex.npy")); }), HasSubstr("'<c8'"));
}

TEST(Npy, ImpossibleShapesAreRefusedBeforeAnythingIsAllocated) {
  const auto shape = [](const std::string& text) {
    return refused("{'descr': '<f4', 'fortran_order': False, 'shape': " + text + ", }", 16);
  };
  EXPECT_THAT(shape("(1099511627776, 1099511627776)"), HasSubstr("overflows"));
  EXPECT_THAT(shape("(-1, 4)"), HasSubstr("found the side -1"));
  EXPECT_THAT(shape("(99999999999999999999,)"), HasSubstr("63 bits"));
  EXPECT_THAT(shape("(5,)"), HasSubstr("wants 20 bytes, found 16"));
  EXPECT_THAT(shape("(3,)"), HasSubstr("wants 12 bytes, found 16"));
  EXPECT_THAT(shape("(1099511627776,)"), HasSubstr("wants 4398046511104 bytes, found 16"));
}

TEST(Npy, MalformedHeadersAreRefused) {
  const std::string good = "{'descr': '<f4', 'fortran_order': False, 'shape': (4,), }";
  EXPECT_EQ(decode_npy(npy(good, 16), "a").size(), 4);
  EXPECT_EQ(
      decode_npy(npy("{\"shape\":(4L,),\"descr\":\"<f4\",\"fortran_order\":True}", 16), "a").size(),
      4);
  for (const std::string bad :
       {"", "{", "{}", "[1]", "{'descr': '<f4'}",
        "{'descr': 3, 'fortran_order': False, 'shape': (4,)}",
        "{'descr': '<f4', 'fortran_order': 1, 'shape': (4,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': 4}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (4.0,)}",
        "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (4,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (4,), 'more': 1}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (4,)} + evil()"}) {
    EXPECT_THAT(refused(bad, 16), HasSubstr("malformed")) << bad;
  }
  for (const std::string name : {"c_f4.npy", "version3.npy"}) {
    const std::string whole = test::read_text(array_file(name));
    for (size_t n = 0; n < whole.size(); ++n) refusal([&] { decode_npy(whole.substr(0, n), "a"); });
  }
}

TEST(Npy, WrittenBytesAreThoseOfNumpy) {
  for (const std::string name :
       {"c_u1.npy", "c_i8.npy", "c_f4.npy", "bool.npy", "scalar.npy", "empty.npy"}) {
    EXPECT_EQ(encode_npy(read_npy(array_file(name))), test::read_text(array_file(name))) << name;
  }
  TempFolder folder;
  const Array row{DType::f32, {3}, std::vector<std::byte>(12)};
  write_npy(folder / "a.npy", row);
  EXPECT_THAT(read_npy(folder / "a.npy").shape, ElementsAre(3));
}

TEST(Npz, StoredAndDeflatedArchivesOfNumpyAreRead) {
  const NpzFile stored = NpzFile::open(array_file("stored.npz"));
  ASSERT_EQ(stored.entries().size(), 2u);
  EXPECT_EQ(stored.entries()[0].name, "images");
  EXPECT_THAT(stored.entries()[0].header.shape, ElementsAre(2, 3, 4));
  EXPECT_EQ(values<uint8_t>(stored.read("images")), counting<uint8_t>(24));
  EXPECT_EQ(values<int64_t>(stored.read("labels")), counting<int64_t>(5));
  const NpzFile deflated = NpzFile::open(array_file("deflated.npz"));
  EXPECT_EQ(values<uint8_t>(deflated.read("images")), counting<uint8_t>(200));
  EXPECT_EQ(values<int64_t>(deflated.read("labels")), counting<int64_t>(10));
  EXPECT_EQ(deflated.find("masks"), nullptr);
}

TEST(Npz, AMissingArrayNamesTheNearestAndAll) {
  const NpzFile file = NpzFile::open(array_file("stored.npz"));
  EXPECT_THAT(refusal([&] { file.read("image"); }),
              AllOf(HasSubstr("did you mean 'images'?"), HasSubstr("images, labels"),
                    HasSubstr("stored.npz")));
}

TEST(Npz, WhatIsWrittenIsReadBackAndEqualArraysGiveEqualBytes) {
  TempFolder folder;
  const std::map<std::string, Array> arrays{{"a", read_npy(array_file("c_f4.npy"))},
                                            {"b", read_npy(array_file("empty.npy"))}};
  write_npz(folder / "a.npz", arrays);
  write_npz(folder / "b.npz", arrays);
  EXPECT_EQ(test::read_text(folder / "a.npz"), test::read_text(folder / "b.npz"));
  const NpzFile file = NpzFile::open(folder / "a.npz");
  EXPECT_EQ(file.entries().size(), 2u);
  EXPECT_EQ(values<float>(file.read("a")), counting<float>(24));
}

// A zip archive made member by member; links and methods by the attributes given.
struct Entry {
  std::string name, content;
  int method = ZIP_CM_DEFLATE;
  zip_uint32_t mode = 0100644;
};
test::fs::path archive(const TempFolder& folder, const std::vector<Entry>& entries) {
  const auto path = folder / "a.npz";
  zip_t* zip = zip_open(path.c_str(), ZIP_CREATE | ZIP_TRUNCATE, nullptr);
  for (const Entry& entry : entries) {
    zip_source_t* source = zip_source_buffer(zip, entry.content.data(), entry.content.size(), 0);
    const auto index = static_cast<zip_uint64_t>(zip_file_add(zip, entry.name.c_str(), source, 0));
    zip_set_file_compression(zip, index, entry.method, 0);
    zip_file_set_external_attributes(zip, index, 0, ZIP_OPSYS_UNIX, entry.mode << 16);
  }
  EXPECT_EQ(zip_close(zip), 0);
  return path;
}

TEST(Npz, NamesThatLeaveTheArchiveLinksAndBombsAreRefused) {
  TempFolder folder;
  const std::string array = test::read_text(array_file("c_u1.npy"));
  const auto refused = [&](const Entry& entry) {
    return refusal([&] { NpzFile::open(archive(folder, {{"fine.npy", array}, entry})); });
  };
  EXPECT_THAT(refused({"../up.npy", array}),
              AllOf(HasSubstr("a.npz"), HasSubstr("../up.npy"), HasSubstr("'..'")));
  EXPECT_THAT(refused({"/root.npy", array}), HasSubstr("absolute"));
  EXPECT_THAT(refused({"a\\..\\b.npy", array}), HasSubstr("absolute name or one with '..'"));
  EXPECT_THAT(refused({"link.npy", "/etc/passwd", ZIP_CM_STORE, 0120777}), HasSubstr("link"));
  EXPECT_THAT(refused({"notes.txt", "text"}), HasSubstr("notes.txt"));
  EXPECT_THAT(refused({"n\x1b.npy", "text"}), HasSubstr("n\\x1b.npy"));
  EXPECT_THAT(refused({"objects.npy", test::read_text(array_file("object.npy"))}),
              HasSubstr("dtype O"));
  EXPECT_THAT(refused({"bomb.npy", std::string(80 << 20, '\0')}), HasSubstr("1000 to 1"));
  EXPECT_THAT(refusal([&] {
                NpzFile::open(archive(folder, {{"a.npy", array}}), {.max_member_bytes = 100});
              }),
              HasSubstr("the limit is 100"));
}

TEST(Npz, TwoMembersOfOneNameAreRefused) {
  TempFolder folder;
  const std::string array = test::read_text(array_file("c_u1.npy"));
  std::string file = test::read_text(archive(folder, {{"a.npy", array}, {"b.npy", array}}));
  for (size_t at; (at = file.find("b.npy")) != std::string::npos;) file[at] = 'a';
  EXPECT_THAT(refusal([&] { NpzFile::open(folder.write("two.npz", file)); }),
              HasSubstr("two members"));
}

TEST(Npz, TruncationsAreRefusedAndChangedNumbersFailTheChecksum) {
  TempFolder folder;
  const std::string whole = test::read_text(array_file("deflated.npz"));
  for (size_t n = 0; n < whole.size(); n += 7) {
    refusal([&] { NpzFile::open(folder.write("cut.npz", whole.substr(0, n))); });
  }
  std::string changed = test::read_text(array_file("stored.npz"));
  const size_t numbers = changed.find(std::string("\x05\x06\x07\x08\x09\x0a", 6));
  ASSERT_NE(numbers, std::string::npos);
  changed[numbers] = '\x55';
  const NpzFile file = NpzFile::open(folder.write("changed.npz", changed));
  EXPECT_THAT(refusal([&] { file.read("images"); }), AllOf(HasSubstr("images"), HasSubstr("CRC")));
}

TEST(Npz, ThePublicMedMnistFileIsRead) {
  FOVEA_NEEDS_DATA("medmnist/pneumoniamnist.npz");
  const NpzFile file = NpzFile::open(test::test_data() / "medmnist" / "pneumoniamnist.npz");
  ASSERT_NE(file.find("train_images"), nullptr);
  EXPECT_THAT(file.find("train_images")->header.shape, ElementsAre(4708, 28, 28));
  const Array labels = file.read("test_labels");
  EXPECT_EQ(labels.size(), 624);
}

}  // namespace
}  // namespace fovea::io
