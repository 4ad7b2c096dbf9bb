public import Linux

/// What one task may see, use and be: a plain value. `Plan` checks it and turns it into steps; nothing here acts.
///
/// The defaults are those of an isolated task; `Sandbox.unconfined` is the starting point for a driver that isolates
/// nothing.
public struct Sandbox: Sendable, Equatable {
  /// The program.
  public var command: Command
  /// Namespaces of its own. Mount, pid, IPC, UTS and cgroup by default.
  public var namespaces: Namespaces = [.mount, .pid, .ipc, .uts, .cgroup]
  /// Path of a network namespace to join; nil: the host's.
  public var networkNamespace: String?
  /// Its root file system; nil: the host's (then `mounts` must be empty).
  public var root: Root?
  /// Mounts inside the root, made in this order after /proc, /sys and /dev.
  public var mounts: [Mount] = []
  /// Who runs it, resolved in the task's own /etc/passwd and /etc/group; nil: as whom the supervisor runs (root).
  public var user: String? = "nobody"
  /// Host user ids that are refused, whatever name led to them.
  public var deniedUserIDs: [ClosedRange<UInt32>] = []
  /// Host group ids that are refused as primary or supplementary group.
  public var deniedGroupIDs: [ClosedRange<UInt32>] = []
  /// Capabilities in the bounding set, by libcap's names without "cap_"; nil: all of the supervisor's. With host ids a
  /// user other than root holds none of them; root holds exactly these.
  public var capabilities: [String]? = Capability.defaultNames
  /// PR_SET_NO_NEW_PRIVS: setuid files give nothing.
  public var noNewPrivileges = true
  /// The system call filter.
  public var seccomp: SeccompPolicy = .standard
  /// cgroup limits.
  public var limits = CgroupLimits()
  /// Resource limits (setrlimit(2)); a value above the supervisor's hard limit is clamped, and a note says so.
  public var resourceLimits: [ResourceLimit] = [ResourceLimit(.core, 0)]
  /// umask(2).
  public var umask: UInt32 = 0o022
  /// /proc/self/oom_score_adj, 0…1000; nil: unchanged.
  public var oomScoreAdjustment: Int32?
  /// Host name inside; nil: the host's.
  public var hostname: String?
  /// Whether the in-task init is PID 1 (reaps orphans, hands signals on). Needs a pid namespace.
  public var usesInit = true
  /// Size of /dev/shm in bytes.
  public var sharedMemoryBytes: UInt64 = 64 << 20

  /// An isolated task.
  public init(command: Command) { self.command = command }

  /// No isolation but a cgroup of its own: host root, host namespaces, the supervisor's user, all capabilities.
  public static func unconfined(_ command: Command) -> Sandbox {
    var sandbox = Sandbox(command: command)
    sandbox.namespaces = []
    sandbox.user = nil
    sandbox.capabilities = nil
    sandbox.noNewPrivileges = false
    sandbox.seccomp = .unconfined
    sandbox.resourceLimits = []
    sandbox.usesInit = false
    sandbox.limits.devices = nil
    return sandbox
  }
}

/// What to execute, and how.
public struct Command: Sendable, Equatable {
  /// An absolute path inside the root; a path with a slash, relative to the task directory; or a name, looked up in
  /// `local/`, in the task directory and in the task's PATH.
  public var name: String
  /// Arguments after the program's name.
  public var arguments: [String]
  /// "NAME=value" lines. HOME, USER and LOGNAME are added when missing.
  public var environment: [String]
  /// Where it starts, inside the root; nil: the task directory.
  public var workingDirectory: String?
  /// Without a root: the host directory that relative names are relative to.
  public var taskDirectory: String?

  /// A command.
  public init(
    _ name: String, arguments: [String] = [], environment: [String] = [], workingDirectory: String? = nil,
    taskDirectory: String? = nil
  ) {
    self.name = name
    self.arguments = arguments
    self.environment = environment
    self.workingDirectory = workingDirectory
    self.taskDirectory = taskDirectory
  }
}

/// A root file system: the task's directory, with the host's directories laid into it as overlays.
public struct Root: Sendable, Equatable {
  /// The host directory that becomes "/".
  public var taskDirectory: String
  /// A host directory that only root can enter, outside `taskDirectory`, on a file system that can be an overlay's upper
  /// layer: what the task writes into overlaid directories goes there.
  public var layersDirectory: String
  /// What of the host is laid into it.
  public var entries: [ChrootEntry]

  /// A root.
  public init(taskDirectory: String, layersDirectory: String, entries: [ChrootEntry] = ChrootEntry.defaults) {
    self.taskDirectory = taskDirectory
    self.layersDirectory = layersDirectory
    self.entries = entries
  }
}

/// One `chroot_env` entry: a host path and where it appears inside. Symbolic links (merged /usr) stay links; what does
/// not exist on the host is left out.
public struct ChrootEntry: Sendable, Equatable, Hashable {
  /// Host path.
  public var source: String
  /// Path inside.
  public var target: String

  /// An entry; without `target` at the same path.
  public init(_ source: String, _ target: String? = nil) {
    self.source = source
    self.target = target ?? source
  }

  /// The documented default list.
  public static let defaults = [
    "/bin", "/etc", "/lib", "/lib32", "/lib64", "/run/resolvconf", "/run/systemd/resolve", "/sbin", "/usr",
  ].map { ChrootEntry($0) }
}

/// One mount inside the root.
public struct Mount: Sendable, Equatable {
  /// What is mounted.
  public enum Source: Sendable, Equatable {
    /// A host directory or file.
    case bind(String)
    /// A new tmpfs of at most `sizeBytes`, its root directory with these permissions; swapped out never, where the
    /// kernel can (Linux 6.4).
    case temporary(sizeBytes: UInt64, permissions: UInt32)
  }
  /// What is mounted.
  public var source: Source
  /// Absolute path inside.
  public var target: String
  /// Attributes besides nosuid and nodev, which every mount has.
  public var attributes: MountAttributes
  /// Whether the mounts below a bound directory come with it.
  public var recursive = true

  /// A bind of a host path.
  public static func bind(_ source: String, at target: String, readOnly: Bool = false) -> Mount {
    Mount(source: .bind(source), target: target, attributes: readOnly ? [.readOnly] : [])
  }
  /// A tmpfs that cannot hold programs.
  public static func temporary(at target: String, sizeBytes: UInt64, permissions: UInt32 = 0o777) -> Mount {
    Mount(source: .temporary(sizeBytes: sizeBytes, permissions: permissions), target: target, attributes: [.noExecute])
  }

  /// A mount.
  public init(source: Source, target: String, attributes: MountAttributes = []) {
    self.source = source
    self.target = target
    self.attributes = attributes
  }
}

/// The system call filter of a task.
public enum SeccompPolicy: UInt8, Sendable, Equatable {
  /// No filter.
  case unconfined = 0
  /// The filter of `SeccompFilter.standard()`.
  case standard = 1
}

/// One setrlimit(2) limit.
public struct ResourceLimit: Sendable, Equatable {
  /// RLIMIT_ numbers of Linux on x86-64 and arm64.
  public enum Resource: Int32, Sendable, CaseIterable {
    /// CPU seconds.
    case cpu = 0
    /// Bytes of a file.
    case fileSize = 1
    /// Bytes of the data segment.
    case data = 2
    /// Bytes of the stack.
    case stack = 3
    /// Bytes of a core file.
    case core = 4
    /// Resident set (no effect on Linux).
    case residentSet = 5
    /// Processes of the user.
    case processes = 6
    /// Open descriptors.
    case openFiles = 7
    /// Bytes locked in memory.
    case lockedMemory = 8
    /// Address space in bytes.
    case addressSpace = 9
    /// File locks.
    case locks = 10
    /// Queued signals.
    case pendingSignals = 11
    /// Bytes in POSIX message queues.
    case messageQueues = 12
    /// Highest nice value.
    case nice = 13
    /// Highest real-time priority.
    case realTimePriority = 14
    /// Microseconds of real-time CPU.
    case realTimeMicroseconds = 15
  }
  /// Which.
  public var resource: Resource
  /// Soft limit, `UInt64.max` for none.
  public var soft: UInt64
  /// Hard limit.
  public var hard: UInt64

  /// The same soft and hard limit.
  public init(_ resource: Resource, _ value: UInt64) { self.init(resource, soft: value, hard: value) }
  /// A soft and a hard limit.
  public init(_ resource: Resource, soft: UInt64, hard: UInt64) {
    self.resource = resource
    self.soft = soft
    self.hard = hard
  }
}
