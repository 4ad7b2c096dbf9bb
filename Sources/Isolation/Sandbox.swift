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
  /// Path of a network namespace to join; nil: the host's, or with `.network` in `namespaces` a new one in which only
  /// the loopback interface is up.
  public var networkNamespace: String?
  /// With `.network` in `namespaces`: tasks of the same name share one network namespace, which the first of them makes
  /// and which goes with the last; nil: one for the task alone.
  public var networkGroup: String?
  /// The ids that the task's users are on the host; nil: the same ones. See `UserNamespace`.
  public var userNamespace: UserNamespace?
  /// Its root file system; nil: the host's (then `mounts` must be empty).
  public var root: Root?
  /// Whether only /alloc, /local, /secrets, /tmp and the job's mounts can be written.
  public var isRootReadOnly = false
  /// Mounts inside the root, made in this order after /proc, /sys and /dev.
  public var mounts: [Mount] = []
  /// Files that are there before the command runs, e.g. in a temporary mount. They are in no record of the supervisor.
  public var files: [InitialFile] = []
  /// Kernel settings of the task's own namespaces (sysctl(8)); others are refused.
  public var sysctls: [Sysctl] = []
  /// Host devices that appear in /dev and may be opened.
  public var devices: [DeviceNode] = []
  /// Who runs it, resolved in the task's own /etc/passwd and /etc/group; nil: as whom the supervisor runs (root).
  public var user: String? = "nobody"
  /// Host user ids that are refused, whatever name led to them.
  public var deniedUserIDs: [ClosedRange<UInt32>] = []
  /// Host group ids that are refused as primary or supplementary group.
  public var deniedGroupIDs: [ClosedRange<UInt32>] = []
  /// Capabilities in the bounding set, by libcap's names without "cap_"; nil: all of the supervisor's. Root holds exactly
  /// these.
  public var capabilities: [String]? = Capability.defaultNames
  /// Which of them a user other than root holds (as ambient capabilities, so that programs keep them). Those that reach
  /// into other users' files and ids are left out unless a job asks for them by name.
  public var ambientCapabilities: [String] = ["net_bind_service"]
  /// PR_SET_NO_NEW_PRIVS: setuid files give nothing.
  public var noNewPrivileges = true
  /// The system call filter.
  public var seccomp: SeccompPolicy = .standard
  /// Whether programs of the processor's other ABIs (32-bit ones on x86-64) may run; else such a call kills them.
  public var allowsForeignABI = false
  /// Whether the kernel's audit log names the refused calls.
  public var logsRefusedCalls = false
  /// The second wall for tasks with host ids, and the only one before the host's abstract sockets.
  public var landlock: LandlockPolicy = .whereShared
  /// cgroup limits.
  public var limits = CgroupLimits()
  /// Resource limits (setrlimit(2)); a value above the supervisor's hard limit is clamped, and a note says so.
  public var resourceLimits: [ResourceLimit] = [ResourceLimit(.core, 0)]
  /// umask(2).
  public var umask: UInt32 = 0o022
  /// /proc/self/oom_score_adj, 0…1000; nil: 0.
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
    sandbox.landlock = .off
    sandbox.limits.devices = nil
    return sandbox
  }
}

/// A range of host ids for one allocation: the ids 0 ..< `count` in the task are the host's from `firstID` on, so that
/// root in the task is nobody on the host. On disk, in the directories that are the task's own, the ids are those that
/// the task sees (idmapped mounts).
public struct UserNamespace: Sendable, Equatable, Hashable {
  /// The host id of the task's root.
  public var firstID: UInt32
  /// How many ids there are.
  public var count: UInt32

  /// A range of ids.
  public init(firstID: UInt32, count: UInt32 = 65536) {
    self.firstID = firstID
    self.count = count
  }
}

/// A file that is written into the root before the command runs. Its directory must be there.
public struct InitialFile: Sendable, Equatable {
  /// Absolute path inside.
  public var path: String
  /// Its content.
  public var content: [UInt8]
  /// Its mode; it belongs to the task's user.
  public var permissions: UInt32

  /// A file.
  public init(path: String, content: [UInt8], permissions: UInt32 = 0o600) {
    self.path = path
    self.content = content
    self.permissions = permissions
  }
}

/// One kernel setting, e.g. `net.core.somaxconn`.
public struct Sysctl: Sendable, Equatable {
  /// The name with dots.
  public var name: String
  /// What is written.
  public var value: String

  /// A setting.
  public init(_ name: String, _ value: String) {
    self.name = name
    self.value = value
  }
}

/// A device of the host for the task.
public struct DeviceNode: Sendable, Equatable {
  /// Host path of the node.
  public var source: String
  /// Absolute path inside, below /dev.
  public var target: String
  /// Whether it may only be read.
  public var isReadOnly: Bool

  /// A device; without `target` at the same path.
  public init(_ source: String, at target: String? = nil, readOnly: Bool = false) {
    self.source = source
    self.target = target ?? source
    isReadOnly = readOnly
  }
}

/// When Landlock confines a task to its own root and keeps it from the host's abstract sockets.
public enum LandlockPolicy: UInt8, Sendable, Equatable {
  /// Never.
  case off = 0
  /// For tasks with a root of their own that share ids or the network with the host. Left out, with a note, where the
  /// kernel has none.
  case whereShared = 1
  /// For every task with a root of its own; a kernel without it refuses.
  case required = 2
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
    /// A detached mount that comes with the start request as a descriptor.
    case handedOver
  }
  /// What is mounted.
  public var source: Source
  /// Absolute path inside.
  public var target: String
  /// Attributes besides nosuid and nodev, which every mount has.
  public var attributes: MountAttributes
  /// Whether the mounts below a bound directory come with it.
  public var recursive = true
  /// Whether a bound directory is the task's own: ids on disk are then those that the task sees. Else they are the
  /// host's, and with a user namespace files of the host's users belong to "nobody". Such a bind is not recursive.
  public var hasTaskIDs = false
  /// Whether a symbolic link anywhere in a bound path is an error: for paths that others than root may have written to.
  public var refusesLinks = false
  /// Which later mounts below a bound directory are seen on the other side: those of the host by the task (`slave`), or
  /// also those of the task by the host (`shared`). Both need host ids and a directory whose mount is shared.
  public var propagation = MountPropagation.private

  /// A bind of a host path.
  public static func bind(_ source: String, at target: String, readOnly: Bool = false, hasTaskIDs: Bool = false)
    -> Mount
  {
    var mount = Mount(source: .bind(source), target: target, attributes: readOnly ? [.readOnly] : [])
    mount.hasTaskIDs = hasTaskIDs
    if hasTaskIDs { mount.recursive = false }
    return mount
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
public enum SeccompPolicy: Sendable, Equatable, Hashable {
  /// No filter.
  case unconfined
  /// The filter of `SeccompFilter.standard`.
  case standard
  /// A profile in the format of the OCI runtime specification (`linux.seccomp`), as its JSON text.
  case profile(String)
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

extension Sandbox {
  /// Whether the network namespace is not the host's.
  public var hasOwnNetwork: Bool { networkNamespace != nil || namespaces.contains(.network) }
}
