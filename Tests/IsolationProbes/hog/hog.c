// hog KIND: takes as much of one kind of thing as it is given, says how much it got ("KIND COUNT ERRNO"), and keeps it
// for some seconds, so that what others then get can be measured. hog latency SECONDS measures: how long it takes here to
// start a process, to write a file, and to get the processor, in microseconds.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void report(const char *kind, long count, int error) {
  printf("%s %ld %s\n", kind, count, error ? strerrorname_np(error) : "-");
  fflush(stdout);
}

static void hold(void) { sleep(2); }

static void forks(void) {
  long count = 0;
  for (;;) {
    pid_t child = fork();
    if (child == 0) {
      // Every child is a bomb of its own.
      for (int i = 0; i < 200; i++)
        if (fork() < 0) usleep(10000);
      pause();
      _exit(0);
    }
    if (child < 0) break;
    count++;
  }
  report("fork", count, errno);
  hold();
}

static void memory(void) {
  for (;;) {
    char *page = mmap(0, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) break;
    memset(page, 1, 1 << 20);
  }
  report("memory", 0, errno);
}

static void fills(const char *kind, int fd) {
  static char block[1 << 16];
  long total = 0;
  memset(block, 1, sizeof block);
  for (;;) {
    ssize_t wrote = write(fd, block, sizeof block);
    if (wrote < 0) break;
    total += wrote;
  }
  report(kind, total, errno);
  hold();
}

static void pipes(void) {
  static char block[1 << 16];
  long total = 0;
  for (;;) {
    int ends[2];
    if (pipe2(ends, O_NONBLOCK) < 0) break;
    fcntl(ends[1], F_SETPIPE_SZ, 1 << 20);
    for (ssize_t wrote; (wrote = write(ends[1], block, sizeof block)) > 0;) total += wrote;
  }
  report("pipe", total, errno);
  hold();
}

static void sockets(void) {
  static char block[1 << 16];
  long total = 0;
  for (;;) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) < 0) break;
    for (ssize_t wrote; (wrote = write(ends[1], block, sizeof block)) > 0;) total += wrote;
  }
  report("socket", total, errno);
  hold();
}

static void counts(const char *kind, int (*take)(long)) {
  long count = 0;
  while (take(count) >= 0) count++;
  report(kind, count, errno);
  hold();
}
static int take_file(long number) { return (void)number, open("/dev/null", O_RDONLY); }
static int take_terminal(long number) { return (void)number, open("/dev/ptmx", O_RDWR | O_NOCTTY); }
static int take_inotify(long number) { return (void)number, inotify_init(); }
static const char *place;
static int take_inode(long number) {
  char path[256];
  snprintf(path, sizeof path, "%s/%ld", place, number);
  int fd = open(path, O_CREAT | O_WRONLY, 0600);
  if (fd < 0) return -1;
  close(fd);
  return 0;
}

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}
static int compares(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}
static void latency(double seconds) {
  enum { MOST = 20000 };
  static double took[MOST];
  int count = 0, failed = 0;
  double end = now() + seconds * 1e6;
  while (now() < end && count < MOST) {
    double begin = now();
    pid_t child = fork();
    if (child == 0) {
      int fd = open("/local/latency", O_CREAT | O_WRONLY | O_TRUNC, 0600);
      _exit(fd < 0 || write(fd, "x", 1) != 1);
    }
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) < 0 || status) failed++;
    took[count++] = now() - begin;
    usleep(5000);
  }
  qsort(took, (size_t)count, sizeof *took, compares);
  printf("latency %d %d %.0f %.0f %.0f\n", count, failed, took[count / 2], took[count * 99 / 100], took[count - 1]);
}

int main(int argc, char **argv) {
  const char *kind = argc > 1 ? argv[1] : "";
  place = argc > 2 ? argv[2] : "/local";
  signal(SIGXFSZ, SIG_IGN);
  if (!strcmp(kind, "fork")) forks();
  if (!strcmp(kind, "memory")) memory();
  if (!strcmp(kind, "memfd")) fills(kind, memfd_create("x", 0));
  if (!strcmp(kind, "shm")) fills(kind, open("/dev/shm/x", O_CREAT | O_WRONLY, 0600));
  if (!strcmp(kind, "disk")) {
    char path[256];
    snprintf(path, sizeof path, "%s/disk", place);
    fills(kind, open(path, O_CREAT | O_WRONLY, 0600));
  }
  if (!strcmp(kind, "pipe")) pipes();
  if (!strcmp(kind, "socket")) sockets();
  if (!strcmp(kind, "files")) counts(kind, take_file);
  if (!strcmp(kind, "terminal")) counts(kind, take_terminal);
  if (!strcmp(kind, "inotify")) counts(kind, take_inotify);
  if (!strcmp(kind, "inode")) counts(kind, take_inode);
  if (!strcmp(kind, "latency")) latency(atof(place));
  return 0;
}
