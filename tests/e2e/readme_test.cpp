// The README, typed in as it stands: its YAML, its commands, and the example configs it points to.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <regex>

#include "fovea/core/random.h"
#include "fovea/io/image_file.h"
#include "fovea/storage/safetensors.h"
#include "support/program.h"

namespace fovea::test {
namespace {

struct Block {
  std::string language, text;
};

std::string readme() { return read_text(fs::path(FOVEA_SOURCE_DIR) / "README.md"); }

std::vector<Block> blocks_of(const std::string& markdown) {
  std::vector<Block> blocks;
  const std::regex fence("```([a-z]+)\n([^`]*)```");
  for (std::sregex_iterator it(markdown.begin(), markdown.end(), fence), end; it != end; ++it)
    blocks.push_back({(*it)[1], (*it)[2]});
  return blocks;
}

/// The part under a heading.
std::string section(const std::string& markdown, const std::string& heading) {
  const size_t begin = markdown.find("## " + heading + "\n");
  if (begin == std::string::npos) return "";
  return markdown.substr(begin, markdown.find("\n## ", begin) - begin);
}

/// The lines of the README's shell blocks, those that end in a backslash put together, without
/// remarks.
std::vector<std::string> shell_lines() {
  std::vector<std::string> all;
  for (const Block& block : blocks_of(readme())) {
    if (block.language != "sh") continue;
    std::string text = std::regex_replace(block.text, std::regex("\\\\\n *"), "");
    text = std::regex_replace(text, std::regex(" +# [^\n]*"), "");
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) all.push_back(line);
  }
  return all;
}

/// The commands of the table "The program": the first cell of each row.
std::vector<std::string> table_of_commands() {
  std::vector<std::string> all;
  const std::string text = section(readme(), "The program");
  const std::regex cell("\n\\| `(fovea [^`]*)` \\|");
  for (std::sregex_iterator it(text.begin(), text.end(), cell), end; it != end; ++it)
    all.push_back((*it)[1]);
  return all;
}

bool is_fovea(const std::string& line) {
  return line.starts_with("fovea ") || line.starts_with("build/fovea ");
}

/// What is not run here, and why.
const std::map<std::string, std::string> kNotRun{
    {"git clone", "the place of the repository is left open"},
    {"scripts/quickstart", "quickstart_test.cpp runs it"},
    {"python -c", "needs torchvision; its file is made by hand below"},
    {"scripts/ablation", "inputs_test.cpp runs it"},
};

/// An image of 40 x 40 pixels of noise, brighter in the upper half where `ill`.
void write_image(const fs::path& path, bool ill, uint64_t index) {
  fs::create_directories(path.parent_path());
  Random random(1, Purpose::phantom, ill ? 1 : 0, index);
  Image image;
  image.height = image.width = 40;
  for (int i = 0; i < 1600; ++i)
    image.pixels.push_back(
        static_cast<std::byte>(60 + 60 * random.uniform() + (ill && i < 800 ? 100 : 0)));
  io::write_png(path, image);
}

/// A file as torchvision writes it: its names and shapes, every number 0.01.
void write_published_weights(const fs::path& path) {
  std::istringstream table(read_text(reference("names_resnet18.csv")));
  std::string line;
  std::getline(table, line);
  std::vector<std::vector<float>> numbers;
  std::vector<storage::TensorView> views;
  numbers.reserve(1000);
  const std::vector<int64_t> counter{0};
  while (std::getline(table, line)) {
    storage::TensorView view{.name = line.substr(0, line.find(','))};
    std::istringstream sides(line.substr(line.find(',') + 1));
    int64_t count = 1;
    for (std::string side; std::getline(sides, side, 'x');)
      if (side != "scalar") count *= view.shape.emplace_back(std::stoll(side));
    if (view.shape.empty()) {
      view.dtype = storage::DType::i64;
      view.bytes = std::as_bytes(std::span(counter));
    } else {
      view.bytes = std::as_bytes(std::span(numbers.emplace_back(count, 0.01f)));
    }
    views.push_back(view);
  }
  storage::write_safetensors(path, std::move(views));
}

/// Radiographs with a report, laboratory values and a trace each; one radiograph is missing.
void write_studies(const TempFolder& folder) {
  std::string rows = "path,report,age,crp,smoker,trace,diagnosis,patient\n";
  for (int i = 0; i < 24; ++i) {
    const bool ill = i % 2;
    const std::string number = std::to_string(i / 2), trace = "trace" + std::to_string(i) + ".csv";
    const std::string radiograph =
        "radiographs/" + std::string(ill ? "ill/" : "healthy/") + number + ".png";
    rows += (i == 5 ? "" : radiograph) + (ill ? ",\"A mass, new.\"," : ",No mass.,") +
            std::to_string(40 + i) + "," + (i % 7 ? std::to_string(ill ? 30 + i : 3 + i) : "") +
            (i % 3 ? ",never," : ",current,") + trace + (ill ? ",ill,p" : ",healthy,p") +
            std::to_string(i) + "\n";
    std::string steps = "heart_rate,spo2\n";
    for (int t = 0; t < 5 + i % 4; ++t)
      steps +=
          std::to_string(70 + 5 * t % 11 + i) + "," + (t == 2 ? "" : std::to_string(97 - t)) + "\n";
    folder.write(trace, steps);
  }
  folder.write("studies.csv", rows);
}

/// A folder in which the README's lines mean something.
struct Desk {
  TempFolder folder;

  Desk() {
    fs::create_directory_symlink(FOVEA_BINARY_DIR, folder / "build");
    for (uint64_t i = 0; i < 12; ++i)
      for (const bool ill : {false, true})
        write_image(folder.path() / "radiographs" / (ill ? "ill" : "healthy") /
                        (std::to_string(i) + ".png"),
                    ill, i);
    write_image(folder / "new_studies/a.png", false, 100);
    write_image(folder / "new_studies/b.png", true, 101);
    write_published_weights(folder / "resnet18.safetensors");
    for (const Block& block : blocks_of(section(readme(), "Train on your own data")))
      if (block.language == "yaml") folder.write("my.yaml", block.text);
    write_studies(folder);
    for (const Block& block :
         blocks_of(section(readme(), "Reports, signals, tables, and several at once")))
      if (block.language == "yaml") folder.write("studies.yaml", block.text);
  }

  /// As typed there; training gets one epoch and the demo set two patients, so that it is quick.
  Outcome type(std::string line) const {
    if (line.find("fovea train ") != std::string::npos)
      line += " --device cpu --set train.epochs=1 --set train.batch_size=8";
    if (line.find("fovea phantom ") != std::string::npos) line += " --set patients=2";
    return run_shell("cd " + quoted(folder.path().string()) +
                     " && export PATH=" + quoted(FOVEA_BINARY_DIR) + ":$PATH && " + line);
  }
};

const Desk& desk() {
  static const Desk instance;
  return instance;
}

TEST(Readme, EveryShellLineIsACommandOfFoveaOrOneThatIsKnownNotToRunHere) {
  for (const std::string& line : shell_lines()) {
    const bool known = std::ranges::any_of(
        kNotRun, [&](const auto& entry) { return line.starts_with(entry.first); });
    EXPECT_TRUE(is_fovea(line) || known) << line;
  }
}

TEST(Readme, TheCommandsForYourOwnDataRunInTheirOrder) {
  ASSERT_TRUE(fs::exists(desk().folder / "my.yaml")) << "no YAML under Train on your own data";
  int64_t count = 0;
  for (const std::string& line : shell_lines()) {
    if (!is_fovea(line)) continue;
    const Outcome outcome = desk().type(line);
    EXPECT_EQ(outcome.code, 0) << line << '\n' << outcome.err;
    ++count;
  }
  EXPECT_GE(count, 5);
  EXPECT_TRUE(fs::exists(desk().folder / "runs/mine/eval-test/metrics.json"));
  EXPECT_THAT(read_text(desk().folder / "predictions.csv"),
              testing::AllOf(testing::HasSubstr("p_healthy,p_ill"), testing::HasSubstr("a.png"),
                             testing::HasSubstr("b.png")));
  EXPECT_TRUE(fs::exists(desk().folder / "runs/tuned/best/model.safetensors"));
  EXPECT_TRUE(fs::exists(desk().folder / "runs/studies/eval-test/metrics.json"));
  EXPECT_TRUE(fs::exists(desk().folder / "why/explanations.jsonl"));
}

TEST(Readme, TheCommandsOfTheTableRun) {
  const std::vector<std::pair<std::string, std::string>> meant{
      {"CONFIG", "my.yaml"},
      {"RUN_A RUN_B…", "runs/mine runs/mine"},
      {"RUN", "runs/mine"},
      {"FILES…", "new_studies/a.png new_studies/b.png"},
      {"FILE…", "new_studies/a.png resnet18.safetensors runs/mine"},
      {"DIR", "demo"},
      {"BUNDLE", "runs/mine/bundle"},
      {"KEY", "key"}};
  const std::vector<std::string> commands = table_of_commands();
  EXPECT_EQ(commands.size(), 12u);
  ASSERT_EQ(desk().type("openssl genpkey -algorithm ed25519 -out key.pem").code, 0);
  for (std::string line : commands) {
    for (const auto& [placeholder, value] : meant)
      if (const size_t at = line.find(placeholder); at != std::string::npos)
        line.replace(at, placeholder.size(), value);
    const Outcome outcome = desk().type(line);
    EXPECT_EQ(outcome.code, 0) << line << '\n' << outcome.err;
  }
  for (const char* family :
       {"transforms", "losses", "metrics", "optimizers", "schedules", "tokenizers", "formats"})
    EXPECT_EQ(desk().type(std::string("fovea list ") + family).code, 0) << family;
}

TEST(Configs, ImageFolderRunsEndToEndOnFoldersOfSplits) {
  const TempFolder folder;
  uint64_t index = 0;
  for (const char* split : {"train", "val", "test"})
    for (int i = 0; i < (split == std::string("train") ? 8 : 3); ++i)
      for (const bool ill : {false, true})
        write_image(folder.path() / "images" / split / (ill ? "ill" : "healthy") /
                        (std::to_string(i) + ".png"),
                    ill, index++);
  const std::string config = (fs::path(FOVEA_SOURCE_DIR) / "configs/image_folder.yaml").string();
  const std::string run = (folder / "run").string();
  const Outcome trained =
      fovea({"train", config, "--set", "data.folder=" + (folder / "images").string(), "--set",
             "train.epochs=1", "--set", "train.schedule.cosine.warmup=0", "--set",
             "train.batch_size=8", "--device", "cpu", "--out", run});
  ASSERT_EQ(trained.code, 0) << trained.err;
  const Outcome evaluated = fovea({"eval", run, "--split", "test"});
  ASSERT_EQ(evaluated.code, 0) << evaluated.err;
  EXPECT_THAT(evaluated.last_line(), testing::HasSubstr("n=6"));
  const Outcome inferred = fovea({"infer", run, (folder / "images/test").string()});
  ASSERT_EQ(inferred.code, 0) << inferred.err;
  EXPECT_THAT(inferred.out, testing::HasSubstr("p_healthy,p_ill"));
}

}  // namespace
}  // namespace fovea::test
