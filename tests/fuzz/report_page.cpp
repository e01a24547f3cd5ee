// Parser: src/report/page/document.cpp src/report/page/page.cpp src/report/page/thresholds.cpp src/report/page/numbers.cpp
#include "fovea/report/page.h"
#include "fuzz/support/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace fovea;
  return fuzz::answers([&] {
    const std::string page = report::report_page(fuzz::Input(data, size).rest(), "/nowhere");
    const size_t script = page.find("<script");
    fuzz::require(script == page.rfind("<script"), "a script that is not the page's own");
  });
}
