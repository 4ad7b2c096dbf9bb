// Device nodes: made, found under unusual paths, and terminals.
#include "attempt.h"

#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#include <termios.h>

// Made anywhere a task might write, and opened. "ok" only when both succeed; a node that cannot be opened is the errno
// of the open.
static int makes_device(mode_t kind, unsigned major_, unsigned minor_) {
  const char *places[] = {workspace(), "/local", "/tmp", "/alloc", "/secrets", "/dev", "/dev/shm", "/", "/etc", "/run"};
  int worst = EPERM;
  for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
    char path[256];
    snprintf(path, sizeof path, "%s/serai-probe-node-%d", places[i], getpid());
    if (mknod(path, kind | 0666, makedev(major_, minor_)) < 0) continue;
    int error = opens(path, O_RDONLY);
    unlink(path);
    // ENXIO, EBUSY and the like: the driver was asked.
    if (error != EPERM && error != EACCES) return 0;
    worst = error;
  }
  return worst;
}
ATTEMPT(mknod_kmsg) { return makes_device(S_IFCHR, 1, 11); }
ATTEMPT(mknod_mem) { return makes_device(S_IFCHR, 1, 1); }
ATTEMPT(mknod_port) { return makes_device(S_IFCHR, 1, 4); }
ATTEMPT(mknod_console) { return makes_device(S_IFCHR, 5, 1); }
ATTEMPT(mknod_serial) { return makes_device(S_IFCHR, 4, 64); }
ATTEMPT(mknod_fuse) { return makes_device(S_IFCHR, 10, 229); }
ATTEMPT(mknod_kvm) { return makes_device(S_IFCHR, 10, 232); }
ATTEMPT(mknod_tun) { return makes_device(S_IFCHR, 10, 200); }
ATTEMPT(mknod_loop_control) { return makes_device(S_IFCHR, 10, 237); }
ATTEMPT(mknod_loop) { return makes_device(S_IFBLK, 7, 0); }
ATTEMPT(mknod_disk) { return makes_device(S_IFBLK, 254, 0); }
ATTEMPT(mknod_null) { return makes_device(S_IFCHR, 1, 3); }

#define OPENS(id, path) \
  ATTEMPT(id) { return opens(path, O_RDONLY); }
OPENS(open_kmsg, "/dev/kmsg")
OPENS(open_disk, "/dev/vda")
OPENS(open_loop, "/dev/loop0")
OPENS(open_loop_control, "/dev/loop-control")
OPENS(open_fuse, "/dev/fuse")
OPENS(open_kvm, "/dev/kvm")
OPENS(open_tun, "/dev/net/tun")
OPENS(open_vsock, "/dev/vsock")
OPENS(open_userfaultfd, "/dev/userfaultfd")
OPENS(open_device_mapper, "/dev/mapper/control")
OPENS(open_console, "/dev/console")
OPENS(open_hardware_random, "/dev/hwrng")

static int on_terminal(unsigned long request, void *argument) {
  int master = open("/dev/ptmx", O_RDWR | O_NOCTTY);
  if (master < 0) return errno;
  if (grantpt(master) < 0 || unlockpt(master) < 0) return errno;
  char name[64];
  if (ptsname_r(master, name, sizeof name) != 0) return errno;
  setsid();
  int slave = open(name, O_RDWR);
  if (slave < 0) return errno;
  ioctl(slave, TIOCSCTTY, 0);
  return tried(syscall(SYS_ioctl, slave, request, argument));
}
// Types into the terminal; in our own it is harmless, in one shared with an operator it is a command.
ATTEMPT(terminal_inject) {
  char c = 'x';
  return on_terminal(TIOCSTI, &c);
}
// The kernel looks at the low 32 bits of the request.
ATTEMPT(terminal_inject_high_bits) {
  char c = 'x';
  return on_terminal(0xabcd00000000ul | TIOCSTI, &c);
}
// ENOTTY and EINVAL are the driver's answers.
ATTEMPT(terminal_linux) {
  char c = 6;
  int error = on_terminal(TIOCLINUX, &c);
  return error == ENOTTY || error == EINVAL ? 0 : error;
}
ATTEMPT(terminal_console) { return on_terminal(TIOCCONS, 0); }
ATTEMPT(terminal_open_master) { return opens("/dev/ptmx", O_RDWR); }
