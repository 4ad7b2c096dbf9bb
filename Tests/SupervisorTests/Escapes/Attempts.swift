/// One thing that a task must not be able to do, tried by the probe of Tests/IsolationProbes under the same name.
struct Attempt: Sendable {
  /// The check's number in the isolation reference.
  var check: String
  /// What is tried.
  var name: String
  /// The outcomes that count as a refusal: errno names, or a signal.
  var refusals: Set<String>
  /// The walls that must each refuse it alone, with all others off.
  var walls: Set<Wall>
  /// For the task's root (uid 0 inside) it is no attempt at anything: its effect stays in the task.
  var isNobodys = false

  /// What any refusal may look like.
  static let denied: Set<String> = ["EPERM", "EACCES", "EROFS", "ENOSYS"]
  /// What is not there.
  static let absent: Set<String> = ["ENOENT", "ENOTDIR", "ENODATA", "ENXIO"]
  static let noFamily: Set<String> = ["EAFNOSUPPORT", "EPROTONOSUPPORT", "ESOCKTNOSUPPORT"]
}

/// What separates a task from the host; each is tested alone.
enum Wall: String, CaseIterable, Sendable {
  /// The system call filter.
  case filter
  /// No capabilities and no root's user id.
  case identity
  /// The task's own root file system with its masks, and its pid, IPC, UTS and cgroup namespaces.
  case root
  /// The cgroup's device rules.
  case devices
  /// Ids of its own: all capabilities, but only over what is the task's. It comes with a root.
  case userNamespace
}

/// Everything that is tried, by topic.
enum Attempts {
  static let all: [Attempt] =
    namespaces + mounts + handles + knobs + secrets + cgroups + hostFiles + devices + kernel + sockets + terminals
    + processes + identity + limits

  /// Reachable and harmless; only counted.
  static let harmless: Set<String> = [
    "memfd-create", "pidfd-open-self", "landlock-create-ruleset", "seccomp-own-filter", "ptrace-own-child",
    "terminal-open-master", "socket-netlink-route", "read-core-pattern", "setuid-bit", "clear-no-new-privileges", "raise-core-size", "connect-host-loopback",
  ]

  private static func group(
    _ check: String, _ walls: Set<Wall>, also refusals: Set<String> = [], isNobodys: Bool = false, _ names: String
  ) -> [Attempt] {
    names.split(whereSeparator: \.isWhitespace).map {
      Attempt(
        check: check, name: String($0), refusals: Attempt.denied.union(refusals), walls: walls, isNobodys: isNobodys)
    }
  }

  private static let namespaces =
    group(
      "G08", [.filter, .identity],
      """
      unshare-mount unshare-pid unshare-net unshare-ipc unshare-uts unshare-cgroup unshare-time
      clone-mount clone-pid clone-net clone-ipc clone-uts clone-cgroup clone3-mount clone3-time
      """)
    // Anybody may have a user namespace: only the filter stands before it while the host's ids are used.
    + group(
      "G09", [.filter, .userNamespace], also: ["ENOSPC"],
      "unshare-user unshare-user-then-mount clone-user clone3-user")
    + group("G09", [.filter], also: ["EINVAL"], "unshare-high-bits")
    + group("G09", [.filter], also: ["SIGSYS"], "ia32-unshare-user ia32-getpid x32-unshare-user x32-getpid")
    + group(
      "G10", [.filter, .identity],
      "setns-own-mount setns-own-net setns-own-uts setns-own-pid setns-parent-pidfd")
    // Not there: hidden by /proc.
    + group("G10", [.filter, .identity], also: Attempt.absent, "setns-init-mount setns-init-user")

  private static let mounts =
    group(
      "G06", [.filter, .identity, .userNamespace],
      """
      mount-tmpfs mount-ramfs mount-bind mount-proc mount-sysfs mount-devpts mount-mqueue mount-debugfs mount-tracefs
      mount-bpffs mount-cgroup mount-cgroup2 mount-overlay mount-devtmpfs mount-move
      """)
    // It tries in a mount namespace of its own where it gets one.
    + group("G06", [.filter, .identity], "mount-propagation")
    + group(
      "G07", [.filter, .identity, .userNamespace], also: ["EINVAL"],
      """
      remount-proc-sys remount-sys remount-dev umount-proc-sys umount-proc-keys umount-proc-timer-list
      umount-sys-firmware umount-dev
      """)
    + group(
      "G12", [.filter, .identity, .userNamespace],
      "pivot-root fsopen fsopen-proc fsopen-overlay fspick fsmount open-tree-clone open-tree-attr move-mount mount-setattr"
    )
    + group("G12", [.filter], "fsconfig open-tree statmount listmount")

  private static let handles =
    group("G13", [.filter, .identity, .userNamespace], "open-root-by-handle open-volume-by-handle open-etc-by-handle")
    + group("G13", [.filter], "handle-of-root")

  private static let knobs =
    group(
      "G19", [.identity, .root, .userNamespace], also: Attempt.absent,
      """
      write-core-pattern write-modprobe write-hostname write-randomize-va-space write-drop-caches write-overcommit
      write-ip-forward write-mqueue-max write-binfmt write-max-user-namespaces write-sysrq write-irq-affinity
      write-power-state write-transparent-hugepage write-uevent-helper write-cpu-online write-uevent write-profiling
      write-loopback-mtu write-block-queue
      """)
    + group("G19", [.root], also: Attempt.absent, "write-pressure")

  private static let secrets =
    group(
      "G20", [.root], also: Attempt.absent,
      """
      read-kcore read-keys read-key-users read-timer-list read-kallsyms read-kmsg read-slabinfo read-vmallocinfo
      read-kpagecount read-kpageflags read-config read-command-line read-interrupts read-sched-debug read-pressure
      list-firmware list-debugfs list-tracefs list-slab list-powercap list-proc-driver list-proc-bus read-vmcoreinfo read-kernel-notes
      read-btf
      """)

  private static let cgroups = group(
    "G21", [.identity, .root, .userNamespace], also: Attempt.absent,
    "write-any-cgroup-file make-cgroup write-release-agent write-devices-allow")

  private static let hostFiles =
    group(
      "G04", [.identity], also: ["EOPNOTSUPP"], isNobodys: true,
      """
      laid-file-append laid-file-truncate laid-file-chmod laid-file-chown laid-file-xattr laid-file-times
      laid-file-rename laid-file-unlink
      """)
    + group("G18", [.identity, .userNamespace], isNobodys: true, "private-file-read root-group-file-read")
    + group("G11", [.root], also: Attempt.absent, "host-file-read host-file-by-parents host-file-by-chroot")
    + group("G16", [.identity], isNobodys: true, "file-capabilities")
    + group("G16", [.identity, .userNamespace], "trusted-attribute")

  private static let devices =
    group(
      "G14", [.identity, .devices, .userNamespace],
      """
      mknod-kmsg mknod-mem mknod-port mknod-console mknod-serial mknod-fuse mknod-kvm mknod-tun mknod-loop-control
      mknod-loop mknod-disk mknod-null
      """)
    + group(
      "G14", [.root, .devices], also: Attempt.absent,
      """
      open-kmsg open-disk open-loop open-loop-control open-fuse open-kvm open-tun open-vsock open-userfaultfd
      open-device-mapper open-console open-hardware-random
      """)

  private static let kernel =
    group(
      "G22", [.filter, .identity, .userNamespace],
      """
      bpf perf-event-open-all kexec-load kexec-file-load init-module finit-module delete-module swapon swapoff reboot
      acct iopl ioperm fanotify-init syslog-read syslog-size settimeofday vhangup sethostname setdomainname
      """)
    // Reading the clock's state is the same call.
    + group("G22", [.identity, .userNamespace], "adjtimex")
    + group(
      "G22", [.filter],
      """
      perf-event-open userfaultfd userfaultfd-user-only io-uring-setup io-uring-enter io-uring-register add-key
      request-key keyctl-join keyctl-session quotactl quotactl-fd fanotify-init-unprivileged fanotify-mark clock-settime
      uselib lookup-dcookie modify-ldt personality-no-randomize personality-mmap-zero personality-read-implies-exec
      vmsplice process-madvise move-pages mbind migrate-pages set-mempolicy-home-node memfd-secret sysfs nfsservctl
      pidfd-getfd lsm-list-modules file-setattr unknown-call
      """)

  private static let sockets =
    group(
      "G24", [.filter, .identity, .userNamespace], also: Attempt.noFamily,
      "socket-packet socket-packet-datagram socket-xdp socket-packet-high-bits")
    // The family is one that tasks have; the right to raw sockets they lack.
    + group(
      "G24", [.identity, .userNamespace], also: Attempt.noFamily,
      """
      socket-raw-icmp socket-raw-tcp socket-raw-icmp6 socket-mark socket-transparent socket-debug interface-flags
      interface-new
      """)
    + group(
      "G24", [.filter], also: Attempt.noFamily,
      """
      socket-vsock socket-crypto socket-key socket-bluetooth socket-can socket-tipc socket-rds socket-smc socket-ax25
      socket-netlink-audit socket-netlink-netfilter socket-netlink-uevent socket-netlink-xfrm socket-netlink-diagnosis
      socket-netlink-generic socket-netlink-connector socket-netlink-crypto
      """)
    + group("G24", [.filter], also: Attempt.noFamily.union(["EOPNOTSUPP"]), "socket-pair-vsock")
    + group("G25", [.root], also: Attempt.absent, "connect-host-socket-file")

  private static let terminals =
    group("G18", [.filter], "terminal-inject terminal-inject-high-bits terminal-linux")
    + group("G18", [.identity, .userNamespace], "terminal-console")

  private static let processes =
    group(
      "G23", [.root], also: Attempt.absent.union(["ESRCH", "EINVAL"]),
      """
      signal-host-process trace-host-process read-host-process host-process-environment host-process-maps
      host-process-command host-process-root pidfd-of-host-process affinity-of-host-process
      """)
    // PID 1 is the runtime's init, as the user of the task.
    + group(
      "G38", [], also: Attempt.absent, "init-descriptors init-program init-program-for-writing init-memory trace-init init-working-directory")

  private static let identity =
    group(
      "G17", [.identity], isNobodys: true, "become-root become-root-group join-root-group become-other-user")
    + group(
      "G17", [.identity],
      "gain-sys-admin gain-sys-ptrace gain-net-admin gain-net-raw ambient-sys-admin set-mm")

  private static let limits = group(
    "G31", [.identity, .userNamespace], also: ["EINVAL"],
    "lower-oom-score lower-nice realtime-scheduling realtime-input-output")
}
