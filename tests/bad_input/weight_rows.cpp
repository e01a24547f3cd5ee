// Files of weights: R06, R09, R10.
#include "bad_input/made.h"
#include "bad_input/zip_bytes.h"

namespace fovea::test {
namespace {

/// `train` that starts from these weights.
void started(Trial& t, const std::string& weights, const Texts& texts,
             const std::string& hidden = "[4]") {
  const std::string config = lab_config(t);
  t.expect(3,
           {"train", config, "--out", "run", "--device", "cpu", "--set", "model.weights=" + weights,
            "--set", "model.encoders.labs.mlp.hidden=" + hidden},
           texts);
  t.check(!fs::exists(t.path("run")), "a run was begun");
}

void r09(Trial& t) {
  const std::string pickle = std::string("\x80\x02}q\0(X\1\0\0\0w", 13) + "cposix\nsystem\n.";
  const std::string remedy = "safetensors";
  t.write("zip.pt", zip_bytes({{"archive/data.pkl", pickle}, {"archive/version", "3\n"}}));
  started(t, t.path("zip.pt").string(), {"zip.pt", "data.pkl", "run code", remedy});
  t.write("old.pth", pickle);
  started(t, t.path("old.pth").string(), {"old.pth", "pickle", remedy});
  t.write("other.pkl", pickle);
  started(t, t.path("other.pkl").string(), {"other.pkl", "pickle", remedy});
  t.write("script.pt", zip_bytes({{"m/data.pkl", pickle},
                                  {"m/code/__torch__.py", "def f(): pass"},
                                  {"m/constants.pkl", pickle}}));
  started(t, t.path("script.pt").string(), {"script.pt", "TorchScript", remedy});
}

std::string safetensors(const std::string& header, const std::string& data) {
  return zip::number(header.size(), 8) + header + data;
}

void r10(Trial& t) {
  const auto one = [](const std::string& name, const std::string& shape, int begin, int end) {
    return "\"" + name + "\":{\"dtype\":\"F32\",\"shape\":" + shape + ",\"data_offsets\":[" +
           std::to_string(begin) + "," + std::to_string(end) + "]}";
  };
  const auto refused = [&](const std::string& bytes, const Texts& texts) {
    const Answer answer = t.inspect(3, "w.safetensors", bytes, texts);
  };
  const std::string data(16, '\0');
  t.inspect(0, "w.safetensors",
            safetensors("{" + one("a", "[2]", 0, 8) + "," + one("b", "[2]", 8, 16) + "}", data),
            {"2 tensors"});
  refused(safetensors("{" + one("a", "[2]", 0, 8) + "," + one("b", "[2]", 4, 12) + "}", data),
          {"'b'", "4", "overlap"});
  refused(safetensors("{" + one("a", "[1]", 0, 4) + "," + one("b", "[2]", 8, 16) + "}", data),
          {"'b'", "4", "8"});
  refused(safetensors("{" + one("a", "[2]", 0, 8) + "}", data), {"8", "16"});
  refused(zip::number(uint64_t{1} << 63, 8) + "{}" + data, {"9223372036854775808"});
  refused(safetensors("{" + one("a", "[2]", 0, 8) + "," + one("a", "[2]", 8, 16) + "}", data),
          {"'a'", "twice"});
  const std::string large = t.write("large.safetensors", zip::number(100'000'001, 8) + "{\"");
  fs::resize_file(large, 110'000'000);  // which takes no room on the disk
  t.bounded(3, {"inspect", large}, {"100000001", "at most 100000000"},
            {"inspect", "w.safetensors"});
  refused(safetensors("{" + one("a", "[3]", 0, 16) + "}", data), {"'a'", "12", "16"});
  refused(safetensors("{" + one("a", "[1099511627776,1099511627776]", 0, 16) + "}", data),
          {"'a'", "1099511627776"});
}

}  // namespace

Rows weight_rows() {
  return {
      {"R06", "weights of another architecture",
       [](Trial& t) {
         started(t, lab_run().run + "/best/model.safetensors",
                 {"model.safetensors", "another architecture", "mismatched", "encoders.labs",
                  "[4, ", "[5, "},
                 "[5]");
         started(t, lab_run().run + "/best/model.safetensors", {"2 missing", "encoders.labs"},
                 "[4, 4]");
       }},
      {"R09", "weights in files that can run code", r09},
      {"R10", "safetensors that contradict themselves", r10},
  };
}

}  // namespace fovea::test
