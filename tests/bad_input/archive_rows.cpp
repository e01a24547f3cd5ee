// NumPy arrays and archives: A05 to A07.
#include "bad_input/made.h"
#include "bad_input/zip_bytes.h"

namespace fovea::test {
namespace {

/// A MedMNIST archive of eight 28 x 28 images, to which members are added.
std::vector<ZipMember> medmnist() {
  std::vector<ZipMember> members;
  int first = 0;
  for (const char* split : {"train", "val", "test"}) {
    std::string pixels;
    first += 10;
    for (int i = 0; i < 8 * 28 * 28; ++i) pixels += static_cast<char>((first + i * 7) % 251);
    members.push_back(
        {std::string(split) + "_images.npy", npy_bytes(npy_header("|u1", "(8, 28, 28)"), pixels)});
    members.push_back({std::string(split) + "_labels.npy",
                       npy_bytes(npy_header("|u1", "(8, 1)"), std::string("\0\1\0\1\0\1\0\1", 8))});
  }
  return members;
}

std::string archive_config(const Trial& t) {
  return t.write("c.yaml", "data: {path: a.npz}\n" + kImageModel);
}

void a05(Trial& t) {
  const std::string object = npy_bytes(npy_header("|O", "(2, 2)"), "\x80\4cos\nsystem\n");
  t.inspect(3, "object.npy", object, {"object", "wanted", "save"});
  auto members = medmnist();
  members[0].bytes = object;
  t.write("a.npz", zip_bytes(members));
  t.refused({"check", archive_config(t)}, {"a.npz", "train_images", "object", "wanted", "save"});
  t.refused({"inspect", "a.npz"}, {"a.npz", "train_images", "object"});
}

void a06(Trial& t) {
  t.inspect(3, "header.npy", npy_bytes("{'descr': '<f4', 'fortran_order': ", "1234"), {"header"});
  t.inspect(3, "huge.npy", npy_bytes(npy_header("<f4", "(1099511627776, 1099511627776)"), "1234"),
            {"shape", "[1099511627776, 1099511627776]", "overflows"});
  t.inspect(3, "large.npy", npy_bytes(npy_header("<f4", "(1048576, 1048576)"), "1234"),
            {"shape", "[1048576, 1048576]", "4398046511104", "4"});
  t.inspect(3, "negative.npy", npy_bytes(npy_header("<f4", "(-1, 4)"), std::string(16, '\0')),
            {"shape", "the side -1"});
  const std::string values{'\0', '\1', '\0', '\2', '\0', '\3', '\0', '\4', '\0', '\5', '\0', '\6'};
  t.inspect(0, "big.npy", npy_bytes(npy_header(">u2", "(2, 3)"), values), {"1 to 6, mean 3.5"});
  std::string third = npy_header("|u1", "(2, 3)");
  third.resize(116, ' ');
  t.inspect(0, "third.npy",
            std::string("\x93NUMPY\3\0", 8) + zip::number(third.size(), 4) + third + "\1\2\3\4\5\6",
            {"1 to 6, mean 3.5"});
  // 1 2 3 / 4 5 6, by columns: the first row is 1 2 3.
  std::string columns;
  for (const float value : {1.F, 4.F, 2.F, 5.F, 3.F, 6.F})
    columns.append(reinterpret_cast<const char*>(&value), 4);
  t.inspect(0, "columns.npy", npy_bytes(npy_header("<f4", "(2, 3)", true), columns),
            {"2 rows x 3 columns", "1 to 6, mean 3.5"});
  auto members = medmnist();
  members[0].bytes = npy_bytes(npy_header("|u1", "(1099511627776, 28, 28)"), "1234");
  t.write("a.npz", zip_bytes(members));
  t.bounded(3, {"check", archive_config(t)}, {"a.npz", "train_images", "1099511627776"},
            {"inspect", "header.npy"}, 192);
}

void a07(Trial& t) {
  const std::string config = archive_config(t);
  t.write("a.npz", zip_bytes(medmnist()));
  t.accepted({"check", config});
  const auto refused = [&](const ZipMember& member, const Texts& texts) {
    auto members = medmnist();
    members.push_back(member);
    t.write("a.npz", zip_bytes(members));
    t.expect(3, {"check", config}, texts);
    t.expect(3, {"inspect", "a.npz"}, texts);
  };
  const std::string small = npy_bytes(npy_header("|u1", "(1,)"), "x");
  refused({"../extra.npy", small}, {"a.npz", "../extra.npy", "'..'", "wanted a plain name"});
  refused({"/etc/extra.npy", small},
          {"a.npz", "/etc/extra.npy", "an absolute name", "wanted a plain name"});
  refused({"up\x1b[2J/../../x.npy", small}, {"a.npz", "\\x1b[2J"});
  refused({"link.npy", "/etc/passwd", false, 0120777}, {"a.npz", "link.npy", "link"});
  refused({"train_images.npy", small}, {"a.npz", "train_images.npy", "two"});

  const std::string zeros(64 << 20, '\0');
  auto members = medmnist();
  members[0] = {"train_images.npy",
                npy_bytes(npy_header("|u1", "(85598, 28, 28)"), zeros.substr(0, 85598 * 784)),
                true};
  t.write("a.npz", zip_bytes(members));
  const Answer answer = t.expect(
      3, {"check", config}, {"a.npz", "train_images.npy", "67108960 bytes", "more than 1000 to 1"});
  t.check(answer.peak_mib < t.run({"inspect", "a.npz"}).peak_mib + 256,
          "took " + std::to_string(answer.peak_mib));
}

}  // namespace

Rows archive_rows() {
  return {
      {"A05", "arrays of objects", a05},
      {"A06", "NumPy headers that cannot be, and odd ones that can", a06},
      {"A07", "archives whose members leave it, repeat or burst", a07},
  };
}

}  // namespace fovea::test
