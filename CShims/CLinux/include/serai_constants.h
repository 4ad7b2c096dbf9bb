// Kernel constants that Swift cannot import (macros with casts) or that the distribution's headers are too old for.
// Values come from the kernel's uapi headers, which never change them.
#pragma once
#include <stdint.h>

enum {
  SERAI_O_PATH = 010000000,
  SERAI_O_CLOEXEC = 02000000,
  SERAI_O_DIRECTORY = 0200000,
  SERAI_O_NOFOLLOW = 0400000,
  SERAI_O_NONBLOCK = 04000,
  SERAI_O_RDONLY = 0,
  SERAI_O_WRONLY = 1,
  SERAI_O_RDWR = 2,
  SERAI_O_CREAT = 0100,
  SERAI_O_EXCL = 0200,
  SERAI_O_TRUNC = 01000,
  SERAI_O_APPEND = 02000,
  SERAI_O_NOCTTY = 0400,
};
#if defined(__aarch64__)
#error "the O_ constants above are those of x86-64; arm64 swaps O_DIRECTORY, O_NOFOLLOW"
#endif

enum {
  SERAI_AT_FDCWD = -100,
  SERAI_AT_SYMLINK_NOFOLLOW = 0x100,
  SERAI_AT_REMOVEDIR = 0x200,
  SERAI_AT_EACCESS = 0x200,
  SERAI_AT_EMPTY_PATH = 0x1000,
  SERAI_AT_RECURSIVE = 0x8000,
};

enum {
  SERAI_RESOLVE_NO_XDEV = 0x01,
  SERAI_RESOLVE_NO_MAGICLINKS = 0x02,
  SERAI_RESOLVE_NO_SYMLINKS = 0x04,
  SERAI_RESOLVE_BENEATH = 0x08,
  SERAI_RESOLVE_IN_ROOT = 0x10,
};

enum {
  SERAI_MOUNT_ATTR_RDONLY = 0x1,
  SERAI_MOUNT_ATTR_NOSUID = 0x2,
  SERAI_MOUNT_ATTR_NODEV = 0x4,
  SERAI_MOUNT_ATTR_NOEXEC = 0x8,
  SERAI_MOUNT_ATTR_NOATIME = 0x10,
  SERAI_MOUNT_ATTR_NOSYMFOLLOW = 0x200000,
};

static const uint64_t SERAI_CLONE_NEWNS = 0x00020000;
static const uint64_t SERAI_CLONE_NEWCGROUP = 0x02000000;
static const uint64_t SERAI_CLONE_NEWUTS = 0x04000000;
static const uint64_t SERAI_CLONE_NEWIPC = 0x08000000;
static const uint64_t SERAI_CLONE_NEWUSER = 0x10000000;
static const uint64_t SERAI_CLONE_NEWPID = 0x20000000;
static const uint64_t SERAI_CLONE_NEWNET = 0x40000000;
