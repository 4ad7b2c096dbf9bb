// Files and directories: variadic open, openat2, statx, directory reading, and names anchored at a directory descriptor.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/// The fields of struct statx (statx(2)) that this project uses. Times are nanoseconds since the epoch; rdev holds the
/// major number in its upper 32 bits and the minor in the lower.
struct serai_stat {
  uint32_t mode, uid, gid, nlink;
  uint64_t size, inode, blocks, device, rdev;
  int64_t modified_ns, changed_ns;
  uint64_t mount_id;
};

/// The fields of struct statfs (statfs(2)).
struct serai_statfs {
  int64_t type;
  uint64_t block_size, blocks, blocks_free, blocks_available, files, files_free;
};

/// openat(2): variadic in C, so not importable. O_CLOEXEC is always added. Retries EINTR.
int serai_openat(int dirfd, const char *_Nonnull path, int flags, uint32_t mode);
/// openat2(2): no libc wrapper. `resolve`: RESOLVE_*. O_CLOEXEC is always added. Linux 5.6. Retries EINTR and EAGAIN
/// (a rename raced with the walk), the latter at most 128 times.
int serai_openat2(int dirfd, const char *_Nonnull path, uint64_t flags, uint32_t mode, uint64_t resolve);
/// close(2): the descriptor is gone whatever is returned.
int serai_close(int fd);
/// read(2), write(2), pread(2), pwrite(2): retry EINTR.
ssize_t serai_read(int fd, void *_Nonnull buffer, size_t count);
/// openat(2) of `directory`/`name` below dirfd, one read(2), close(2): for small files of the kernel's own.
ssize_t serai_read_below(int dirfd, const char *_Nonnull directory, const char *_Nonnull name, void *_Nonnull buffer,
                         size_t capacity);
ssize_t serai_write(int fd, const void *_Nonnull buffer, size_t count);
ssize_t serai_pread(int fd, void *_Nonnull buffer, size_t count, int64_t offset);
ssize_t serai_pwrite(int fd, const void *_Nonnull buffer, size_t count, int64_t offset);
/// statx(2) with the basic mask and the mount id.
int serai_stat(int dirfd, const char *_Nonnull path, int flags, struct serai_stat *_Nonnull out);
/// fstatfs(2).
int serai_fstatfs(int fd, struct serai_statfs *_Nonnull out);
/// mkdirat(2), mkfifoat(3), mknodat(2), symlinkat(2), unlinkat(2), renameat2(2), linkat(2).
int serai_mkdirat(int dirfd, const char *_Nonnull path, uint32_t mode);
int serai_mkfifoat(int dirfd, const char *_Nonnull path, uint32_t mode);
int serai_mknodat(int dirfd, const char *_Nonnull path, uint32_t mode, uint32_t major, uint32_t minor);
int serai_symlinkat(const char *_Nonnull target, int dirfd, const char *_Nonnull path);
int serai_unlinkat(int dirfd, const char *_Nonnull path, int flags);
int serai_renameat(int from, const char *_Nonnull from_path, int to, const char *_Nonnull to_path, uint32_t flags);
/// readlinkat(2): result is the length, not terminated.
ssize_t serai_readlinkat(int dirfd, const char *_Nonnull path, char *_Nonnull buffer, size_t size);
/// fchownat(2), fchmod(2), fchmodat(2) (follows links: use only with names nobody else can change), faccessat2(2).
int serai_fchownat(int dirfd, const char *_Nonnull path, uint32_t uid, uint32_t gid, int flags);
int serai_fchmod(int fd, uint32_t mode);
int serai_faccessat(int dirfd, const char *_Nonnull path, int mode, int flags);
/// ftruncate(2), fdatasync(2), fsync(2), fallocate(2).
int serai_ftruncate(int fd, int64_t size);
int serai_fdatasync(int fd);
int serai_fsync(int fd);
int serai_fallocate(int fd, int mode, int64_t offset, int64_t length);
/// flock(2): `exclusive` or shared; never blocks (-EWOULDBLOCK when another holds it).
int serai_flock(int fd, int exclusive);
/// chdir(2), fchdir(2), getcwd(2) (raw: "(unreachable)" is visible).
int serai_chdir(const char *_Nonnull path);
int serai_fchdir(int fd);
ssize_t serai_getcwd(char *_Nonnull buffer, size_t size);
uint32_t serai_umask(uint32_t mask);
/// dup3(2) with the given flags; fcntl(2) F_DUPFD_CLOEXEC from `lowest` up; F_SETFD; O_NONBLOCK on or off.
int serai_dup3(int fd, int target, int flags);
int serai_dup_from(int fd, int lowest);
int serai_set_cloexec(int fd, int on);
int serai_set_nonblocking(int fd, int on);
/// close_range(2) of first..last. Linux 5.9.
int serai_close_range(uint32_t first, uint32_t last);
/// pipe2(2) with O_CLOEXEC and the given extra flags.
int serai_pipe(int fds[_Nonnull 2], int flags);
/// splice(2); a NULL offset means the descriptor's own.
ssize_t serai_splice(int in, int out, int64_t *_Nullable out_offset, size_t count, unsigned flags);
/// memfd_create(2) with MFD_CLOEXEC | MFD_ALLOW_SEALING; `executable` asks MFD_EXEC (ignored before Linux 6.3).
int serai_memfd(const char *_Nonnull name, int executable);
/// fcntl F_ADD_SEALS: shrink, grow, write and seal, so that nobody can change the file again.
int serai_seal(int fd);

/// Reads directory entries (getdents64(2)) and calls `each` with the name and DT_ type; "." and ".." are left out.
/// Stops early when `each` returns non-zero. The descriptor's position is rewound first.
int serai_list_directory(int fd, void *_Nullable context,
                         int (*_Nonnull each)(void *_Nullable context, const char *_Nonnull name, int type));
