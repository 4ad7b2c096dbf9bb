// Mounts, old and new interface, and the ways to take one away.
#include "attempt.h"

// Numbers are the same on every processor from 424 on.
enum { CALL_OPEN_TREE = 428, CALL_MOVE_MOUNT, CALL_FSOPEN, CALL_FSCONFIG, CALL_FSMOUNT, CALL_FSPICK };
enum { CALL_MOUNT_SETATTR = 442, CALL_STATMOUNT = 457, CALL_LISTMOUNT = 458, CALL_OPEN_TREE_ATTR = 467 };

static int mounts(const char *source, const char *type, unsigned long flags, const char *data) {
  if (mount(source, workspace(), type, flags, data) < 0) return errno;
  umount2(workspace(), MNT_DETACH);
  return 0;
}
ATTEMPT(mount_tmpfs) { return mounts("x", "tmpfs", 0, 0); }
ATTEMPT(mount_ramfs) { return mounts("x", "ramfs", 0, 0); }
ATTEMPT(mount_bind) { return mounts("/", 0, MS_BIND, 0); }
ATTEMPT(mount_proc) { return mounts("x", "proc", 0, 0); }
ATTEMPT(mount_sysfs) { return mounts("x", "sysfs", 0, 0); }
ATTEMPT(mount_devpts) { return mounts("x", "devpts", 0, "newinstance"); }
ATTEMPT(mount_mqueue) { return mounts("x", "mqueue", 0, 0); }
ATTEMPT(mount_debugfs) { return mounts("x", "debugfs", 0, 0); }
ATTEMPT(mount_tracefs) { return mounts("x", "tracefs", 0, 0); }
ATTEMPT(mount_bpffs) { return mounts("x", "bpf", 0, 0); }
// EBUSY is the kernel's word for "a hierarchy of other controllers": it was asked.
ATTEMPT(mount_cgroup) {
  int error = mounts("x", "cgroup", 0, "pids");
  return error == EBUSY ? 0 : error;
}
ATTEMPT(mount_cgroup2) { return mounts("x", "cgroup2", 0, 0); }
ATTEMPT(mount_overlay) {
  int error = mounts("x", "overlay", 0, "lowerdir=/usr:/etc");
  return error == ELOOP ? 0 : error;
}
ATTEMPT(mount_devtmpfs) { return mounts("x", "devtmpfs", 0, 0); }

// What an attempt takes away is taken from its own copy of the mounts, where it may have one: the attempts after it shall
// find the task as it was.
static void separate(void) { (void)!unshare(CLONE_NEWNS); }

static int remounts(const char *path) {
  separate();
  struct { unsigned long flags; } ways[] = {{MS_REMOUNT | MS_BIND}, {MS_REMOUNT}};
  int error = 0;
  for (int i = 0; i < 2; i++) {
    if (mount("none", path, 0, ways[i].flags, 0) == 0) return 0;
    if (error == 0) error = errno;
  }
  return error;
}
// Only inside a task are these mounts at all.
ATTEMPT(remount_proc_sys) { return remounts("/proc/sys"); }
ATTEMPT(remount_sys) { return remounts("/sys"); }
ATTEMPT(remount_dev) { return remounts("/dev"); }

static int unmounts(const char *path) {
  separate();
  return tried(umount2(path, MNT_DETACH));
}
ATTEMPT(umount_proc_sys) { return unmounts("/proc/sys"); }
ATTEMPT(umount_proc_keys) { return unmounts("/proc/keys"); }
ATTEMPT(umount_proc_timer_list) { return unmounts("/proc/timer_list"); }
ATTEMPT(umount_sys_firmware) { return unmounts("/sys/firmware"); }
ATTEMPT(umount_dev) { return unmounts("/dev/shm"); }

ATTEMPT(mount_propagation) {
  separate();
  return tried(mount(0, "/", 0, MS_REC | MS_PRIVATE, 0));
}
ATTEMPT(mount_move) {
  if (mount("x", workspace(), "tmpfs", 0, 0) < 0) return errno;
  mkdir(in_workspace("to"), 0700);
  int error = tried(mount(workspace(), in_workspace("to"), 0, MS_MOVE, 0));
  umount2(workspace(), MNT_DETACH);
  // Into itself: refused as a loop, after the permission check.
  return error == ELOOP || error == EINVAL ? 0 : error;
}
// EINVAL: past the permission check.
ATTEMPT(pivot_root) { return reached(syscall(SYS_pivot_root, workspace(), workspace())); }

ATTEMPT(fsopen) { return tried(syscall(CALL_FSOPEN, "tmpfs", 0)); }
ATTEMPT(fsopen_proc) { return tried(syscall(CALL_FSOPEN, "proc", 0)); }
ATTEMPT(fsopen_overlay) { return tried(syscall(CALL_FSOPEN, "overlay", 0)); }
ATTEMPT(fspick) { return tried(syscall(CALL_FSPICK, AT_FDCWD, "/", 0)); }
ATTEMPT(fsconfig) { return reached(syscall(CALL_FSCONFIG, -1, 0, 0, 0, 0)); }
ATTEMPT(fsmount) { return reached(syscall(CALL_FSMOUNT, -1, 0, 0)); }
ATTEMPT(open_tree) { return tried(syscall(CALL_OPEN_TREE, AT_FDCWD, "/", 0)); }
ATTEMPT(open_tree_clone) { return tried(syscall(CALL_OPEN_TREE, AT_FDCWD, "/", 1)); }
ATTEMPT(open_tree_attr) {
  struct { uint64_t set, clear, propagation, userns; } attributes = {1, 0, 0, 0};
  return tried(syscall(CALL_OPEN_TREE_ATTR, AT_FDCWD, "/", 1, &attributes, sizeof attributes));
}
ATTEMPT(move_mount) { return reached(syscall(CALL_MOVE_MOUNT, -1, "", -1, "", 4)); }
ATTEMPT(mount_setattr) {
  separate();
  struct { uint64_t set, clear, propagation, userns; } attributes = {0, 1, 0, 0};
  int error = tried(syscall(CALL_MOUNT_SETATTR, AT_FDCWD, "/proc/sys", 0, &attributes, sizeof attributes));
  // EINVAL outside a task: /proc/sys is no mount there.
  return error == EINVAL ? 0 : error;
}
ATTEMPT(statmount) { return reached(syscall(CALL_STATMOUNT, 0, 0, 0, 0)); }
ATTEMPT(listmount) { return reached(syscall(CALL_LISTMOUNT, 0, 0, 0, 0)); }

ATTEMPT(handle_of_root) {
  char buffer[sizeof(struct file_handle) + 128] = {0};
  struct file_handle *handle = (struct file_handle *)buffer;
  handle->handle_bytes = 128;
  int id;
  return tried(name_to_handle_at(AT_FDCWD, "/etc/passwd", handle, &id, 0));
}
// The classic: inode 2 of an ext file system is its root, whatever part of it one was given.
static int opens_handle(const char *place) {
  int mount = open(place, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (mount < 0) return errno;
  char buffer[sizeof(struct file_handle) + 8] = {0};
  struct file_handle *handle = (struct file_handle *)buffer;
  handle->handle_bytes = 8;
  handle->handle_type = 1;
  uint32_t inode[2] = {2, 0};
  memcpy(handle->f_handle, inode, 8);
  int fd = open_by_handle_at(mount, handle, O_RDONLY);
  // ESTALE: allowed, but not an ext file system.
  return fd >= 0 || errno == ESTALE ? 0 : errno;
}
ATTEMPT(open_root_by_handle) { return opens_handle("/"); }
ATTEMPT(open_volume_by_handle) { return opens_handle(workspace()); }
ATTEMPT(open_etc_by_handle) { return opens_handle("/etc"); }
