// Other processes, and what a process may grant itself.
#include "attempt.h"

#include <linux/ioprio.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/uio.h>

// A process of the host that the test started, as a number of the host's pid namespace.
static pid_t marker(void) { return atoi(given("PROBE_PID")); }

ATTEMPT(signal_host_process) { return marker() ? tried(kill(marker(), 0)) : ENOENT; }
ATTEMPT(trace_host_process) {
  if (!marker()) return ENOENT;
  int error = tried(ptrace(PTRACE_SEIZE, marker(), 0, 0));
  if (!error) ptrace(PTRACE_DETACH, marker(), 0, 0);
  return error;
}
ATTEMPT(read_host_process) {
  if (!marker()) return ENOENT;
  char byte;
  struct iovec here = {&byte, 1}, there = {(void *)0x400000, 1};
  int error = tried(process_vm_readv(marker(), &here, 1, &there, 1, 0));
  return error == EFAULT ? 0 : error;
}
static int reads_of_host(const char *name) {
  if (!marker()) return ENOENT;
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/%s", marker(), name);
  return reads(path);
}
ATTEMPT(host_process_environment) { return reads_of_host("environ"); }
ATTEMPT(host_process_maps) { return reads_of_host("maps"); }
ATTEMPT(host_process_command) { return reads_of_host("cmdline"); }
ATTEMPT(host_process_root) {
  if (!marker()) return ENOENT;
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/root/etc/passwd", marker());
  return reads(path);
}
ATTEMPT(pidfd_of_host_process) { return marker() ? tried(syscall(SYS_pidfd_open, marker(), 0)) : ENOENT; }
ATTEMPT(affinity_of_host_process) {
  cpu_set_t set;
  CPU_ZERO(&set);
  return marker() ? tried(sched_getaffinity(marker(), sizeof set, &set)) : ENOENT;
}

// PID 1 of the task: the runtime's init.
static int opens_of_init(const char *name, int flags) {
  char path[64];
  snprintf(path, sizeof path, "/proc/1/%s", name);
  return opens(path, flags);
}
// The status file that the init keeps open, its program, and what else it may have.
ATTEMPT(init_descriptors) {
  int error = ENOENT;
  for (int number = 0; number < 64; number++) {
    char name[16], text[64];
    snprintf(name, sizeof name, "fd/%d", number);
    char path[64];
    snprintf(path, sizeof path, "/proc/1/%s", name);
    if (readlink(path, text, sizeof text) >= 0) return 0;
    if (errno != ENOENT) error = errno;
    if (opens_of_init(name, O_RDONLY) == 0) return 0;
  }
  return error;
}
ATTEMPT(init_program) { return opens_of_init("exe", O_RDONLY); }
ATTEMPT(init_program_for_writing) { return opens_of_init("exe", O_WRONLY); }
ATTEMPT(init_memory) { return opens_of_init("mem", O_RDWR); }
ATTEMPT(init_environment) { return reads("/proc/1/environ"); }
ATTEMPT(trace_init) {
  int error = tried(ptrace(PTRACE_SEIZE, 1, 0, 0));
  if (!error) ptrace(PTRACE_DETACH, 1, 0, 0);
  return error;
}
ATTEMPT(init_working_directory) { return opens_of_init("cwd", O_RDONLY | O_DIRECTORY); }

ATTEMPT(become_root) { return tried(syscall(SYS_setresuid, 0, 0, 0)); }
ATTEMPT(become_root_group) { return tried(syscall(SYS_setresgid, 0, 0, 0)); }
ATTEMPT(join_root_group) {
  unsigned group = 0;
  return tried(syscall(SYS_setgroups, 1, &group));
}
ATTEMPT(become_other_user) { return tried(syscall(SYS_setresuid, 1000, 1000, 1000)); }
static int gains_capability(int number) {
  struct { uint32_t version; int pid; } header = {0x20080522, 0};
  struct { uint32_t effective, permitted, inheritable; } data[2];
  if (syscall(SYS_capget, &header, data) < 0) return errno;
  data[number / 32].effective |= 1u << (number % 32);
  data[number / 32].permitted |= 1u << (number % 32);
  return tried(syscall(SYS_capset, &header, data));
}
ATTEMPT(gain_sys_admin) { return gains_capability(21); }
ATTEMPT(gain_sys_ptrace) { return gains_capability(19); }
ATTEMPT(gain_net_admin) { return gains_capability(12); }
ATTEMPT(gain_net_raw) { return gains_capability(13); }
ATTEMPT(ambient_sys_admin) { return tried(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, 21, 0, 0)); }
ATTEMPT(clear_no_new_privileges) { return tried(prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0)); }
ATTEMPT(set_mm) { return reached(prctl(PR_SET_MM, PR_SET_MM_BRK, 0, 0, 0)); }

ATTEMPT(raise_open_files) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) < 0) return errno;
  limit.rlim_max += 1;
  return tried(setrlimit(RLIMIT_NOFILE, &limit));
}
ATTEMPT(raise_core_size) {
  struct rlimit limit = {1 << 20, 1 << 20};
  return tried(setrlimit(RLIMIT_CORE, &limit));
}
ATTEMPT(lower_oom_score) {
  int fd = open("/proc/self/oom_score_adj", O_WRONLY);
  if (fd < 0) return errno;
  return tried(write(fd, "-500", 4));
}
ATTEMPT(lower_nice) { return tried(setpriority(PRIO_PROCESS, 0, -10)); }
ATTEMPT(realtime_scheduling) {
  struct sched_param parameters = {1};
  return tried(sched_setscheduler(0, SCHED_FIFO, &parameters));
}
ATTEMPT(realtime_input_output) {
  return tried(syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, IOPRIO_PRIO_VALUE(IOPRIO_CLASS_RT, 0)));
}
