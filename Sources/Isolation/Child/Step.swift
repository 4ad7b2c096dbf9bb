public import Linux

/// Names of the steps, as they appear in errors. The numbers travel over the report socket.
public enum StepName: UInt8, Sendable, CaseIterable {
  /// Waiting until the supervisor has written the start down.
  case gate = 1
  /// Signal mask and dispositions.
  case signals = 2
  /// Entering the cgroup.
  case cgroup = 3
  /// setsid(2).
  case session = 4
  /// Joining the network namespace.
  case networkNamespace = 5
  /// Separating the cgroup namespace.
  case cgroupNamespace = 6
  /// Making all mounts private.
  case mountPropagation = 7
  /// Making the task directory the root.
  case rootDirectory = 8
  /// Laying a host directory into it.
  case chrootEntry = 9
  /// /proc.
  case mountProc = 10
  /// Hiding a path of /proc or /sys.
  case maskPath = 11
  /// Making a path of /proc read-only.
  case protectPath = 12
  /// /sys.
  case mountSys = 13
  /// /dev.
  case mountDevices = 14
  /// A mount of the job.
  case mount = 15
  /// pivot_root(2).
  case pivot = 16
  /// Host name.
  case hostname = 17
  /// setrlimit(2).
  case resourceLimit = 18
  /// oom_score_adj.
  case oomScore = 19
  /// Looking up the user.
  case user = 20
  /// Putting 0-2 in place.
  case streams = 21
  /// Closing everything else.
  case descriptors = 22
  /// Capabilities.
  case capabilities = 23
  /// Group and user ids.
  case identity = 24
  /// no_new_privs.
  case noNewPrivileges = 25
  /// Working directory.
  case workingDirectory = 26
  /// The system call filter.
  case seccomp = 27
  /// Looking up the command.
  case command = 28
  /// Entering the namespaces of a running task.
  case joinTask = 29
  /// Taking a terminal.
  case terminal = 30
  /// umask(2).
  case umask = 31
  /// execve(2).
  case execute = 255
}

/// One step of building a sandbox, in the child. The payloads are all that a step needs to know.
public enum Step: Sendable, Equatable {
  /// See StepName.
  case signals
  /// Make (v1) and enter the cgroup.
  case cgroup
  case session
  case oomScore(Int32)
  case networkNamespace(String)
  case cgroupNamespace
  case mountPropagation
  case rootDirectory(String)
  case chrootEntry(ChrootEntry, layers: String)
  case mountProc
  case maskPath(MaskedPath)
  case protectPath(String)
  case mountSys
  case mountDevices(sharedMemoryBytes: UInt64, ipc: Bool)
  case mount(Mount)
  case pivot
  case hostname(String)
  case resourceLimit(ResourceLimit)
  case user(String, deniedUsers: [ClosedRange<UInt32>], deniedGroups: [ClosedRange<UInt32>])
  case streams
  case joinTask(Namespaces)
  case terminal
  case boundingSet(UInt64)
  case identity
  case capabilities(UInt64)
  case umask(UInt32)
  case workingDirectory(String)
  case noNewPrivileges
  case command(Command)
  case gate
  case descriptors
  case seccomp(SeccompPolicy)
  case execute(Command, useInit: Bool)

  /// The name for errors.
  public var name: StepName {
    switch self {
    case .signals: .signals
    case .cgroup: .cgroup
    case .session: .session
    case .oomScore: .oomScore
    case .networkNamespace: .networkNamespace
    case .cgroupNamespace: .cgroupNamespace
    case .mountPropagation: .mountPropagation
    case .rootDirectory: .rootDirectory
    case .chrootEntry: .chrootEntry
    case .mountProc: .mountProc
    case .maskPath: .maskPath
    case .protectPath: .protectPath
    case .mountSys: .mountSys
    case .mountDevices: .mountDevices
    case .mount: .mount
    case .pivot: .pivot
    case .hostname: .hostname
    case .resourceLimit: .resourceLimit
    case .user: .user
    case .streams: .streams
    case .joinTask: .joinTask
    case .terminal: .terminal
    case .boundingSet, .capabilities: .capabilities
    case .identity: .identity
    case .umask: .umask
    case .workingDirectory: .workingDirectory
    case .noNewPrivileges: .noNewPrivileges
    case .command: .command
    case .gate: .gate
    case .descriptors: .descriptors
    case .seccomp: .seccomp
    case .execute: .execute
    }
  }
}

/// A path of /proc or /sys that a task must not see: covered with an empty file or directory.
public struct MaskedPath: Sendable, Equatable {
  /// Relative to /proc or /sys.
  public var path: String
  /// Whether it is below /sys.
  public var inSys: Bool

  /// What every isolated task does not see. Those that a kernel does not have are skipped.
  static let all: [MaskedPath] =
    [
      "acpi", "asound", "bus", "cmdline", "config.gz", "driver", "interrupts", "kallsyms", "kcore", "keys", "key-users",
      "kmsg", "kpagecgroup", "kpagecount", "kpageflags", "latency_stats", "pressure", "sched_debug", "schedstat",
      "scsi",
      "slabinfo", "sysrq-trigger", "timer_list", "timer_stats", "vmallocinfo",
    ].map { MaskedPath(path: $0, inSys: false) }
    + [
      "devices/virtual/powercap", "firmware", "fs", "kernel/boot_params", "kernel/debug", "kernel/slab", "kernel/tracing",
      "kernel/vmcoreinfo",
    ]
    .map { MaskedPath(path: $0, inSys: true) }

  /// What a task may read in /proc but never write, whoever it runs as.
  static let readOnlyInProc = ["fs", "irq", "sys"]
}
