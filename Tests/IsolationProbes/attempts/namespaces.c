// New namespaces, and entering those of others.
#include "attempt.h"

#include <linux/sched.h>

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x80
#endif

ATTEMPT(unshare_user) { return tried(unshare(CLONE_NEWUSER)); }
ATTEMPT(unshare_mount) { return tried(unshare(CLONE_NEWNS)); }
ATTEMPT(unshare_pid) { return tried(unshare(CLONE_NEWPID)); }
ATTEMPT(unshare_net) { return tried(unshare(CLONE_NEWNET)); }
ATTEMPT(unshare_ipc) { return tried(unshare(CLONE_NEWIPC)); }
ATTEMPT(unshare_uts) { return tried(unshare(CLONE_NEWUTS)); }
ATTEMPT(unshare_cgroup) { return tried(unshare(CLONE_NEWCGROUP)); }
ATTEMPT(unshare_time) { return tried(unshare(CLONE_NEWTIME)); }

ATTEMPT(unshare_user_then_mount) {
  if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0) return errno;
  return tried(mount("x", workspace(), "tmpfs", 0, 0));
}

static int clones(unsigned long flags) {
  long child = syscall(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0);
  if (child < 0) return errno;
  if (child == 0) _exit(0);
  waitpid((pid_t)child, 0, 0);
  return 0;
}
ATTEMPT(clone_user) { return clones(CLONE_NEWUSER); }
ATTEMPT(clone_mount) { return clones(CLONE_NEWNS); }
ATTEMPT(clone_pid) { return clones(CLONE_NEWPID); }
ATTEMPT(clone_net) { return clones(CLONE_NEWNET); }
ATTEMPT(clone_ipc) { return clones(CLONE_NEWIPC); }
ATTEMPT(clone_uts) { return clones(CLONE_NEWUTS); }
ATTEMPT(clone_cgroup) { return clones(CLONE_NEWCGROUP); }

static int clones3(uint64_t flags) {
  struct clone_args arguments = {.flags = flags, .exit_signal = SIGCHLD};
  long child = syscall(SYS_clone3, &arguments, sizeof arguments);
  if (child < 0) return errno;
  if (child == 0) _exit(0);
  waitpid((pid_t)child, 0, 0);
  return 0;
}
ATTEMPT(clone3_user) { return clones3(CLONE_NEWUSER); }
ATTEMPT(clone3_mount) { return clones3(CLONE_NEWNS); }
ATTEMPT(clone3_time) { return clones3(CLONE_NEWTIME); }

// The same through the 32-bit and the x32 entry, which have call numbers of their own: a filter that knows only x86-64
// numbers lets them pass.
ATTEMPT(ia32_unshare_user) {
  long result;
  __asm__ volatile("int $0x80" : "=a"(result) : "a"(310L), "b"((long)CLONE_NEWUSER) : "memory", "r8", "r9", "r10", "r11");
  if (result < 0) return (int)-result;
  return 0;
}
ATTEMPT(ia32_getpid) {
  long result;
  __asm__ volatile("int $0x80" : "=a"(result) : "a"(20L) : "memory", "r8", "r9", "r10", "r11");
  return result < 0 ? (int)-result : 0;
}
ATTEMPT(x32_unshare_user) { return tried(syscall(0x40000000 | SYS_unshare, CLONE_NEWUSER)); }
ATTEMPT(x32_getpid) { return tried(syscall(0x40000000 | SYS_getpid)); }

static int enters(const char *path) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return errno;
  return tried(setns(fd, 0));
}
ATTEMPT(setns_own_mount) { return enters("/proc/self/ns/mnt"); }
ATTEMPT(setns_own_net) { return enters("/proc/self/ns/net"); }
ATTEMPT(setns_own_uts) { return enters("/proc/self/ns/uts"); }
ATTEMPT(setns_own_pid) { return enters("/proc/self/ns/pid"); }
ATTEMPT(setns_init_mount) { return enters("/proc/1/ns/mnt"); }
ATTEMPT(setns_init_user) { return enters("/proc/1/ns/user"); }
ATTEMPT(setns_parent_pidfd) {
  int fd = (int)syscall(SYS_pidfd_open, getppid(), 0);
  if (fd < 0) return errno;
  return tried(setns(fd, CLONE_NEWNS | CLONE_NEWUTS));
}
