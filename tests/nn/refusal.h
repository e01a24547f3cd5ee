// What a wrong setting is told.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "fovea/core/error.h"

namespace fovea::test {

/// The message of the config Error that `body` throws; "no error" where it throws none.
template <class Body>
std::string config_message(const Body& body) {
  try {
    body();
  } catch (const Error& error) {
    EXPECT_EQ(error.fault(), Fault::config);
    return error.what();
  }
  return "no error";
}

}  // namespace fovea::test
