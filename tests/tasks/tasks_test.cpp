// The catalogue of the tasks.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fovea/core/log.h"
#include "fovea/tasks/task.h"

namespace fovea::tasks {
namespace {

using testing::HasSubstr;

TaskChoice read(const Node& node) {
  TaskChoice choice;
  fovea::read_value(node, choice);
  return choice;
}

TEST(Tasks, FormerNamesAreReadAsThoseOfTodayWithOneWarningEach) {
  std::vector<std::string> warnings;
  set_log_sink([&](Level level, const std::string& text) {
    if (level == Level::warning) warnings.push_back(text);
  });
  Node tagging, several;
  tagging.at("tagging").at("crf") = Node::scalar("false");
  several.at("several").at("tasks").at("found") = tagging;
  several.at("several").at("weights").at("found") = Node::scalar("0.5");
  for (int again = 0; again < 2; ++again) {
    EXPECT_EQ(inline_text(fovea::write_value(read(tagging))),
              "{token_classification: {crf: false, report: {}}}");
    EXPECT_EQ(inline_text(fovea::write_value(read(several))),
              "{multi_task: {tasks: {found: {token_classification: {crf: false, report: {}}}}, "
              "weights: {found: 0.5}}}");
  }
  set_log_sink({});
  ASSERT_EQ(warnings.size(), 2u);
  EXPECT_THAT(warnings[0],
              HasSubstr("'tagging' among the tasks is called 'token_classification' now"));
  EXPECT_THAT(warnings[1], HasSubstr("'several' among the tasks is called 'multi_task' now"));
}

TEST(Tasks, NamedEntityRecognitionIsTokenClassification) {
  EXPECT_EQ(read(Node::scalar("ner")).name(), "token_classification");
}

}  // namespace
}  // namespace fovea::tasks
