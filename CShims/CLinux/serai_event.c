#define _GNU_SOURCE
#include "serai_event.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define RESULT(expression) ({ int r_ = (expression); r_ < 0 ? -errno : r_; })

int serai_epoll(void) { return RESULT(epoll_create1(EPOLL_CLOEXEC)); }
int serai_epoll_add(int epoll, int fd, uint32_t events, uint64_t token) {
  struct epoll_event event = {.events = events, .data.u64 = token};
  return RESULT(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event));
}
int serai_epoll_modify(int epoll, int fd, uint32_t events, uint64_t token) {
  struct epoll_event event = {.events = events, .data.u64 = token};
  return RESULT(epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &event));
}
int serai_epoll_remove(int epoll, int fd) {
  struct epoll_event event = {0};
  return RESULT(epoll_ctl(epoll, EPOLL_CTL_DEL, fd, &event));
}
int serai_epoll_wait(int epoll, struct serai_event *out, int capacity, int timeout_ms) {
  struct epoll_event events[64];
  int count = epoll_wait(epoll, events, capacity < 64 ? capacity : 64, timeout_ms);
  if (count < 0) return errno == EINTR ? 0 : -errno;
  for (int i = 0; i < count; i++) {
    out[i].events = events[i].events;
    out[i].token = events[i].data.u64;
  }
  return count;
}
int serai_poll(int fd, int events, int timeout_ms) {
  struct pollfd p = {.fd = fd, .events = (short)events};
  int r = poll(&p, 1, timeout_ms);
  if (r < 0) return errno == EINTR ? 0 : -errno;
  return r == 0 ? 0 : p.revents;
}

int serai_eventfd(void) { return RESULT(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)); }
int serai_signalfd(uint64_t mask) {
  return RESULT((int)syscall(SYS_signalfd4, -1, &mask, sizeof mask, SFD_CLOEXEC | SFD_NONBLOCK));
}
int serai_signalfd_read(int fd) {
  struct signalfd_siginfo info;
  ssize_t r = read(fd, &info, sizeof info);
  if (r < 0) return errno == EAGAIN || errno == EINTR ? 0 : -errno;
  return r == sizeof info ? (int)info.ssi_signo : 0;
}
int serai_timerfd(void) { return RESULT(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)); }
int serai_timerfd_set(int fd, int64_t deadline_ns) {
  struct itimerspec spec = {.it_value = {deadline_ns / 1000000000, deadline_ns % 1000000000}};
  return RESULT(timerfd_settime(fd, TFD_TIMER_ABSTIME, &spec, NULL));
}

int serai_inotify(void) { return RESULT(inotify_init1(IN_CLOEXEC | IN_NONBLOCK)); }
int serai_inotify_watch(int fd, const char *path, uint32_t mask) { return RESULT(inotify_add_watch(fd, path, mask)); }

static int64_t clock_ns(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}
int64_t serai_monotonic_ns(void) { return clock_ns(CLOCK_MONOTONIC); }
int64_t serai_realtime_ns(void) { return clock_ns(CLOCK_REALTIME); }
int64_t serai_boottime_ns(void) { return clock_ns(CLOCK_BOOTTIME); }

void serai_sleep_ns(int64_t ns) {
  struct timespec t = {ns / 1000000000, ns % 1000000000};
  nanosleep(&t, NULL);
}

int serai_random(void *buffer, size_t count) {
  char *at = buffer;
  while (count > 0) {
    ssize_t r = getrandom(at, count, 0);
    if (r < 0) {
      if (errno == EINTR) continue;
      return -errno;
    }
    at += r;
    count -= (size_t)r;
  }
  return 0;
}

#ifndef TIOCGPTPEER
#define TIOCGPTPEER _IO('T', 0x41)
#endif
int serai_openpt(void) {
  int fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (fd < 0) return -errno;
  if (unlockpt(fd) < 0) {
    int error = errno;
    close(fd);
    return -error;
  }
  return fd;
}
int serai_pt_unlock(int master) {
  int locked = 0;
  return RESULT(ioctl(master, TIOCSPTLCK, &locked));
}
int serai_pt_peer(int master) { return RESULT(ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC)); }
int serai_pt_size(int fd, uint16_t rows, uint16_t columns) {
  struct winsize size = {.ws_row = rows, .ws_col = columns};
  return RESULT(ioctl(fd, TIOCSWINSZ, &size));
}
int serai_controlling_terminal(int fd) { return RESULT(ioctl(fd, TIOCSCTTY, 0)); }
