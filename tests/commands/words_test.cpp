// What the library calls by the fields of its structs, the program calls by keys and options that
// exist.
#include "fovea/commands/words.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>
#include <set>

#include "fovea/commands/commands.h"
#include "support/program.h"

namespace fovea::commands {
namespace {

using testing::HasSubstr;

/// The texts between quotes of every source of the library below the program, with their places.
std::vector<std::pair<std::string, std::string>> texts_of_the_library() {
  std::vector<std::pair<std::string, std::string>> texts;
  const std::set<std::string> front_end = {"commands", "config"};
  const std::regex quoted(R"re("((?:[^"\\]|\\.)*)")re");
  for (const char* folder : {"src", "kernels", "include"}) {
    const auto root = std::filesystem::path(FOVEA_SOURCE_DIR) / folder;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
      const std::string module = entry.path().parent_path().filename();
      const std::string ending = entry.path().extension();
      if (front_end.contains(module) || (ending != ".cpp" && ending != ".h")) continue;
      std::istringstream lines(test::read_text(entry.path()));
      std::string line;
      for (int64_t n = 1; std::getline(lines, line); ++n) {
        // The help of a setting is for the program's own documentation.
        if (line.starts_with("#include") || line.find(" f(\"") != std::string::npos) continue;
        line = std::regex_replace(line, std::regex("(^| )//.*"), "");
        for (std::sregex_iterator it(line.begin(), line.end(), quoted), end; it != end; ++it)
          texts.emplace_back(entry.path().string() + ":" + std::to_string(n), (*it)[1]);
      }
    }
  }
  return texts;
}

TEST(Words, EverySettingThatTheLibraryNamesHasAKeyOrAnOptionThatExists) {
  const std::string keys = configuration_reference();
  const auto has_key = [&](const std::string& name) {
    return keys.find("`" + name + "`") != std::string::npos ||
           keys.find("." + name + "`") != std::string::npos ||
           keys.find("." + name + ".") != std::string::npos;
  };
  std::string options;
  for (const auto& app :
       std::filesystem::directory_iterator(std::filesystem::path(FOVEA_SOURCE_DIR) / "apps"))
    options += test::read_text(app.path());
  const std::regex setting("([A-Z][A-Za-z0-9]*)::([a-z][a-z0-9_]*)");
  int named = 0;
  for (const auto& [place, text] : texts_of_the_library())
    for (std::sregex_iterator it(text.begin(), text.end(), setting), end; it != end; ++it) {
      ++named;
      const std::string word = word_for((*it)[1].str(), (*it)[2].str());
      EXPECT_NE(word, "") << place << ": " << it->str() << " has no word in src/commands/words.cpp";
      if (word.starts_with("--"))
        EXPECT_THAT(options, HasSubstr('"' + word)) << place;
      else  // the last step of the key, as the table of its section lists it
        EXPECT_TRUE(has_key(word.substr(word.rfind('.') + 1))) << place << ": " << word;
    }
  EXPECT_GT(named, 20);
}

TEST(Words, TheLibraryNamesNoKeyOfAConfigAndNoOptionOfACommand) {
  const std::regex key(R"((^|[^\w.])(data|train|model|task|transforms)\.[a-z_]+)");
  const std::regex option(R"((^|[ (`])--[a-z])");
  const std::regex property(R"(--[a-z]+:\{\})");  // of a style sheet
  const std::regex file(R"((model|data)\.(safetensors|json|pkl|vocab|max_input))");
  for (const auto& [place, text] : texts_of_the_library()) {
    std::string rest = std::regex_replace(text, file, "");
    rest = std::regex_replace(rest, property, "");
    EXPECT_FALSE(std::regex_search(rest, key) || std::regex_search(rest, option))
        << place << ": \"" << text
        << "\"; name the field as C++ does (TrainOptions::batch_size), see core/error.h";
  }
}

TEST(Words, AMessageIsWordedWithTheKeysOfTheConfig) {
  EXPECT_EQ(in_our_words("lower TrainOptions::batch_size, or see std::vector::at."),
            "lower train.batch_size, or see std::vector::at.");
  EXPECT_EQ(in_our_words("set DataOptions::inputs.chest.columns."),
            "set data.inputs.chest.columns.");
  EXPECT_EQ(in_our_words("RunOptions::allow_changed"), "--allow-changed");
}

}  // namespace
}  // namespace fovea::commands
