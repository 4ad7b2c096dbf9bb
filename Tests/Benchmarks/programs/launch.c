// launch PROGRAM ARGUMENTS…: for every line on standard input runs the command once, with every argument "@" replaced by a
// new name, and answers with three monotonic times in nanoseconds: just before it was started, what its first line of
// output says, and when it had ended.
//
// It runs in a mount namespace of its own in which /sys/fs/cgroup shows the version 1 hierarchies alone, where a host has
// both: crun refuses the hybrid layout. The host's own view does not change.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <mntent.h>
#include <sched.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static void die(const char *what) {
  fprintf(stderr, "launch: %s: %s\n", what, strerror(errno));
  exit(1);
}

static long long now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000000000ll + time.tv_nsec;
}

static void show_version_1_alone(void) {
  FILE *mounts = setmntent("/proc/self/mounts", "r");
  if (!mounts) die("/proc/self/mounts");
  char points[32][64];
  int count = 0, unified = 0;
  for (struct mntent *entry; (entry = getmntent(mounts));) {
    if (!strcmp(entry->mnt_type, "cgroup2")) unified = 1;
    if (!strcmp(entry->mnt_type, "cgroup") && !strncmp(entry->mnt_dir, "/sys/fs/cgroup/", 15) && count < 32)
      snprintf(points[count++], sizeof points[0], "%s", entry->mnt_dir);
  }
  endmntent(mounts);
  if (!unified || !count) return;
  if (unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL)) die("a private mount namespace");
  char view[] = "/tmp/serai-bench-view-XXXXXX", place[128];
  if (!mkdtemp(view) || mount("view", view, "tmpfs", 0, "mode=755")) die(view);
  for (int i = 0; i < count; i++) {
    snprintf(place, sizeof place, "%s/%s", view, points[i] + 15);
    if (mkdir(place, 0755) || mount(points[i], place, NULL, MS_BIND, NULL)) die(place);
  }
  if (mount(view, "/sys/fs/cgroup", NULL, MS_BIND | MS_REC, NULL)) die("/sys/fs/cgroup");
  // The view stays where it is bound; the place it was built at is only needed here.
  if (umount2(view, MNT_DETACH) || rmdir(view)) die(view);
}

int main(int count, char **arguments) {
  if (count < 2) return 2;
  show_version_1_alone();
  char line[256], name[64];
  for (int number = 0; fgets(line, sizeof line, stdin); number++) {
    snprintf(name, sizeof name, "serai-bench-%d-%d", getpid(), number);
    char *command[256] = {0};
    for (int i = 1; i < count && i < 255; i++) command[i - 1] = strcmp(arguments[i], "@") ? arguments[i] : name;
    int ends[2];
    if (pipe2(ends, O_CLOEXEC)) die("pipe");
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    long long start = now();
    pid_t child;
    errno = posix_spawnp(&child, command[0], &actions, NULL, command, environ);
    if (errno) die(command[0]);
    close(ends[1]);
    size_t length = 0;
    for (ssize_t got; length + 1 < sizeof line; length += (size_t)got)
      if ((got = read(ends[0], line + length, sizeof line - 1 - length)) <= 0) break;
    line[length] = 0;
    close(ends[0]);
    int status;
    waitpid(child, &status, 0);
    long long end = now();
    posix_spawn_file_actions_destroy(&actions);
    if (status || !length) {
      fprintf(stderr, "launch: %s ended with status %#x and said \"%s\"\n", command[0], status, line);
      return 1;
    }
    printf("%lld %lld %lld\n", start, atoll(line), end);
    fflush(stdout);
  }
  return 0;
}
