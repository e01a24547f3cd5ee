// The three standard streams, which whoever starts the program may have closed.
#pragma once

/// Opens /dev/null in place of each that is closed: else the next file that the program opens would
/// take its number, and what is meant for the terminal would be written into that file. To be called
/// before any file is opened.
void open_closed_streams();

/// Whether standard output was closed when the program began.
bool output_was_closed();
