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
  /// Making or entering the user namespace.
  case userNamespace = 32
  /// The loopback interface.
  case loopback = 33
  /// The task's own view of its cgroup.
  case cgroupView = 34
  /// A kernel setting.
  case sysctl = 35
  /// A file that is there from the start.
  case file = 36
  /// Making the root read-only.
  case readOnlyRoot = 37
  /// Landlock.
  case landlock = 38
  /// A device of the host.
  case device = 39
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
  /// Separate the mounts; as a slave the host's later mounts still show up.
  case mountPropagation(slave: Bool)
  /// Make the user namespace, of whose ids nothing is known yet.
  case holdUserNamespace
  /// Give it its ids, for the mounts; the child enters it later.
  case userNamespace(UserNamespace)
  /// Enter it, and allow no others inside.
  case enterUserNamespace
  case loopback
  case unprivilegedPorts
  case rootDirectory(String)
  case chrootEntry(ChrootEntry, layers: String, readOnly: Bool)
  case mountProc(hidePID: Bool)
  /// Move it into the root.
  case placeProc
  case maskPath(MaskedPath)
  case protectPath(String)
  case mountSys
  case cgroupView
  /// Move it into the root.
  case placeSys
  case mountDevices(sharedMemoryBytes: UInt64, ipc: Bool, own: [DeviceNode])
  case mount(Mount)
  case sysctl(Sysctl)
  case file(InitialFile)
  case readOnlyRoot
  case pivot
  case hostname(String)
  case resourceLimit(ResourceLimit)
  case user(String, deniedUsers: [ClosedRange<UInt32>], deniedGroups: [ClosedRange<UInt32>])
  case streams
  /// Enter the namespaces of a running task; what its ids are on the host.
  case joinTask(Namespaces, UserNamespace?)
  case terminal
  case boundingSet(UInt64)
  case identity
  case capabilities(UInt64, ambient: UInt64)
  case umask(UInt32)
  case workingDirectory(String)
  case noNewPrivileges
  case landlock(LandlockPolicy)
  case command(Command)
  case gate
  case descriptors
  case seccomp(logging: Bool)
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
    case .holdUserNamespace, .userNamespace, .enterUserNamespace: .userNamespace
    case .loopback: .loopback
    case .unprivilegedPorts, .sysctl: .sysctl
    case .cgroupView: .cgroupView
    case .file: .file
    case .readOnlyRoot: .readOnlyRoot
    case .landlock: .landlock
    case .rootDirectory: .rootDirectory
    case .chrootEntry: .chrootEntry
    case .mountProc, .placeProc: .mountProc
    case .maskPath: .maskPath
    case .protectPath: .protectPath
    case .mountSys, .placeSys: .mountSys
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
  /// Whether it is a directory on the kernels known; on others it is found out.
  public var isDirectory: Bool

  /// What every isolated task does not see. Those that a kernel does not have are skipped.
  static let all: [MaskedPath] =
    ["acpi", "asound", "bus", "driver", "scsi"].map { MaskedPath(path: $0, inSys: false, isDirectory: true) }
    + [
      "cmdline", "config.gz", "interrupts", "kallsyms", "kcore", "keys", "key-users", "kmsg", "kpagecgroup",
      "kpagecount", "kpageflags", "latency_stats", "pressure", "sched_debug", "schedstat", "slabinfo", "sysrq-trigger",
      "timer_list", "timer_stats", "vmallocinfo",
    ].map { MaskedPath(path: $0, inSys: false, isDirectory: false) }
    + ["devices/virtual/powercap", "firmware", "kernel/btf", "kernel/debug", "kernel/slab", "kernel/tracing"]
    .map { MaskedPath(path: $0, inSys: true, isDirectory: true) }
    // Which build this kernel is, and where its memory lies.
    + ["kernel/notes", "kernel/vmcoreinfo"].map { MaskedPath(path: $0, inSys: true, isDirectory: false) }

  /// What a task may read in /proc but never write, whoever it runs as.
  static let readOnlyInProc = ["fs", "irq", "sys"]
}
