// Unix sockets with descriptor passing: msghdr and the CMSG_ macros cannot be used from Swift safely.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { SERAI_MAX_PASSED = 8 };

/// A listening SOCK_SEQPACKET socket at `path` (non-blocking), mode 0600. The path must not exist.
int serai_unix_listen(const char *_Nonnull path, int backlog);
/// connect(2) to `path`, blocking socket.
int serai_unix_connect(const char *_Nonnull path);
/// accept4(2), non-blocking result.
int serai_accept(int fd);
/// socketpair(2) AF_UNIX SOCK_SEQPACKET.
int serai_socketpair(int fds[_Nonnull 2]);
/// SO_PEERCRED.
int serai_peer(int fd, int *_Nonnull pid, uint32_t *_Nonnull uid, uint32_t *_Nonnull gid);
/// sendmsg(2) with up to SERAI_MAX_PASSED descriptors, MSG_NOSIGNAL; `nonblocking` adds MSG_DONTWAIT. Retries EINTR.
ssize_t serai_send(int fd, const void *_Nonnull bytes, size_t count, const int *_Nullable fds, int fd_count,
                   int nonblocking);
/// recvmsg(2) with MSG_CMSG_CLOEXEC; `fd_count` receives how many descriptors came. -EMSGSIZE when the message was
/// longer than the buffer or carried more descriptors than fit (those that came are closed).
ssize_t serai_receive(int fd, void *_Nonnull buffer, size_t capacity, int fds[_Nonnull SERAI_MAX_PASSED],
                      int *_Nonnull fd_count, int nonblocking);
/// SO_SNDBUF.
int serai_set_send_buffer(int fd, int bytes);
/// shutdown(2) of both directions: a thread that waits in recvmsg returns.
int serai_shutdown(int fd);
