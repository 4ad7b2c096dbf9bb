// One thread that moves bytes from pipes into files, so that a slow disk never stops the supervisor's event loop.
//
// The thread runs C code only: it never allocates and takes no lock, so the supervisor may clone children while it runs.
#pragma once
#include <stddef.h>
#include <stdint.h>

struct serai_writer_job {
  uint64_t token;
  int pipe, file;
  int64_t offset;
  uint32_t count;
  /// Result: bytes moved, 0 at the end of the pipe (no writer is left), -errno.
  int32_t result;
};
enum { SERAI_WRITER_SLOTS = 4096 };

/// Starts the thread. Returns the eventfd that becomes readable when results wait, or -errno. Once per process.
int serai_writer_start(void);
/// Queues a job; at most SERAI_WRITER_SLOTS may be unfinished (-EAGAIN).
int serai_writer_submit(const struct serai_writer_job *_Nonnull job);
/// Takes one finished job: 1, or 0 when none.
int serai_writer_take(struct serai_writer_job *_Nonnull job);
