#include "streams.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <initializer_list>

namespace {

bool output_closed = false;

}  // namespace

// In this order: the lowest number that is free is taken.
void open_closed_streams() {
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (fcntl(stream, F_GETFD) != -1 || errno != EBADF) continue;
    output_closed |= stream == STDOUT_FILENO;
    [[maybe_unused]] const int opened = open("/dev/null", O_RDWR);
  }
}

bool output_was_closed() { return output_closed; }
