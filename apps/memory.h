// What a command asks of the process's memory.
#pragma once

/// glibc gives large freed buffers back to the kernel and faults
/// them in again at the next step; a loop of steps or batches keeps them.
void keep_freed_memory();

/// LibTorch touches 50 MB of its code while it registers its operators, and most of that never
/// again; this takes it out of the process's resident memory. For commands that answer and end.
void release_startup_code();
