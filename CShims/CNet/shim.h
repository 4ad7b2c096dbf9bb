// What HTTP and Transport need beside the module Linux, whose event queue allocates at each wait and which knows no TCP:
// epoll, eventfd and accept4 are hidden from Swift's Glibc module, sockaddr casts need a union. Every function returns its result or -errno; none keeps state.
#pragma once
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

// Declared by glibc only under _GNU_SOURCE, which Swift's importer does not set.
extern int accept4(int, struct sockaddr *, socklen_t *, int);
extern const char *strerrorname_np(int);

extern int pthread_setname_np(pthread_t, const char *);

static const uint32_t SERAI_NET_EPOLLIN = EPOLLIN;
static const uint32_t SERAI_NET_EPOLLOUT = EPOLLOUT;
static const uint32_t SERAI_NET_EPOLLHUP = EPOLLHUP;
static const uint32_t SERAI_NET_EPOLLERR = EPOLLERR;
static const uint32_t SERAI_NET_EPOLLRDHUP = EPOLLRDHUP;
static const uint32_t SERAI_NET_EPOLLET = 1u << 31;


/// What epoll_wait(2) reports, without the packed union that Swift cannot read.
struct serai_net_ready {
  uint64_t token;
  uint32_t events;
};

/// "EADDRINUSE" for EADDRINUSE; "errno N" is left to the caller: NULL for an unknown number.
static inline const char *_Nullable serai_net_errno_name(int number) { return strerrorname_np(number); }

static inline int serai_net_epoll_create(void) {
  int fd = epoll_create1(EPOLL_CLOEXEC);
  return fd < 0 ? -errno : fd;
}

/// operation: EPOLL_CTL_ADD (1), EPOLL_CTL_DEL (2) or EPOLL_CTL_MOD (3).
static inline int serai_net_epoll_control(int epoll, int operation, int fd, uint32_t events, uint64_t token) {
  struct epoll_event event = {.events = events};
  event.data.u64 = token;
  return epoll_ctl(epoll, operation, fd, &event) < 0 ? -errno : 0;
}

/// Waits for at most 64 events; timeout in milliseconds, -1 for ever. EINTR reads as no event.
static inline int serai_net_epoll_wait(int epoll, struct serai_net_ready *_Nonnull ready, int capacity, int timeout) {
  struct epoll_event events[64];
  int count = epoll_wait(epoll, events, capacity < 64 ? capacity : 64, timeout);
  if (count < 0) return errno == EINTR ? 0 : -errno;
  for (int i = 0; i < count; i++) {
    ready[i].token = events[i].data.u64;
    ready[i].events = events[i].events;
  }
  return count;
}

static inline int serai_net_eventfd(void) {
  int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  return fd < 0 ? -errno : fd;
}

/// Adds one to an eventfd; a full counter is as good as a wake-up.
static inline void serai_net_eventfd_signal(int fd) {
  uint64_t one = 1;
  while (write(fd, &one, sizeof one) < 0 && errno == EINTR) {}
}

static inline void serai_net_eventfd_clear(int fd) {
  uint64_t count;
  while (read(fd, &count, sizeof count) < 0 && errno == EINTR) {}
}

/// Room for an address of any family that the project uses.
struct serai_net_address {
  socklen_t length;
  union {
    struct sockaddr any;
    struct sockaddr_in ipv4;
    struct sockaddr_in6 ipv6;
    struct sockaddr_un local;
    struct sockaddr_storage storage;
  } bytes;
};

/// Fills in a numeric IPv4 or IPv6 address (no name lookup, no brackets, a scope is refused). -EINVAL if it is neither.
static inline int serai_net_address_parse(struct serai_net_address *_Nonnull address, const char *_Nonnull text, uint16_t port) {
  memset(address, 0, sizeof *address);
  if (inet_pton(AF_INET, text, &address->bytes.ipv4.sin_addr) == 1) {
    address->bytes.ipv4.sin_family = AF_INET;
    address->bytes.ipv4.sin_port = htons(port);
    address->length = sizeof address->bytes.ipv4;
    return 0;
  }
  if (inet_pton(AF_INET6, text, &address->bytes.ipv6.sin6_addr) == 1) {
    address->bytes.ipv6.sin6_family = AF_INET6;
    address->bytes.ipv6.sin6_port = htons(port);
    address->length = sizeof address->bytes.ipv6;
    return 0;
  }
  return -EINVAL;
}

/// Fills in the address of a Unix socket; -ENAMETOOLONG beyond 107 bytes.
static inline int serai_net_address_local(struct serai_net_address *_Nonnull address, const char *_Nonnull path) {
  memset(address, 0, sizeof *address);
  size_t length = strlen(path);
  if (length == 0) return -EINVAL;
  if (length >= sizeof address->bytes.local.sun_path) return -ENAMETOOLONG;
  address->bytes.local.sun_family = AF_UNIX;
  memcpy(address->bytes.local.sun_path, path, length + 1);
  address->length = sizeof address->bytes.local;
  return 0;
}

/// Copies an address of any family; one that is too long becomes empty.
static inline void serai_net_address_copy(struct serai_net_address *_Nonnull address, const struct sockaddr *_Nonnull from,
                                      socklen_t length) {
  memset(address, 0, sizeof *address);
  if (length > sizeof address->bytes) return;
  memcpy(&address->bytes, from, length);
  address->length = length;
}

static inline int serai_net_address_family(const struct serai_net_address *_Nonnull address) {
  return address->bytes.any.sa_family;
}

static inline uint16_t serai_net_address_port(const struct serai_net_address *_Nonnull address) {
  if (address->bytes.any.sa_family == AF_INET) return ntohs(address->bytes.ipv4.sin_port);
  if (address->bytes.any.sa_family == AF_INET6) return ntohs(address->bytes.ipv6.sin6_port);
  return 0;
}

/// Writes the numeric host, or "" for a Unix socket, to text (at least INET6_ADDRSTRLEN, 46 bytes). An IPv4 address
/// mapped into IPv6 is written as IPv4.
static inline void serai_net_address_host(const struct serai_net_address *_Nonnull address, char *_Nonnull text, socklen_t size) {
  text[0] = 0;
  if (address->bytes.any.sa_family == AF_INET) {
    inet_ntop(AF_INET, &address->bytes.ipv4.sin_addr, text, size);
  } else if (address->bytes.any.sa_family == AF_INET6) {
    const struct in6_addr *six = &address->bytes.ipv6.sin6_addr;
    if (IN6_IS_ADDR_V4MAPPED(six)) inet_ntop(AF_INET, six->s6_addr + 12, text, size);
    else inet_ntop(AF_INET6, six, text, size);
  }
}

/// A non-blocking, close-on-exec stream socket of the family.
static inline int serai_net_socket(int family) {
  int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  return fd < 0 ? -errno : fd;
}

// socketpair(2): a connected pair of Unix stream sockets, non-blocking. Swift sees neither SOCK_NONBLOCK nor the array.
static inline int serai_net_socket_pair(int *_Nonnull first, int *_Nonnull second) {
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) < 0) return -errno;
  *first = pair[0];
  *second = pair[1];
  return 0;
}

/// A non-blocking, close-on-exec datagram socket of the family.
static inline int serai_net_datagram_socket(int family) {
  int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  return fd < 0 ? -errno : fd;
}

/// sendto(2): bytes sent or -errno.
static inline ssize_t serai_net_send_to(int fd, const void *_Nonnull bytes, size_t count,
                                        const struct serai_net_address *_Nonnull address) {
  ssize_t sent = sendto(fd, bytes, count, MSG_NOSIGNAL | MSG_DONTWAIT, &address->bytes.any, address->length);
  return sent < 0 ? -errno : sent;
}

/// recvfrom(2): bytes received or -errno. A longer packet is cut, and its whole length returned.
static inline ssize_t serai_net_receive_from(int fd, void *_Nonnull bytes, size_t count,
                                             struct serai_net_address *_Nonnull source) {
  memset(source, 0, sizeof *source);
  source->length = sizeof source->bytes;
  ssize_t received = recvfrom(fd, bytes, count, MSG_DONTWAIT | MSG_TRUNC, &source->bytes.any, &source->length);
  return received < 0 ? -errno : received;
}

static inline int serai_net_bind(int fd, const struct serai_net_address *_Nonnull address) {
  return bind(fd, &address->bytes.any, address->length) < 0 ? -errno : 0;
}

static inline int serai_net_listen(int fd, int backlog) { return listen(fd, backlog) < 0 ? -errno : 0; }

/// 0 when connected at once, -EINPROGRESS when epoll will tell.
static inline int serai_net_connect(int fd, const struct serai_net_address *_Nonnull address) {
  return connect(fd, &address->bytes.any, address->length) < 0 ? -errno : 0;
}

static inline int serai_net_accept(int fd, struct serai_net_address *_Nonnull peer) {
  memset(peer, 0, sizeof *peer);
  peer->length = sizeof peer->bytes;
  int accepted = accept4(fd, &peer->bytes.any, &peer->length, SOCK_CLOEXEC | SOCK_NONBLOCK);
  return accepted < 0 ? -errno : accepted;
}

static inline int serai_net_socket_name(int fd, struct serai_net_address *_Nonnull address) {
  memset(address, 0, sizeof *address);
  address->length = sizeof address->bytes;
  return getsockname(fd, &address->bytes.any, &address->length) < 0 ? -errno : 0;
}

static inline int serai_net_peer_name(int fd, struct serai_net_address *_Nonnull address) {
  memset(address, 0, sizeof *address);
  address->length = sizeof address->bytes;
  return getpeername(fd, &address->bytes.any, &address->length) < 0 ? -errno : 0;
}

/// SO_ERROR of a socket whose connect(2) was in progress: 0 or -errno.
static inline int serai_net_connect_result(int fd) {
  int number = 0;
  socklen_t length = sizeof number;
  if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &number, &length) < 0) return -errno;
  return -number;
}

static inline int serai_net_set_option(int fd, int level, int name, int value) {
  return setsockopt(fd, level, name, &value, sizeof value) < 0 ? -errno : 0;
}

/// A socket bound to :: takes IPv4 connections too, whatever net.ipv6.bindv6only says.
static inline int serai_net_accept_ipv4_too(int fd) { return serai_net_set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0); }

/// Small messages go out at once.
static inline int serai_net_no_delay(int fd) { return serai_net_set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1); }

/// A peer that acknowledges nothing for so many milliseconds is gone.
static inline int serai_net_user_timeout(int fd, int milliseconds) {
  return serai_net_set_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, milliseconds);
}

/// send(2) without SIGPIPE: bytes sent or -errno.
static inline ssize_t serai_net_send(int fd, const void *_Nonnull bytes, size_t count) {
  ssize_t sent = send(fd, bytes, count, MSG_NOSIGNAL | MSG_DONTWAIT);
  return sent < 0 ? -errno : sent;
}

/// recv(2): bytes received, 0 at the end of the stream, or -errno.
static inline ssize_t serai_net_receive(int fd, void *_Nonnull bytes, size_t count) {
  ssize_t received = recv(fd, bytes, count, MSG_DONTWAIT);
  return received < 0 ? -errno : received;
}
