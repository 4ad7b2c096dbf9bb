// What every attempt of the probe is made of.
//
// An attempt tries one thing that an isolated task must not be able to do, or that is only worth counting, and returns
// 0 when the kernel let it, else the errno of the refusal. It runs in a process of its own, and undoes what it did, so
// that a success on the host (the control) leaves nothing behind: files are opened for writing and not written, mounts
// are made in a private directory and taken away again.
#pragma once
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

struct attempt {
  const char *name;
  int (*run)(void);
  struct attempt *next;
};
void attempt_add(struct attempt *attempt);

/// Defines an attempt; `id` with "-" for "_" is the name that is reported.
#define ATTEMPT(id)                                                                                                    \
  static int try_##id(void);                                                                                           \
  __attribute__((constructor)) static void register_##id(void) {                                                       \
    static struct attempt entry = {#id, try_##id, 0};                                                                  \
    attempt_add(&entry);                                                                                               \
  }                                                                                                                    \
  static int try_##id(void)

/// 0 or errno of a call that succeeds where nothing forbids it.
static inline int tried(long result) { return result < 0 ? errno : 0; }

/// For a call with arguments that the kernel refuses once it is past its permission checks: anything but a refusal means
/// that the code behind was reached.
static inline int reached(long result) {
  if (result >= 0) return 0;
  return errno == EPERM || errno == EACCES || errno == ENOSYS ? errno : 0;
}

/// Opens and closes.
static inline int opens(const char *path, int flags) {
  int fd = open(path, flags | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  if (fd < 0) return errno;
  close(fd);
  return 0;
}

/// ENODATA when the file can be opened but says nothing (a masked path), as good as a refusal.
int reads(const char *path);
/// ENODATA when the directory has no entries.
int lists(const char *path);
/// A private directory that can be written, made on first use; the task's own /local or /tmp where there is one.
const char *workspace(void);
/// A path in the workspace.
const char *in_workspace(const char *name);
/// An environment variable that the test passes, or "".
const char *given(const char *name);
