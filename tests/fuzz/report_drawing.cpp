// Parser: src/report/page/drawing.cpp
#include "fuzz/support/fuzz.h"
#include "report/page/drawing.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace fovea;
  const report::page::Drawing drawing =
      report::page::drawing(fuzz::Input(data, size).rest(), "a-", "a drawing");
  if (!drawing.why_not.empty()) return 0;
  const std::string& svg = drawing.svg.text();
  fuzz::require(svg.starts_with("<svg") && svg.ends_with(">"), "no drawing");
  for (const char* part : {"<script", "<foreignObject", "<image", "<style", "<!--"})
    fuzz::require(svg.find(part) == std::string::npos, part);
  return 0;
}
