#include "fovea/phantom/phantom.h"

#include <fmt/format.h>

#include <iostream>

#include "fovea/commands/commands.h"
#include "fovea/config/yaml.h"
#include "fovea/core/catalogue.h"
#include "fovea/report/progress.h"

namespace fovea::commands {

int phantom(const PhantomRequest& request) {
  Node settings;
  settings.kind = Node::Kind::map;
  for (const std::string& assignment : request.set) config::set_value(settings, assignment);
  phantom::PhantomOptions options;
  Fields::read(settings, options);

  std::unique_ptr<report::Progress> progress;
  int64_t shown = 0;
  const phantom::Summary made =
      phantom::write_phantoms(request.out, options, [&](int64_t done, int64_t total) {
        if (!progress)
          progress = std::make_unique<report::Progress>(
              "phantoms", total, report::Terminal::standard_error(), "files");
        progress->advance(done - shown);
        shown = done;
      });
  if (progress) progress->finish();
  std::cout << fmt::format(
      "{}: {} patients, {} radiographs ({} with lesions), {} CT series; labels in {}\n",
      request.out.string(), made.patients, made.images, made.images_with_lesions, made.volumes,
      (request.out / "labels.csv").string());
  return 0;
}

}  // namespace fovea::commands
