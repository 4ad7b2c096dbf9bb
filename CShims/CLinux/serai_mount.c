#define _GNU_SOURCE
#include "serai_mount.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MNT_DETACH_FLAG 2
#define CALL(...) ({ long r_ = syscall(__VA_ARGS__); r_ < 0 ? -errno : (int)r_; })

int serai_clone_tree(int dirfd, const char *path, int recursive) {
  unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | (recursive ? 0x8000 : 0);
  return CALL(SYS_open_tree, dirfd, path, flags);
}
int serai_attach(int mount, int target) {
  return CALL(SYS_move_mount, mount, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
}
int serai_attach_at(int mount, int target, const char *path) {
  return CALL(SYS_move_mount, mount, "", target, path, MOVE_MOUNT_F_EMPTY_PATH);
}
int serai_mount_setattr(int dirfd, const char *path, int recursive, uint64_t set, uint64_t clear,
                        uint64_t propagation) {
  struct mount_attr attributes = {.attr_set = set, .attr_clr = clear, .propagation = propagation};
  unsigned flags = AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW | (recursive ? 0x8000 : 0);
  return CALL(SYS_mount_setattr, dirfd, path, flags, &attributes, sizeof attributes);
}
int serai_mount_idmap(int mount, int user_namespace) {
  struct mount_attr attributes = {.attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (uint64_t)user_namespace};
  return CALL(SYS_mount_setattr, mount, "", AT_EMPTY_PATH, &attributes, sizeof attributes);
}
int serai_fsopen(const char *type) { return CALL(SYS_fsopen, type, FSOPEN_CLOEXEC); }
int serai_fsconfig_string(int fs, const char *key, const char *value) {
  return CALL(SYS_fsconfig, fs, FSCONFIG_SET_STRING, key, value, 0);
}
int serai_fsconfig_flag(int fs, const char *key) { return CALL(SYS_fsconfig, fs, FSCONFIG_SET_FLAG, key, NULL, 0); }
int serai_fsconfig_create(int fs) { return CALL(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0); }
int serai_fsmount(int fs, uint64_t attributes) { return CALL(SYS_fsmount, fs, FSMOUNT_CLOEXEC, (unsigned)attributes); }
int serai_unmount_detach(const char *path) { return CALL(SYS_umount2, path, MNT_DETACH_FLAG); }
int serai_pivot_here(void) { return CALL(SYS_pivot_root, ".", "."); }
