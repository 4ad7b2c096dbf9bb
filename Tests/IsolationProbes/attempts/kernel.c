// System calls that no task needs, each with arguments that do no harm where it is allowed.
#include "attempt.h"

#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <sys/uio.h>
#include <time.h>

ATTEMPT(bpf) {
  union bpf_attr attributes;
  memset(&attributes, 0, sizeof attributes);
  attributes.map_type = BPF_MAP_TYPE_ARRAY;
  attributes.key_size = 4, attributes.value_size = 4, attributes.max_entries = 1;
  return tried(syscall(SYS_bpf, BPF_MAP_CREATE, &attributes, sizeof attributes));
}
ATTEMPT(perf_event_open) {
  struct perf_event_attr attributes = {.type = PERF_TYPE_SOFTWARE, .size = sizeof attributes};
  attributes.config = PERF_COUNT_SW_CPU_CLOCK;
  return tried(syscall(SYS_perf_event_open, &attributes, 0, -1, -1, 0));
}
ATTEMPT(perf_event_open_all) {
  struct perf_event_attr attributes = {.type = PERF_TYPE_SOFTWARE, .size = sizeof attributes};
  attributes.config = PERF_COUNT_SW_CPU_CLOCK;
  return tried(syscall(SYS_perf_event_open, &attributes, -1, 0, -1, 0));
}
ATTEMPT(userfaultfd) { return tried(syscall(SYS_userfaultfd, 0)); }
ATTEMPT(userfaultfd_user_only) { return tried(syscall(SYS_userfaultfd, 1)); }
ATTEMPT(io_uring_setup) {
  char parameters[120] = {0};
  return tried(syscall(SYS_io_uring_setup, 4, parameters));
}
ATTEMPT(io_uring_enter) { return reached(syscall(SYS_io_uring_enter, -1, 0, 0, 0, 0, 0)); }
ATTEMPT(io_uring_register) { return reached(syscall(SYS_io_uring_register, -1, 0, 0, 0)); }
ATTEMPT(add_key) { return tried(syscall(SYS_add_key, "user", "serai-probe", "x", 1, -1)); }
// ENOKEY is the kernel's answer to who may ask.
ATTEMPT(request_key) { return reached(syscall(SYS_request_key, "user", "serai-probe-none", 0, 0)); }
ATTEMPT(keyctl_join) { return tried(syscall(SYS_keyctl, 1, 0)); }
ATTEMPT(keyctl_session) { return tried(syscall(SYS_keyctl, 0, -3, 1)); }
ATTEMPT(kexec_load) { return reached(syscall(SYS_kexec_load, 0, 0, 0, 0xffff)); }
ATTEMPT(kexec_file_load) { return reached(syscall(SYS_kexec_file_load, -1, -1, 0, 0, 0)); }
ATTEMPT(init_module) { return reached(syscall(SYS_init_module, 0, 0, "")); }
ATTEMPT(finit_module) { return reached(syscall(SYS_finit_module, -1, "", 0)); }
ATTEMPT(delete_module) { return reached(syscall(SYS_delete_module, "no_such_module", 0)); }
ATTEMPT(swapon) { return reached(syscall(SYS_swapon, "/nonexistent", 0)); }
ATTEMPT(swapoff) { return reached(syscall(SYS_swapoff, "/nonexistent")); }
// A command that does not exist: EINVAL for who could.
ATTEMPT(reboot) { return reached(syscall(SYS_reboot, 0xfee1dead, 672274793, 0x12345, 0)); }
ATTEMPT(acct) { return reached(syscall(SYS_acct, "/nonexistent")); }
ATTEMPT(iopl) { return tried(syscall(SYS_iopl, 3)); }
ATTEMPT(ioperm) { return tried(syscall(SYS_ioperm, 0x80, 1, 1)); }
ATTEMPT(quotactl) { return reached(syscall(SYS_quotactl, 0x800002 << 8, "/nonexistent", 0, 0)); }
ATTEMPT(quotactl_fd) { return reached(syscall(443, -1, 0, 0, 0)); }
ATTEMPT(fanotify_init) { return tried(syscall(SYS_fanotify_init, 0, 0)); }
ATTEMPT(fanotify_init_unprivileged) { return tried(syscall(SYS_fanotify_init, 0x200, 0)); }
ATTEMPT(fanotify_mark) { return reached(syscall(SYS_fanotify_mark, -1, 0, 0, -1, 0)); }
ATTEMPT(syslog_read) {
  char buffer[256];
  return tried(syscall(SYS_syslog, 3, buffer, sizeof buffer));
}
ATTEMPT(syslog_size) { return tried(syscall(SYS_syslog, 10, 0, 0)); }
// Without a time and a zone nothing is set, after the permission check.
ATTEMPT(settimeofday) { return tried(syscall(SYS_settimeofday, 0, 0)); }
ATTEMPT(clock_settime) {
  struct timespec now;
  if (clock_gettime(CLOCK_MONOTONIC, &now) < 0) return errno;
  return reached(syscall(SYS_clock_settime, CLOCK_MONOTONIC, &now));
}
ATTEMPT(adjtimex) {
  struct timex values = {0};
  if (adjtimex(&values) < 0) return errno;
  values.modes = ADJ_TICK;
  return tried(adjtimex(&values));
}
ATTEMPT(uselib) { return reached(syscall(SYS_uselib, "/nonexistent")); }
ATTEMPT(lookup_dcookie) { return reached(syscall(SYS_lookup_dcookie, 0, 0, 0)); }
ATTEMPT(modify_ldt) {
  char buffer[16];
  return tried(syscall(SYS_modify_ldt, 0, buffer, sizeof buffer));
}
ATTEMPT(personality_no_randomize) { return tried(syscall(SYS_personality, 0x0040000)); }
ATTEMPT(personality_mmap_zero) { return tried(syscall(SYS_personality, 0x0100000)); }
ATTEMPT(personality_read_implies_exec) { return tried(syscall(SYS_personality, 0x0400000)); }
ATTEMPT(vmsplice) {
  int ends[2];
  if (pipe(ends) < 0) return errno;
  static char page[4096] __attribute__((aligned(4096)));
  struct iovec part = {page, sizeof page};
  return tried(vmsplice(ends[1], &part, 1, 0));
}
ATTEMPT(process_madvise) { return reached(syscall(440, -1, 0, 0, 0, 0)); }
ATTEMPT(move_pages) { return reached(syscall(SYS_move_pages, 0, 0, 0, 0, 0, 0)); }
ATTEMPT(mbind) { return reached(syscall(SYS_mbind, 0, 0, 0, 0, 0, 0)); }
ATTEMPT(migrate_pages) { return reached(syscall(SYS_migrate_pages, 0, 0, 0, 0)); }
ATTEMPT(set_mempolicy_home_node) { return reached(syscall(450, 0, 0, 0, 0)); }
ATTEMPT(memfd_secret) {
  // ENOSYS where it is not switched on.
  return tried(syscall(447, 0));
}
ATTEMPT(vhangup) { return tried(syscall(SYS_vhangup)); }
ATTEMPT(sethostname) {
  char name[65] = {0};
  if (gethostname(name, 64) < 0) return errno;
  return tried(sethostname(name, strlen(name)));
}
ATTEMPT(setdomainname) {
  char name[65] = {0};
  if (getdomainname(name, 64) < 0) return errno;
  return tried(setdomainname(name, strlen(name)));
}
ATTEMPT(sysfs) { return tried(syscall(SYS_sysfs, 3)); }
ATTEMPT(nfsservctl) { return reached(syscall(SYS_nfsservctl, 0, 0, 0)); }
ATTEMPT(pidfd_getfd) {
  int fd = (int)syscall(SYS_pidfd_open, getppid(), 0);
  if (fd < 0) return errno;
  return tried(syscall(438, fd, 1, 0));
}
ATTEMPT(lsm_list_modules) { return reached(syscall(461, 0, 0, 0)); }
ATTEMPT(file_setattr) { return reached(syscall(469, -1, "", 0, 0, 0)); }
ATTEMPT(unknown_call) { return reached(syscall(4000)); }
// A number above 32 bits: what the filter compares is what the kernel takes.
ATTEMPT(unshare_high_bits) { return tried(syscall(SYS_unshare, 0xffffffff00000000ul | CLONE_NEWUSER)); }

// Reachable and harmless; they are here for the count.
ATTEMPT(memfd_create) { return tried(syscall(SYS_memfd_create, "x", 0)); }
ATTEMPT(pidfd_open_self) { return tried(syscall(SYS_pidfd_open, getpid(), 0)); }
ATTEMPT(landlock_create_ruleset) { return tried(syscall(444, 0, 0, 1)); }
ATTEMPT(seccomp_own_filter) {
  unsigned action = 0x7fff0000;
  return tried(syscall(SYS_seccomp, 2, 0, &action));
}
ATTEMPT(ptrace_own_child) {
  pid_t child = fork();
  if (child == 0) {
    pause();
    _exit(0);
  }
  int error = tried(ptrace(PTRACE_SEIZE, child, 0, 0));
  kill(child, SIGKILL);
  waitpid(child, 0, 0);
  return error;
}
