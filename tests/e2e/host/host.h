// What a host does with a model, each as one word of its command line.
#pragma once

#include <string>

namespace host {

/// Sets what belongs to the whole process, uses the model, and names what is no longer as it was.
int unchanged(const std::string& run, const std::string& folder);

}  // namespace host
