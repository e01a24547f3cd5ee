// What a command asks of the process's memory.
#pragma once

/// For commands that go round a loop. glibc gives large freed buffers back to the kernel and faults
/// them in again at the next step; keeping them costs nothing.
void keep_freed_memory();

/// For commands that answer and end. LibTorch touches 50 MB of its code while it registers its
/// operators, and most of that never again; this takes it out of the process's resident memory.
void release_startup_code();
