// The descriptor-based mount API. glibc wraps it from 2.36 on, but Swift's importer does not see _GNU_SOURCE calls.
#pragma once
#include <stdint.h>

/// open_tree(2) with OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC: a detached copy of the mount at dirfd/path (empty path: of
/// dirfd itself). `recursive` copies the mounts below too. Linux 5.2.
int serai_clone_tree(int dirfd, const char *_Nonnull path, int recursive);
/// move_mount(2) of the mount `mount` onto the object `target` (both by descriptor, no path is resolved). Linux 5.2.
int serai_attach(int mount, int target);
/// The same onto `path` seen from `target`; a symbolic link in the last place is not followed.
int serai_attach_at(int mount, int target, const char *_Nonnull path);
/// mount_setattr(2) on dirfd/path. `propagation`: MS_PRIVATE, MS_SLAVE or 0. Linux 5.12.
int serai_mount_setattr(int dirfd, const char *_Nonnull path, int recursive, uint64_t set, uint64_t clear,
                        uint64_t propagation);
/// mount_setattr(2) with MOUNT_ATTR_IDMAP: ids on disk n appear as what n is in `user_namespace`. The mount must be
/// detached and not idmapped yet, and its file system must know idmapped mounts. Linux 5.12.
int serai_mount_idmap(int mount, int user_namespace);
/// fsopen(2), fsconfig(2) with a string, a flag, a descriptor and CMD_CREATE, fsmount(2) with MOUNT_ATTR_*. Linux 5.2.
int serai_fsopen(const char *_Nonnull type);
int serai_fsconfig_string(int fs, const char *_Nonnull key, const char *_Nonnull value);
int serai_fsconfig_flag(int fs, const char *_Nonnull key);
int serai_fsconfig_create(int fs);
int serai_fsmount(int fs, uint64_t attributes);
/// umount2(2) with MNT_DETACH; pivot_root(2) of "." onto ".".
int serai_unmount_detach(const char *_Nonnull path);
int serai_pivot_here(void);
