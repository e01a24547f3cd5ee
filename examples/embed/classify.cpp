// classify RUN_OR_BUNDLE FILE: what a trained model says of one file.
#include <fovea/fovea.h>

#include <iostream>

int main(int argc, char** argv) try {
  if (argc != 3) return std::cerr << "usage: classify RUN_OR_BUNDLE FILE\n", 2;
  const fovea::Prediction found = fovea::load(argv[1]).predict(argv[2]);
  for (const auto& [name, probability] : found.probabilities)
    std::cout << name << ' ' << probability << '\n';
  std::cout << "decision " << found.decision << '\n';
} catch (const fovea::Error& error) {
  std::cerr << error.what() << '\n';
  return static_cast<int>(error.fault());
}
