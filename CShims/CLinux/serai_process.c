#define _GNU_SOURCE
#include <stdlib.h>
#include <stdio.h>
#include <semaphore.h>
#include "serai_process.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

#define RESULT(expression) ({ __typeof__(expression) r_ = (expression); r_ < 0 ? (__typeof__(r_))-errno : r_; })

pid_t serai_gettid(void) { return gettid(); }
const char *serai_errno_name(int code) { return strerrorname_np(code); }
const char *serai_errno_text(int code) { return strerrordesc_np(code); }

int serai_clone(uint64_t namespaces, int cgroup, int *pidfd) {
  struct clone_args args = {
    .flags = namespaces | CLONE_PIDFD | (cgroup >= 0 ? CLONE_INTO_CGROUP : 0),
    .pidfd = (uintptr_t)pidfd,
    .exit_signal = SIGCHLD,
    .cgroup = cgroup >= 0 ? (uint64_t)cgroup : 0,
  };
  return RESULT((int)syscall(SYS_clone3, &args, sizeof args));
}

int serai_clone_sibling(int *pidfd) {
  // With CLONE_PARENT the exit signal is the caller's own and must not be given.
  struct clone_args args = {.flags = CLONE_PARENT | CLONE_PIDFD, .pidfd = (uintptr_t)pidfd};
  return RESULT((int)syscall(SYS_clone3, &args, sizeof args));
}

int serai_pidfd_open(pid_t pid) { return RESULT((int)syscall(SYS_pidfd_open, pid, 0)); }
int serai_pidfd_signal(int pidfd, int signal) {
  return RESULT((int)syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0));
}

int serai_pidfd_wait(int pidfd, int *status) {
  siginfo_t info;
  memset(&info, 0, sizeof info);
  int r;
  do r = waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED | WNOHANG);
  while (r < 0 && errno == EINTR);
  if (r < 0) return -errno;
  if (info.si_pid == 0) return 0;
  if (info.si_code == CLD_EXITED) *status = (info.si_status & 0xff) << 8;
  else *status = (info.si_status & 0x7f) | (info.si_code == CLD_DUMPED ? 0x80 : 0);
  return 1;
}

// struct pidfd_info of Linux 6.15; Debian 12's headers are older.
struct serai_pidfd_info {
  uint64_t mask, cgroupid;
  uint32_t pid, tgid, ppid, ruid, rgid, euid, egid, suid, sgid, fsuid, fsgid;
  int32_t exit_code;
};
#define SERAI_PIDFD_GET_INFO _IOWR(0xFF, 11, struct serai_pidfd_info)
#define SERAI_PIDFD_INFO_EXIT (1ULL << 3)

int serai_pidfd_exit_status(int pidfd, int *status) {
  struct serai_pidfd_info info;
  memset(&info, 0, sizeof info);
  info.mask = SERAI_PIDFD_INFO_EXIT;
  if (ioctl(pidfd, SERAI_PIDFD_GET_INFO, &info) < 0) return -errno;
  if (!(info.mask & SERAI_PIDFD_INFO_EXIT)) return 0;
  *status = info.exit_code;
  return 1;
}

pid_t serai_wait_any(int *status) {
  pid_t r;
  do r = waitpid(-1, status, WNOHANG);
  while (r < 0 && errno == EINTR);
  return r < 0 ? -errno : r;
}
int serai_kill(pid_t pid, int signal) { return RESULT(kill(pid, signal)); }

int serai_setsid(void) { return RESULT(setsid()); }
int serai_setns(int fd, int type) { return RESULT(setns(fd, type)); }
int serai_unshare(uint64_t flags) { return RESULT(unshare((int)flags)); }
int serai_sethostname(const char *name, size_t length) { return RESULT(sethostname(name, length)); }
int serai_chroot(const char *path) { return RESULT(chroot(path)); }

int serai_setgroups(size_t count, const uint32_t *groups) { return RESULT((int)syscall(SYS_setgroups, count, groups)); }
int serai_setresgid(uint32_t gid) { return RESULT((int)syscall(SYS_setresgid, gid, gid, gid)); }
int serai_setresuid(uint32_t uid) { return RESULT((int)syscall(SYS_setresuid, uid, uid, uid)); }

int serai_capset(uint64_t effective, uint64_t permitted, uint64_t inheritable) {
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct data[2];
  for (int i = 0; i < 2; i++) {
    data[i].effective = (uint32_t)(effective >> (32 * i));
    data[i].permitted = (uint32_t)(permitted >> (32 * i));
    data[i].inheritable = (uint32_t)(inheritable >> (32 * i));
  }
  return RESULT((int)syscall(SYS_capset, &header, data));
}
int serai_capget(uint64_t *effective, uint64_t *permitted, uint64_t *inheritable) {
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct data[2];
  if (syscall(SYS_capget, &header, data) < 0) return -errno;
  *effective = data[0].effective | (uint64_t)data[1].effective << 32;
  *permitted = data[0].permitted | (uint64_t)data[1].permitted << 32;
  *inheritable = data[0].inheritable | (uint64_t)data[1].inheritable << 32;
  return 0;
}
int serai_bounding_drop(int capability) { return RESULT(prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)); }
int serai_ambient_clear(void) { return RESULT(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)); }
int serai_ambient_raise(int capability) {
  return RESULT(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0));
}
int serai_no_new_privileges(void) { return RESULT(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)); }
int serai_set_dumpable(int on) { return RESULT(prctl(PR_SET_DUMPABLE, on, 0, 0, 0)); }
int serai_set_name(const char *name) { return RESULT(prctl(PR_SET_NAME, name, 0, 0, 0)); }
int serai_keep_capabilities(int on) { return RESULT(prctl(PR_SET_KEEPCAPS, on, 0, 0, 0)); }
int serai_child_subreaper(int on) { return RESULT(prctl(PR_SET_CHILD_SUBREAPER, on, 0, 0, 0)); }

int serai_setrlimit(int resource, uint64_t soft, uint64_t hard) {
  struct rlimit limit = {soft, hard};
  return RESULT(setrlimit(resource, &limit));
}
int serai_getrlimit(int resource, uint64_t *soft, uint64_t *hard) {
  struct rlimit limit;
  if (getrlimit(resource, &limit) < 0) return -errno;
  *soft = limit.rlim_cur;
  *hard = limit.rlim_max;
  return 0;
}

int serai_seccomp(const void *instructions, uint16_t count, int log) {
  struct sock_fprog program = {.len = count, .filter = (struct sock_filter *)instructions};
  unsigned flags = log ? SECCOMP_FILTER_FLAG_LOG : 0;
  return RESULT((int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program));
}

int serai_block_signals(uint64_t mask) {
  return RESULT((int)syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, NULL, sizeof mask));
}
void serai_reset_dispositions(void) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = SIG_DFL;
  for (int signal = 1; signal <= 64; signal++) sigaction(signal, &action, NULL);
}
void serai_ignore_sigpipe(void) { signal(SIGPIPE, SIG_IGN); }
void serai_default_sigpipe(void) { signal(SIGPIPE, SIG_DFL); }

int serai_execveat(int dirfd, const char *path, char *const *argv, char *const *envp, int flags) {
  return RESULT((int)syscall(SYS_execveat, dirfd, path, argv, envp, flags));
}
_Noreturn void serai_exit(int code) { _exit(code); }

int serai_spawn(const char *path, char *const *argv, char *const *envp, const int streams[3], const int *extra,
                int extra_count, int session) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  int raised[3 + 16];
  if (extra_count > 16) return -EINVAL;
  // The descriptors are first moved above the range they are dup2'ed to, so that none overwrites another.
  int total = 3 + extra_count, r = 0, moved = 0;
  for (; moved < total; moved++) {
    int fd = moved < 3 ? streams[moved] : extra[moved - 3];
    raised[moved] = fd < 0 ? open("/dev/null", O_RDWR | O_CLOEXEC) : fd;
    if (raised[moved] >= 0) {
      int high = fcntl(raised[moved], F_DUPFD_CLOEXEC, 32);
      int error = errno;
      if (fd < 0) close(raised[moved]);
      errno = error;
      raised[moved] = high;
    }
    if (raised[moved] < 0) {
      r = errno;
      break;
    }
  }
  pid_t pid = -1;
  if (r == 0) {
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    for (int i = 0; i < total && r == 0; i++) r = posix_spawn_file_actions_adddup2(&actions, raised[i], i);
    if (r == 0) r = posix_spawn_file_actions_addclosefrom_np(&actions, total);
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    short flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | (session ? POSIX_SPAWN_SETSID : 0);
    posix_spawnattr_setflags(&attributes, flags);
    if (r == 0) r = posix_spawn(&pid, path, &actions, &attributes, argv, envp);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
  }
  for (int i = 0; i < moved; i++) close(raised[i]);
  return r ? -r : pid;
}

struct thread_start {
  void *context;
  void (*body)(void *);
};
// The allocation: pthread_create takes one pointer, and the pair must outlive this call.
static void *thread_main(void *argument) {
  struct thread_start start = *(struct thread_start *)argument;
  free(argument);
  start.body(start.context);
  return NULL;
}
int serai_thread(size_t stack_bytes, void *context, void (*body)(void *)) {
  struct thread_start *start = malloc(sizeof *start);
  if (!start) return -ENOMEM;
  *start = (struct thread_start){context, body};
  pthread_attr_t attributes;
  pthread_t thread;
  pthread_attr_init(&attributes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  if (stack_bytes) pthread_attr_setstacksize(&attributes, stack_bytes);
  int r = pthread_create(&thread, &attributes, thread_main, start);
  pthread_attr_destroy(&attributes);
  if (r) free(start);
  return -r;
}

void serai_name_thread(const char *name) {
  char short_name[16];
  snprintf(short_name, sizeof short_name, "%s", name);
  pthread_setname_np(pthread_self(), short_name);
}

struct serai_semaphore {
  sem_t native;
};
struct serai_semaphore *serai_semaphore_create(void) {
  struct serai_semaphore *semaphore = malloc(sizeof *semaphore);
  if (!semaphore || sem_init(&semaphore->native, 0, 0) != 0) abort();
  return semaphore;
}
void serai_semaphore_destroy(struct serai_semaphore *semaphore) {
  sem_destroy(&semaphore->native);
  free(semaphore);
}
void serai_semaphore_post(struct serai_semaphore *semaphore) { sem_post(&semaphore->native); }
void serai_semaphore_wait(struct serai_semaphore *semaphore) {
  while (sem_wait(&semaphore->native) != 0 && errno == EINTR) {
  }
}
int serai_semaphore_wait_until(struct serai_semaphore *semaphore, int64_t nanoseconds) {
  struct timespec deadline = {.tv_sec = nanoseconds / 1000000000, .tv_nsec = nanoseconds % 1000000000};
  while (sem_clockwait(&semaphore->native, CLOCK_MONOTONIC, &deadline) != 0) {
    if (errno != EINTR) return 0;
  }
  return 1;
}
