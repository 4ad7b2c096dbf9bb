// The least that an isolated start costs on this kernel: floor FOLDER GROUP PROGRAM ENTRIES… starts PROGRAM, in a new
// control group below GROUP, once for every line on standard input and answers with two monotonic times in nanoseconds:
// when the request was read, and the first instruction's, as PROGRAM says it.
//
// What it makes is what the exec driver gives a task: control groups with limits, namespaces, an overlay for each ENTRY
// (a link stays a link), /proc, /sys, /dev, pivot_root, ids, no capabilities, a system call filter. It checks nothing,
// reports nothing, keeps nothing and runs one task at a time.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <mntent.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char *folder, *parent, *program;
static char **entries;
static int output[2], number, group_count, is_v2;
static char hierarchies[16][64], groups[16][160];
static struct sock_filter filter[256];
static unsigned short filter_length;

static void fail(const char *what) {
  dprintf(2, "floor: %s: %s\n", what, strerror(errno));
  _exit(1);
}
#define NEED(call) ((long)(call) < 0 ? fail(#call) : (void)0)

static long long now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000000000ll + time.tv_nsec;
}

static int put(const char *directory, const char *name, const char *text) {
  char path[256];
  snprintf(path, sizeof path, "%s/%s", directory, name);
  int file = open(path, O_WRONLY | O_CLOEXEC);
  if (file < 0) return -1;
  int result = write(file, text, strlen(text)) < 0 ? -1 : 0;
  close(file);
  return result;
}

static void find_hierarchies(void) {
  static const char *const known[] = {"cpu", "cpuacct", "cpuset", "memory", "devices", "freezer", "blkio", "pids"};
  FILE *mounts = setmntent("/proc/self/mounts", "r");
  for (struct mntent *entry; mounts && (entry = getmntent(mounts));) {
    if (!strcmp(entry->mnt_type, "cgroup2") && !strcmp(entry->mnt_dir, "/sys/fs/cgroup")) is_v2 = 1;
    for (unsigned i = 0; i < sizeof known / sizeof *known && !strcmp(entry->mnt_type, "cgroup"); i++)
      if (hasmntopt(entry, known[i])) {
        snprintf(hierarchies[group_count++], sizeof hierarchies[0], "%s", entry->mnt_dir);
        break;
      }
  }
  if (mounts) endmntent(mounts);
  if (is_v2) group_count = 1, strcpy(hierarchies[0], "/sys/fs/cgroup");
}

static void make_groups(void) {
  static const char *const devices[] = {"c 1:3 rw", "c 1:5 rw", "c 1:7 rw",  "c 1:8 rw",
                                        "c 1:9 rw", "c 5:0 rw", "c 5:2 rw", "c 136:* rw"};
  for (int i = 0; i < group_count; i++) {
    snprintf(groups[i], sizeof groups[0], "%s/%s/floor-%d-%d", hierarchies[i], parent, getpid(), number);
    NEED(mkdir(groups[i], 0755));
    if (is_v2) {
      put(groups[i], "memory.max", "67108864");
      put(groups[i], "cpu.weight", "10");
      put(groups[i], "pids.max", "4096");
    } else if (strstr(hierarchies[i], "cpuset")) {
      put(groups[i], "cpuset.mems", "0");
      char cpus[64] = {0};
      char path[96];
      snprintf(path, sizeof path, "%s/cpuset.cpus", hierarchies[i]);
      int file = open(path, O_RDONLY | O_CLOEXEC);
      if (file >= 0 && read(file, cpus, sizeof cpus - 1) > 0) put(groups[i], "cpuset.cpus", cpus);
      close(file);
    } else if (strstr(hierarchies[i], "memory")) {
      put(groups[i], "memory.limit_in_bytes", "67108864");
      put(groups[i], "memory.memsw.limit_in_bytes", "67108864");
    } else if (strstr(hierarchies[i], "pids")) {
      put(groups[i], "pids.max", "4096");
    } else if (strstr(hierarchies[i], "devices")) {
      put(groups[i], "devices.deny", "a");
      for (unsigned rule = 0; rule < sizeof devices / sizeof *devices; rule++)
        put(groups[i], "devices.allow", devices[rule]);
    } else if (strstr(hierarchies[i], "cpu")) {
      put(groups[i], "cpu.shares", "100");
    }
  }
}

static void remove_groups(void) {
  for (int i = 0; i < group_count; i++)
    for (int tries = 0; rmdir(groups[i]) && errno == EBUSY && tries < 2000; tries++) usleep(100);
}

static void make_filter(void) {
  static const int refused[] = {
      SYS_kexec_load, SYS_init_module, SYS_finit_module, SYS_delete_module, SYS_bpf, SYS_mount, SYS_umount2,
      SYS_pivot_root, SYS_swapon, SYS_swapoff, SYS_reboot, SYS_settimeofday, SYS_clock_settime, SYS_ptrace, SYS_keyctl,
      SYS_add_key, SYS_request_key, SYS_userfaultfd, SYS_perf_event_open, SYS_open_by_handle_at, SYS_acct, SYS_iopl,
      SYS_ioperm, SYS_quotactl, SYS_setns, SYS_unshare, SYS_fsopen, SYS_fsmount, SYS_move_mount, SYS_open_tree};
  struct sock_filter *next = filter;
  *next++ = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch));
  *next++ = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0);
  *next++ = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
  *next++ = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
  for (unsigned i = 0; i < sizeof refused / sizeof *refused; i++) {
    *next++ = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, refused[i], 0, 1);
    *next++ = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);
  }
  *next++ = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  filter_length = (unsigned short)(next - filter);
}

static void make_directories(char *path) {
  for (char *at = path + 1; (at = strchr(at, '/')); at++) {
    *at = 0;
    mkdir(path, 0755);
    *at = '/';
  }
  mkdir(path, 0755);
}

// What FOLDER is to hold for one start: the root and the overlays' upper layers.
static void lay_entry(const char *root, const char *source, int index) {
  char target[256], layer[256], options[768];
  struct stat status;
  if (lstat(source, &status)) return;
  snprintf(target, sizeof target, "%s%s", root, source);
  if (S_ISLNK(status.st_mode)) {
    char text[256] = {0};
    if (readlink(source, text, sizeof text - 1) > 0) NEED(symlink(text, target));
    return;
  }
  make_directories(target);
  snprintf(layer, sizeof layer, "%s/layers-%d/%d/upper", folder, number, index);
  make_directories(layer);
  snprintf(layer, sizeof layer, "%s/layers-%d/%d/work", folder, number, index);
  NEED(mkdir(layer, 0700));
  snprintf(options, sizeof options, "lowerdir=%s,upperdir=%s/layers-%d/%d/upper,workdir=%s", source, folder, number,
           index, layer);
  NEED(mount("overlay", target, "overlay", MS_NOSUID | MS_NODEV, options));
}

// What all tasks' /dev share, made once: a task's device rules let nobody make nodes.
static void make_devices(void) {
  static const struct {
    const char *name;
    unsigned major, minor;
  } nodes[] = {{"null", 1, 3}, {"zero", 1, 5}, {"full", 1, 7}, {"random", 1, 8}, {"urandom", 1, 9}, {"tty", 5, 0}};
  static const char *const directories[] = {"", "/pts", "/shm", "/mqueue"};
  char path[256];
  umask(0);
  for (unsigned i = 0; i < sizeof directories / sizeof *directories; i++) {
    snprintf(path, sizeof path, "%s/dev%s", folder, directories[i]);
    NEED(mkdir(path, 0755));
  }
  for (unsigned i = 0; i < sizeof nodes / sizeof *nodes; i++) {
    snprintf(path, sizeof path, "%s/dev/%s", folder, nodes[i].name);
    NEED(mknod(path, S_IFCHR | 0666, makedev(nodes[i].major, nodes[i].minor)));
  }
  snprintf(path, sizeof path, "%s/dev/ptmx", folder);
  NEED(symlink("pts/ptmx", path));
  snprintf(path, sizeof path, "%s/dev/fd", folder);
  NEED(symlink("/proc/self/fd", path));
}

static void mount_system(void) {
  char devices[256];
  snprintf(devices, sizeof devices, "%s/dev", folder);
  mkdir("proc", 0755), mkdir("sys", 0755), mkdir("dev", 0755), mkdir("alloc", 0755), mkdir("tmp", 01777);
  NEED(mount("proc", "proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL));
  NEED(mount("sysfs", "sys", "sysfs", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL));
  NEED(mount(devices, "dev", NULL, MS_BIND, NULL));
  NEED(mount(NULL, "dev", NULL, MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NOEXEC, NULL));
  NEED(mount("devpts", "dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620"));
  NEED(mount("shm", "dev/shm", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=1777,size=64m"));
  NEED(mount("mqueue", "dev/mqueue", "mqueue", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL));
  NEED(mount("/tmp", "alloc", NULL, MS_BIND, NULL));
}

static int child(void *unused) {
  (void)unused;
  char root[256];
  for (int i = 0; i < group_count && !is_v2; i++) NEED(put(groups[i], "tasks", "0"));
  NEED(unshare(CLONE_NEWCGROUP));
  NEED(mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL));
  snprintf(root, sizeof root, "%s/root-%d", folder, number);
  NEED(mkdir(root, 0755));
  NEED(mount(root, root, NULL, MS_BIND, NULL));
  for (int i = 0; entries[i]; i++) lay_entry(root, entries[i], i);
  NEED(chdir(root));
  mount_system();
  NEED(syscall(SYS_pivot_root, ".", "."));
  NEED(umount2(".", MNT_DETACH));
  NEED(chdir("/"));
  NEED(dup2(output[1], 1));
  for (int capability = 0; capability <= 40; capability++) prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
  NEED(setgroups(0, NULL));
  NEED(syscall(SYS_setresgid, 65534, 65534, 65534));
  NEED(syscall(SYS_setresuid, 65534, 65534, 65534));
  NEED(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
  struct sock_fprog rules = {filter_length, filter};
  NEED(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &rules));
  NEED(syscall(SYS_close_range, 3, ~0u, 0));
  char *const arguments[] = {program, NULL}, *const environment[] = {NULL};
  execve(program, arguments, environment);
  fail(program);
  return 1;
}

int main(int count, char **arguments) {
  if (count < 4) return 2;
  folder = arguments[1], parent = arguments[2], program = arguments[3], entries = arguments + 4;
  find_hierarchies();
  make_filter();
  make_devices();
  const size_t size = 256 << 10;
  char *stack = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  for (char line[256]; fgets(line, sizeof line, stdin); number++) {
    long long start = now();
    NEED(pipe2(output, O_CLOEXEC));
    make_groups();
    const int namespaces = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS;
    pid_t task;
    if (is_v2) {
      int group = open(groups[0], O_PATH | O_DIRECTORY | O_CLOEXEC);
      struct clone_args how = {
          .flags = (unsigned)namespaces | CLONE_VFORK | CLONE_INTO_CGROUP, .exit_signal = SIGCHLD, .cgroup = group};
      task = (pid_t)syscall(SYS_clone3, &how, sizeof how);
      if (task == 0) child(NULL);
      close(group);
    } else {
      // The child borrows this process' memory until it executes the program, as vfork(2) has it.
      task = clone(child, stack + size, CLONE_VM | CLONE_VFORK | namespaces | SIGCHLD, NULL);
    }
    NEED(task);
    close(output[1]);
    ssize_t length = read(output[0], line, sizeof line - 1);
    line[length > 0 ? length : 0] = 0;
    close(output[0]);
    int status;
    waitpid(task, &status, 0);
    if (status) return 1;
    printf("%lld %lld\n", start, atoll(line));
    fflush(stdout);
    remove_groups();
  }
  return 0;
}
