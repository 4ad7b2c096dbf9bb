#define _GNU_SOURCE
#include "serai_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#ifndef MFD_EXEC
#define MFD_EXEC 0x10u
#endif

#define RESULT(expression) ({ __typeof__(expression) r_ = (expression); r_ < 0 ? (__typeof__(r_))-errno : r_; })
#define RETRIED(expression) \
  ({ \
    ssize_t r_; \
    do r_ = (expression); while (r_ < 0 && errno == EINTR); \
    r_ < 0 ? -errno : r_; \
  })

int serai_openat(int dirfd, const char *path, int flags, uint32_t mode) {
  return RETRIED(openat(dirfd, path, flags | O_CLOEXEC, mode));
}

int serai_openat2(int dirfd, const char *path, uint64_t flags, uint32_t mode, uint64_t resolve) {
  struct open_how how = {.flags = flags | O_CLOEXEC, .mode = flags & O_CREAT ? mode : 0, .resolve = resolve};
  for (int attempt = 0; attempt < 128; attempt++) {
    long r = syscall(SYS_openat2, dirfd, path, &how, sizeof how);
    if (r >= 0) return r;
    if (errno != EINTR && errno != EAGAIN) return -errno;
  }
  return -EAGAIN;
}

int serai_close(int fd) { return RESULT(close(fd)); }
ssize_t serai_read(int fd, void *buffer, size_t count) { return RETRIED(read(fd, buffer, count)); }
ssize_t serai_read_below(int dirfd, const char *directory, const char *name, void *buffer, size_t capacity) {
  char path[512];
  size_t length = strlen(directory), rest = strlen(name);
  if (length + rest + 2 > sizeof path) return -ENAMETOOLONG;
  memcpy(path, directory, length);
  path[length] = '/';
  memcpy(path + length + 1, name, rest + 1);
  int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) return -errno;
  ssize_t count = serai_read(fd, buffer, capacity);
  close(fd);
  return count;
}
ssize_t serai_write(int fd, const void *buffer, size_t count) { return RETRIED(write(fd, buffer, count)); }
ssize_t serai_pread(int fd, void *buffer, size_t count, int64_t offset) {
  return RETRIED(pread(fd, buffer, count, offset));
}
ssize_t serai_pwrite(int fd, const void *buffer, size_t count, int64_t offset) {
  return RETRIED(pwrite(fd, buffer, count, offset));
}

#ifndef STATX_MNT_ID
#define STATX_MNT_ID 0x1000u
#endif

int serai_stat(int dirfd, const char *path, int flags, struct serai_stat *out) {
  struct statx s;
  if (statx(dirfd, path, flags, STATX_BASIC_STATS | STATX_MNT_ID, &s) < 0) return -errno;
  out->mode = s.stx_mode;
  out->uid = s.stx_uid;
  out->gid = s.stx_gid;
  out->nlink = s.stx_nlink;
  out->size = s.stx_size;
  out->inode = s.stx_ino;
  out->blocks = s.stx_blocks;
  out->device = makedev(s.stx_dev_major, s.stx_dev_minor);
  out->rdev = (uint64_t)s.stx_rdev_major << 32 | s.stx_rdev_minor;
  out->modified_ns = s.stx_mtime.tv_sec * 1000000000LL + s.stx_mtime.tv_nsec;
  out->changed_ns = s.stx_ctime.tv_sec * 1000000000LL + s.stx_ctime.tv_nsec;
  out->mount_id = s.stx_mnt_id;
  return 0;
}

int serai_fstatfs(int fd, struct serai_statfs *out) {
  struct statfs s;
  if (fstatfs(fd, &s) < 0) return -errno;
  out->type = s.f_type;
  out->block_size = s.f_frsize > 0 ? (uint64_t)s.f_frsize : (uint64_t)s.f_bsize;
  out->blocks = s.f_blocks;
  out->blocks_free = s.f_bfree;
  out->blocks_available = s.f_bavail;
  out->files = s.f_files;
  out->files_free = s.f_ffree;
  return 0;
}

int serai_mkdirat(int dirfd, const char *path, uint32_t mode) { return RESULT(mkdirat(dirfd, path, mode)); }
int serai_mkfifoat(int dirfd, const char *path, uint32_t mode) { return RESULT(mkfifoat(dirfd, path, mode)); }
int serai_mknodat(int dirfd, const char *path, uint32_t mode, uint32_t major, uint32_t minor) {
  return RESULT(mknodat(dirfd, path, mode, makedev(major, minor)));
}
int serai_symlinkat(const char *target, int dirfd, const char *path) { return RESULT(symlinkat(target, dirfd, path)); }
int serai_unlinkat(int dirfd, const char *path, int flags) { return RESULT(unlinkat(dirfd, path, flags)); }
int serai_renameat(int from, const char *from_path, int to, const char *to_path, uint32_t flags) {
  return RESULT(renameat2(from, from_path, to, to_path, flags));
}
ssize_t serai_readlinkat(int dirfd, const char *path, char *buffer, size_t size) {
  return RESULT(readlinkat(dirfd, path, buffer, size));
}
int serai_fchownat(int dirfd, const char *path, uint32_t uid, uint32_t gid, int flags) {
  return RESULT(fchownat(dirfd, path, uid, gid, flags));
}
int serai_fchmod(int fd, uint32_t mode) { return RESULT(fchmod(fd, mode)); }
int serai_faccessat(int dirfd, const char *path, int mode, int flags) {
  return RESULT(faccessat(dirfd, path, mode, flags));
}
int serai_ftruncate(int fd, int64_t size) { return RETRIED(ftruncate(fd, size)); }
int serai_fdatasync(int fd) { return RETRIED(fdatasync(fd)); }
int serai_fsync(int fd) { return RETRIED(fsync(fd)); }
int serai_fallocate(int fd, int mode, int64_t offset, int64_t length) {
  return RETRIED(fallocate(fd, mode, offset, length));
}
int serai_flock(int fd, int exclusive) { return RETRIED(flock(fd, (exclusive ? LOCK_EX : LOCK_SH) | LOCK_NB)); }
int serai_chdir(const char *path) { return RESULT(chdir(path)); }
int serai_fchdir(int fd) { return RESULT(fchdir(fd)); }
ssize_t serai_getcwd(char *buffer, size_t size) {
  long r = syscall(SYS_getcwd, buffer, size);
  return r < 0 ? -errno : r - 1;
}
uint32_t serai_umask(uint32_t mask) { return umask(mask); }
int serai_dup3(int fd, int target, int flags) { return RETRIED(dup3(fd, target, flags)); }
int serai_dup_from(int fd, int lowest) { return RESULT(fcntl(fd, F_DUPFD_CLOEXEC, lowest)); }
int serai_set_cloexec(int fd, int on) { return RESULT(fcntl(fd, F_SETFD, on ? FD_CLOEXEC : 0)); }
int serai_set_nonblocking(int fd, int on) {
  int flags = fcntl(fd, F_GETFL);
  if (flags < 0) return -errno;
  return RESULT(fcntl(fd, F_SETFL, on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK));
}
int serai_close_range(uint32_t first, uint32_t last) {
  long r = syscall(SYS_close_range, first, last, 0);
  return r < 0 ? -errno : 0;
}
int serai_pipe(int fds[2], int flags) { return RESULT(pipe2(fds, O_CLOEXEC | flags)); }
ssize_t serai_splice(int in, int out, int64_t *out_offset, size_t count, unsigned flags) {
  return RETRIED(splice(in, 0, out, out_offset, count, flags));
}
int serai_memfd(const char *name, int executable) {
  unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  int fd = memfd_create(name, executable ? flags | MFD_EXEC : flags);
  // Linux before 6.3 knows no MFD_EXEC: there every memfd is executable.
  if (fd < 0 && errno == EINVAL && executable) fd = memfd_create(name, flags);
  return fd < 0 ? -errno : fd;
}
int serai_seal(int fd) {
  return RESULT(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL));
}

struct entry {
  uint64_t inode;
  int64_t offset;
  unsigned short length;
  unsigned char type;
  char name[];
};

int serai_list_directory(int fd, void *context, int (*each)(void *context, const char *name, int type)) {
  _Alignas(8) char buffer[16384];
  if (lseek(fd, 0, SEEK_SET) < 0) return -errno;
  for (;;) {
    long count = syscall(SYS_getdents64, fd, buffer, sizeof buffer);
    if (count < 0) {
      if (errno == EINTR) continue;
      return -errno;
    }
    if (count == 0) return 0;
    for (long at = 0; at < count;) {
      struct entry *e = (struct entry *)(buffer + at);
      at += e->length;
      const char *n = e->name;
      if (n[0] == '.' && (n[1] == 0 || (n[1] == '.' && n[2] == 0))) continue;
      if (each(context, n, e->type)) return 0;
    }
  }
}
