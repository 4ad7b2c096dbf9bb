// Kernel knobs and kernel memory in /proc and /sys; files of the host behind the task's view of them.
#include "attempt.h"

#include <dirent.h>
#include <sys/xattr.h>

// Opened for writing, never written.
#define WRITES(id, path) \
  ATTEMPT(id) { return opens(path, O_WRONLY); }
WRITES(write_core_pattern, "/proc/sys/kernel/core_pattern")
WRITES(write_modprobe, "/proc/sys/kernel/modprobe")
WRITES(write_hostname, "/proc/sys/kernel/hostname")
WRITES(write_randomize_va_space, "/proc/sys/kernel/randomize_va_space")
WRITES(write_drop_caches, "/proc/sys/vm/drop_caches")
WRITES(write_overcommit, "/proc/sys/vm/overcommit_memory")
WRITES(write_ip_forward, "/proc/sys/net/ipv4/ip_forward")
WRITES(write_mqueue_max, "/proc/sys/fs/mqueue/msg_max")
WRITES(write_binfmt, "/proc/sys/fs/binfmt_misc/register")
WRITES(write_max_user_namespaces, "/proc/sys/user/max_user_namespaces")
WRITES(write_sysrq, "/proc/sysrq-trigger")
WRITES(write_irq_affinity, "/proc/irq/default_smp_affinity")
WRITES(write_pressure, "/proc/pressure/memory")
WRITES(write_power_state, "/sys/power/state")
WRITES(write_transparent_hugepage, "/sys/kernel/mm/transparent_hugepage/enabled")
WRITES(write_uevent_helper, "/sys/kernel/uevent_helper")
WRITES(write_cpu_online, "/sys/devices/system/cpu/cpu1/online")
WRITES(write_uevent, "/sys/devices/virtual/mem/null/uevent")
WRITES(write_profiling, "/sys/kernel/profiling")
WRITES(write_loopback_mtu, "/sys/class/net/lo/mtu")
WRITES(write_block_queue, "/sys/block/loop0/queue/read_ahead_kb")

#define READS(id, path) \
  ATTEMPT(id) { return reads(path); }
READS(read_kcore, "/proc/kcore")
READS(read_keys, "/proc/keys")
READS(read_key_users, "/proc/key-users")
READS(read_timer_list, "/proc/timer_list")
READS(read_kallsyms, "/proc/kallsyms")
READS(read_kmsg, "/proc/kmsg")
READS(read_slabinfo, "/proc/slabinfo")
READS(read_vmallocinfo, "/proc/vmallocinfo")
READS(read_kpagecount, "/proc/kpagecount")
READS(read_kpageflags, "/proc/kpageflags")
READS(read_config, "/proc/config.gz")
READS(read_command_line, "/proc/cmdline")
READS(read_interrupts, "/proc/interrupts")
READS(read_sched_debug, "/proc/sched_debug")
READS(read_pressure, "/proc/pressure/cpu")
READS(read_vmcoreinfo, "/sys/kernel/vmcoreinfo")
READS(read_kernel_notes, "/sys/kernel/notes")
READS(read_btf, "/sys/kernel/btf/vmlinux")
READS(read_core_pattern, "/proc/sys/kernel/core_pattern")
ATTEMPT(list_firmware) { return lists("/sys/firmware"); }
ATTEMPT(list_debugfs) { return lists("/sys/kernel/debug"); }
ATTEMPT(list_tracefs) { return lists("/sys/kernel/tracing"); }
ATTEMPT(list_slab) { return lists("/sys/kernel/slab"); }
ATTEMPT(list_powercap) { return lists("/sys/devices/virtual/powercap"); }
ATTEMPT(list_proc_driver) { return lists("/proc/driver"); }
ATTEMPT(list_proc_bus) { return lists("/proc/bus"); }

// A writable file in any control group hierarchy that can be seen.
static int search_writable(const char *path, int depth) {
  DIR *directory = opendir(path);
  if (!directory) return errno;
  int found = EACCES;
  for (struct dirent *entry; found && depth && (entry = readdir(directory));) {
    if (entry->d_name[0] == '.') continue;
    char below[512];
    snprintf(below, sizeof below, "%s/%s", path, entry->d_name);
    struct stat status;
    if (lstat(below, &status) < 0) continue;
    if (S_ISDIR(status.st_mode)) {
      if (search_writable(below, depth - 1) == 0) found = 0;
    } else if (S_ISREG(status.st_mode) && opens(below, O_WRONLY) == 0) {
      found = 0;
    }
  }
  closedir(directory);
  return found;
}
ATTEMPT(write_any_cgroup_file) { return search_writable("/sys/fs/cgroup", 3); }
static int makes_cgroup(const char *path) {
  if (mkdir(path, 0755) < 0) return errno;
  rmdir(path);
  return 0;
}
ATTEMPT(make_cgroup) {
  int error = makes_cgroup("/sys/fs/cgroup/serai-probe");
  return error && makes_cgroup("/sys/fs/cgroup/memory/serai-probe") == 0 ? 0 : error;
}
WRITES(write_release_agent, "/sys/fs/cgroup/memory/release_agent")
WRITES(write_devices_allow, "/sys/fs/cgroup/devices/devices.allow")

// A sacrificial file that the test put where the host's files are laid in: the task sees it under PROBE_LAID.
static const char *laid(void) { return given("PROBE_LAID"); }
ATTEMPT(laid_file_append) { return opens(laid(), O_WRONLY | O_APPEND); }
ATTEMPT(laid_file_truncate) { return tried(truncate(laid(), 0)); }
ATTEMPT(laid_file_chmod) { return tried(chmod(laid(), 0777)); }
ATTEMPT(laid_file_chown) { return tried(chown(laid(), getuid(), getgid())); }
ATTEMPT(laid_file_xattr) { return tried(setxattr(laid(), "user.serai", "x", 1, 0)); }
ATTEMPT(laid_file_times) { return tried(utimensat(AT_FDCWD, laid(), 0, 0)); }
ATTEMPT(laid_file_rename) {
  char other[256];
  snprintf(other, sizeof other, "%s.moved", laid());
  int error = tried(rename(laid(), other));
  if (!error) rename(other, laid());
  return error;
}
ATTEMPT(laid_file_unlink) {
  char other[256];
  snprintf(other, sizeof other, "%s.linked", laid());
  int error = tried(link(laid(), other));
  return error ? error : tried(unlink(other));
}

// A root-only file in a volume of the task (PROBE_PRIVATE), and one that group 0 may read.
ATTEMPT(private_file_read) { return *given("PROBE_PRIVATE") ? reads(given("PROBE_PRIVATE")) : ENOENT; }
ATTEMPT(root_group_file_read) { return *given("PROBE_ROOT_GROUP") ? reads(given("PROBE_ROOT_GROUP")) : ENOENT; }
// A file of the host outside the task's root.
ATTEMPT(host_file_read) { return *given("PROBE_OUTSIDE") ? reads(given("PROBE_OUTSIDE")) : ENOENT; }
ATTEMPT(host_file_by_parents) {
  char path[1024] = "";
  for (int i = 0; i < 50; i++) strcat(path, "../");
  strncat(path, given("PROBE_OUTSIDE"), 512);
  return *given("PROBE_OUTSIDE") ? reads(path) : ENOENT;
}
// chroot into a directory below, keep the old root open, walk up from it.
ATTEMPT(host_file_by_chroot) {
  if (!*given("PROBE_OUTSIDE")) return ENOENT;
  int old = open("/", O_RDONLY | O_DIRECTORY);
  mkdir(in_workspace("jail"), 0755);
  int error = tried(chroot(in_workspace("jail")));
  rmdir(in_workspace("jail"));
  if (error) return error;
  if (fchdir(old) < 0) return errno;
  for (int i = 0; i < 50; i++)
    if (chdir("..") < 0) return errno;
  return reads(given("PROBE_OUTSIDE") + 1);
}
ATTEMPT(setuid_bit) {
  int fd = open(in_workspace("setuid"), O_CREAT | O_WRONLY, 0755);
  if (fd < 0) return errno;
  int error = tried(fchmod(fd, 04755));
  close(fd);
  unlink(in_workspace("setuid"));
  return error;
}
ATTEMPT(file_capabilities) {
  int fd = open(in_workspace("caps"), O_CREAT | O_WRONLY, 0755);
  if (fd < 0) return errno;
  // VFS_CAP_REVISION_2 with cap_sys_admin, effective.
  uint32_t data[5] = {0x02000001, 1u << 21, 0, 0, 0};
  int error = tried(fsetxattr(fd, "security.capability", data, sizeof data, 0));
  close(fd);
  unlink(in_workspace("caps"));
  return error;
}
ATTEMPT(trusted_attribute) {
  int fd = open(in_workspace("trusted"), O_CREAT | O_WRONLY, 0755);
  if (fd < 0) return errno;
  int error = tried(fsetxattr(fd, "trusted.serai", "x", 1, 0));
  close(fd);
  unlink(in_workspace("trusted"));
  return error;
}
