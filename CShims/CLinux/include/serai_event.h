// epoll, eventfd, signalfd, timerfd, inotify, clocks, randomness: not visible to Swift without _GNU_SOURCE.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/// One epoll event; unlike struct epoll_event not packed, so that Swift can import it.
struct serai_event {
  uint32_t events;
  uint64_t token;
};
enum {
  SERAI_EPOLLIN = 0x1,
  SERAI_EPOLLOUT = 0x4,
  SERAI_EPOLLERR = 0x8,
  SERAI_EPOLLHUP = 0x10,
  SERAI_EPOLLRDHUP = 0x2000,
};
static const uint32_t SERAI_EPOLLONESHOT = 1u << 30;
static const uint32_t SERAI_EPOLLET = 1u << 31;

int serai_epoll(void);
/// epoll_ctl(2): EPOLL_CTL_ADD, _MOD and _DEL.
int serai_epoll_add(int epoll, int fd, uint32_t events, uint64_t token);
int serai_epoll_modify(int epoll, int fd, uint32_t events, uint64_t token);
int serai_epoll_remove(int epoll, int fd);
/// epoll_wait(2), at most 64 events a call; -1 ms waits for ever. Returns 0 on EINTR.
int serai_epoll_wait(int epoll, struct serai_event *_Nonnull out, int capacity, int timeout_ms);
/// poll(2) of one descriptor: the returned events, 0 on timeout.
int serai_poll(int fd, int events, int timeout_ms);

int serai_eventfd(void);
/// signalfd(2), non-blocking, for a mask as in serai_block_signals; reading gives the signal number or 0 when none.
int serai_signalfd(uint64_t mask);
int serai_signalfd_read(int fd);
/// timerfd on CLOCK_MONOTONIC; `deadline_ns` absolute, 0 disarms.
int serai_timerfd(void);
int serai_timerfd_set(int fd, int64_t deadline_ns);

/// inotify_init1(2) non-blocking, inotify_add_watch(2).
int serai_inotify(void);
int serai_inotify_watch(int fd, const char *_Nonnull path, uint32_t mask);

/// clock_gettime(2) in nanoseconds: CLOCK_MONOTONIC, CLOCK_REALTIME, CLOCK_BOOTTIME.
int64_t serai_monotonic_ns(void);
int64_t serai_realtime_ns(void);
int64_t serai_boottime_ns(void);
/// nanosleep(2), once.
void serai_sleep_ns(int64_t ns);
/// getrandom(2), whole buffer.
int serai_random(void *_Nonnull buffer, size_t count);

/// posix_openpt(3), unlockpt(3): the master; TIOCGPTPEER gives the other end without a path. TIOCSWINSZ, TIOCSCTTY.
int serai_openpt(void);
/// unlockpt(3) of a master that was opened by other means.
int serai_pt_unlock(int master);
int serai_pt_peer(int master);
int serai_pt_size(int fd, uint16_t rows, uint16_t columns);
int serai_controlling_terminal(int fd);
