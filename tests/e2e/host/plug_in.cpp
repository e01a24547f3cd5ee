// A plug-in with a model in it.
#include <fovea/fovea.h>

#include <cstdio>

extern "C" __attribute__((visibility("default"))) int decide(const char* run, const char* file,
                                                             char* out, size_t size) {
  try {
    const fovea::Prediction found = fovea::load(run).predict(file);
    std::snprintf(out, size, "%s %f", found.decision.c_str(), found.probabilities.at(0).second);
    return 0;
  } catch (const fovea::Error& error) {
    std::snprintf(out, size, "%s", error.what());
    return static_cast<int>(error.fault());
  }
}
