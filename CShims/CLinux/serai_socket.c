#define _GNU_SOURCE
#include "serai_socket.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static int address(const char *path, struct sockaddr_un *out) {
  memset(out, 0, sizeof *out);
  out->sun_family = AF_UNIX;
  size_t length = strlen(path);
  if (length >= sizeof out->sun_path) return -ENAMETOOLONG;
  memcpy(out->sun_path, path, length);
  return 0;
}

static int fail(int fd) {
  int error = errno;
  close(fd);
  return -error;
}

int serai_unix_listen(const char *path, int backlog) {
  struct sockaddr_un name;
  int r = address(path, &name);
  if (r < 0) return r;
  int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return -errno;
  // The mode of the socket file is that of the socket's inode at bind time: there is no moment with a wider one.
  if (fchmod(fd, 0600) < 0) return fail(fd);
  if (bind(fd, (struct sockaddr *)&name, sizeof name) < 0) return fail(fd);
  if (listen(fd, backlog) < 0) return fail(fd);
  return fd;
}
int serai_unix_connect(const char *path) {
  struct sockaddr_un name;
  int r = address(path, &name);
  if (r < 0) return r;
  int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
  if (fd < 0) return -errno;
  do r = connect(fd, (struct sockaddr *)&name, sizeof name);
  while (r < 0 && errno == EINTR);
  return r < 0 ? fail(fd) : fd;
}
int serai_accept(int fd) {
  int r;
  do r = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
  while (r < 0 && errno == EINTR);
  return r < 0 ? -errno : r;
}
int serai_socketpair(int fds[2]) {
  return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0 ? -errno : 0;
}
int serai_peer(int fd, int *pid, uint32_t *uid, uint32_t *gid) {
  struct ucred credentials;
  socklen_t length = sizeof credentials;
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &length) < 0) return -errno;
  *pid = credentials.pid;
  *uid = credentials.uid;
  *gid = credentials.gid;
  return 0;
}

ssize_t serai_send(int fd, const void *bytes, size_t count, const int *fds, int fd_count, int nonblocking) {
  if (fd_count > SERAI_MAX_PASSED) return -EINVAL;
  union {
    char bytes[CMSG_SPACE(sizeof(int) * SERAI_MAX_PASSED)];
    struct cmsghdr align;
  } control;
  memset(&control, 0, sizeof control);
  struct iovec part = {(void *)bytes, count};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
  if (fd_count > 0) {
    message.msg_control = control.bytes;
    message.msg_controllen = CMSG_SPACE(sizeof(int) * (size_t)fd_count);
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int) * (size_t)fd_count);
    memcpy(CMSG_DATA(header), fds, sizeof(int) * (size_t)fd_count);
  }
  ssize_t r;
  do r = sendmsg(fd, &message, MSG_NOSIGNAL | (nonblocking ? MSG_DONTWAIT : 0));
  while (r < 0 && errno == EINTR);
  return r < 0 ? -errno : r;
}

ssize_t serai_receive(int fd, void *buffer, size_t capacity, int fds[SERAI_MAX_PASSED], int *fd_count, int nonblocking) {
  union {
    char bytes[CMSG_SPACE(sizeof(int) * SERAI_MAX_PASSED)];
    struct cmsghdr align;
  } control;
  struct iovec part = {buffer, capacity};
  struct msghdr message = {
    .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
  *fd_count = 0;
  ssize_t r;
  do r = recvmsg(fd, &message, MSG_CMSG_CLOEXEC | (nonblocking ? MSG_DONTWAIT : 0));
  while (r < 0 && errno == EINTR);
  if (r < 0) return -errno;
  for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count && *fd_count < SERAI_MAX_PASSED; i++)
      memcpy(&fds[(*fd_count)++], CMSG_DATA(header) + i * sizeof(int), sizeof(int));
  }
  if (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) {
    for (int i = 0; i < *fd_count; i++) close(fds[i]);
    *fd_count = 0;
    return -EMSGSIZE;
  }
  return r;
}
int serai_set_send_buffer(int fd, int bytes) {
  return setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes) < 0 ? -errno : 0;
}
int serai_shutdown(int fd) { return shutdown(fd, SHUT_RDWR) < 0 ? -errno : 0; }
