#include <poll.h>
#include <unistd.h>

#include "fovea/commands/commands.h"

namespace fovea::commands {

bool nobody_reads() {
  pollfd output{STDOUT_FILENO, POLLOUT, 0};
  return poll(&output, 1, 0) == 1 && (output.revents & (POLLERR | POLLHUP)) != 0;
}

}  // namespace fovea::commands
