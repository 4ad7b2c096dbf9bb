// The in-task init: a freestanding program of about 1 KB (no libc, no data) that is compiled into this library as one
// section and written out as an ELF file, so that a plain `swift build` needs no second linker run.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/// Descriptors the init expects: where it leaves the task's wait status, and the socket on which a failed exec is told.
enum { SERAI_INIT_STATUS_FD = 3, SERAI_INIT_REPORT_FD = 4 };
/// First four bytes of the status file once the task has ended; the next four are the wait(2) status.
enum { SERAI_INIT_MAGIC = 0x53455241 };
/// The step number the init puts into the report of a failed execve (see Isolation's Report).
enum { SERAI_INIT_STEP_EXECUTE = 255 };

/// Writes the init's ELF image into `buffer`; returns its size, or -ENOSPC.
ssize_t serai_init_image(uint8_t *_Nonnull buffer, size_t capacity);
