#define _GNU_SOURCE
#include "serai_process.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define RESULT(expression) ({ __typeof__(expression) r_ = (expression); r_ < 0 ? (__typeof__(r_))-errno : r_; })

// Lives only to hold the new namespace until its descriptor is open. It shares our memory: nothing but system calls.
static int hold_namespace(void *ignored) {
  (void)ignored;
  for (;;) syscall(SYS_pause);
}

// "<number>" into `text`; returns its length. Not snprintf: it may take locks.
static size_t put_number(char *text, uint64_t number) {
  char digits[20];
  size_t count = 0;
  do digits[count++] = (char)('0' + number % 10);
  while (number /= 10);
  for (size_t i = 0; i < count; i++) text[i] = digits[count - 1 - i];
  return count;
}

static int write_map(int directory, const char *name, uint32_t first, uint32_t count) {
  char line[64] = "0 ";
  size_t length = 2 + put_number(line + 2, first);
  line[length++] = ' ';
  length += put_number(line + length, count);
  int file = openat(directory, name, O_WRONLY | O_CLOEXEC);
  if (file < 0) return -errno;
  int result = write(file, line, length) < 0 ? -errno : 0;
  close(file);
  return result;
}

pid_t serai_user_namespace_hold(void **stack) {
  const size_t size = 4096;
  *stack = malloc(size);
  if (!*stack) return -ENOMEM;
  // The stack grows down, from an address of which 16 is a factor.
  char *top = (char *)(((uintptr_t)*stack + size) & ~(uintptr_t)15);
  pid_t helper = RESULT(clone(hold_namespace, top, CLONE_VM | CLONE_NEWUSER | SIGCHLD, NULL));
  if (helper < 0) free(*stack);
  return helper;
}

int serai_user_namespace_map(int proc, pid_t helper, uint32_t first, uint32_t count) {
  char path[24];
  size_t length = put_number(path, (uint64_t)helper);
  path[length] = 0;
  int directory = openat(proc, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) return -errno;
  int result = write_map(directory, "uid_map", first, count);
  if (result == 0) result = write_map(directory, "gid_map", first, count);
  if (result == 0) {
    result = openat(directory, "ns/user", O_RDONLY | O_CLOEXEC);
    if (result < 0) result = -errno;
  }
  close(directory);
  return result;
}

void serai_user_namespace_reap(pid_t helper, void *stack) {
  while (waitpid(helper, NULL, __WALL) < 0 && errno == EINTR) continue;
  free(stack);
}

int serai_setfsids(uint32_t uid, uint32_t gid) {
  // Both report the old id, whatever happens: ask again with an id that is never accepted.
  syscall(SYS_setfsgid, gid);
  syscall(SYS_setfsuid, uid);
  if ((uint32_t)syscall(SYS_setfsuid, -1) != uid || (uint32_t)syscall(SYS_setfsgid, -1) != gid) return -EPERM;
  return 0;
}

int serai_secure_bits(unsigned long bits) { return RESULT(prctl(PR_SET_SECUREBITS, bits, 0, 0, 0)); }

int serai_loopback_up(void) {
  int control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (control < 0) return -errno;
  struct ifreq request;
  memset(&request, 0, sizeof request);
  memcpy(request.ifr_name, "lo", 3);
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  int result = RESULT(ioctl(control, SIOCSIFFLAGS, &request));
  close(control);
  return result;
}

// linux/landlock.h and linux/bpf.h of Debian 12 are older than what is used here; the layouts never change.
struct landlock_ruleset {
  uint64_t handled_access_fs, handled_access_net, scoped;
};
struct landlock_beneath {
  uint64_t allowed_access;
  int32_t parent_fd;
} __attribute__((packed));

int serai_landlock_abi(void) { return RESULT((int)syscall(SYS_landlock_create_ruleset, NULL, 0, 1)); }
int serai_landlock_create(uint64_t file_access, uint64_t scoped) {
  struct landlock_ruleset ruleset = {file_access, 0, scoped};
  // An older kernel refuses a structure that is longer than its own, unless the rest is zero.
  return RESULT((int)syscall(SYS_landlock_create_ruleset, &ruleset, sizeof ruleset, 0));
}
int serai_landlock_allow(int ruleset, int fd, uint64_t access) {
  struct landlock_beneath rule = {access, fd};
  return RESULT((int)syscall(SYS_landlock_add_rule, ruleset, 1, &rule, 0));
}
int serai_landlock_restrict(int ruleset) { return RESULT((int)syscall(SYS_landlock_restrict_self, ruleset, 0)); }

struct bpf_load {
  uint32_t type, count;
  uint64_t instructions, license;
  uint32_t log_level, log_size;
  uint64_t log_buffer;
  uint32_t kernel_version, flags;
};
struct bpf_attach {
  uint32_t target, program, type, flags, replaced;
};

int serai_bpf_load_device(const void *instructions, uint32_t count) {
  static const char license[] = "Apache-2.0";
  struct bpf_load load = {
    .type = 15,  // BPF_PROG_TYPE_CGROUP_DEVICE
    .count = count,
    .instructions = (uintptr_t)instructions,
    .license = (uintptr_t)license,
  };
  return RESULT((int)syscall(SYS_bpf, 5, &load, sizeof load));  // BPF_PROG_LOAD; the descriptor has O_CLOEXEC
}
int serai_bpf_attach_device(int cgroup, int program, int replaced) {
  struct bpf_attach attach = {
    .target = (uint32_t)cgroup,
    .program = (uint32_t)program,
    .type = 6,                              // BPF_CGROUP_DEVICE
    .flags = replaced >= 0 ? 2u | 4u : 2u,  // BPF_F_ALLOW_MULTI, BPF_F_REPLACE
    .replaced = replaced >= 0 ? (uint32_t)replaced : 0,
  };
  return RESULT((int)syscall(SYS_bpf, 8, &attach, sizeof attach));  // BPF_PROG_ATTACH
}
