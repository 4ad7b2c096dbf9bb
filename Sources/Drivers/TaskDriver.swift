public import Codec
public import Isolation
public import Linux

/// Runs tasks of one kind on this node. Every call may be repeated after a crash of the agent: the driver looks at what
/// exists before it makes anything.
public protocol TaskDriver: Sendable {
  /// The name that a job's `driver` attribute gives.
  var name: String { get }
  /// What the driver can do.
  var capabilities: DriverCapabilities { get }

  /// Looks at the host: is the driver there, is it well, which attributes does it add to the node?
  func fingerprint() async -> DriverFingerprint

  /// Checks a `config` block without starting anything.
  /// - Throws: `.configuration` or `.unsupported`.
  func validate(_ config: JSONObject) throws(DriverError)

  /// Starts the task, or finds it running when the same attempt was started before.
  func start(_ task: TaskStart) async throws(DriverError) -> TaskHandle

  /// Returns when the task has ended and its control group is empty; again and again the same answer until `destroy`.
  func wait(_ handle: TaskHandle) async throws(DriverError) -> TaskOutcome

  /// Sends a signal to the task's first process.
  func signal(_ handle: TaskHandle, _ signal: Int32) async throws(DriverError)

  /// SIGKILL to everything in the task's control group.
  func kill(_ handle: TaskHandle) async throws(DriverError)

  /// Runs a command inside a running task, with no more rights than the task has, and returns how it ended. When the
  /// calling task is cancelled, the command is killed.
  /// - Throws: `.commandNotFound`, `.unknownTask` when the task does not run, `.unsupported`.
  func execute(_ command: TaskCommand, in handle: TaskHandle) async throws(DriverError) -> TaskOutcome

  /// What the task uses now.
  func stats(_ handle: TaskHandle) async throws(DriverError) -> CgroupStatistics

  /// Finds out what became of a task that an earlier agent started.
  func recover(_ handle: TaskHandle) async throws(DriverError) -> RecoveredTask

  /// Lets go of what is kept about an ended task; an unknown one is no error.
  func destroy(_ handle: TaskHandle) async throws(DriverError)
}

/// A command that is run inside a running task.
public struct TaskCommand: Sendable {
  /// The program, looked up as a task's own command is.
  public var name: String
  /// What follows its name.
  public var arguments: [String]
  /// `NAME=value`.
  public var environment: [String]
  /// Descriptors of this process that become its input, output and error; they stay the caller's and must stay open
  /// until the command has ended.
  public var streams: [Int32]
  /// Whether the streams are one terminal, which becomes the command's controlling terminal.
  public var isTerminal: Bool

  /// A command with its three streams.
  public init(_ name: String, arguments: [String], environment: [String], streams: [Int32], isTerminal: Bool) {
    self.name = name
    self.arguments = arguments
    self.environment = environment
    self.streams = streams
    self.isTerminal = isTerminal
  }
}

/// What a driver can do.
public struct DriverCapabilities: Equatable, Sendable {
  /// How a task sees the file system.
  public enum Isolation: String, Sendable {
    /// Its own root: `/alloc`, `/local`, `/secrets`.
    case image
    /// The host's: directories by their host paths.
    case none
  }

  /// How a task sees the file system.
  public var isolation: Isolation
  /// Whether a running task can be sent signals.
  public var sendsSignals: Bool
  /// Whether commands can be run inside a running task.
  public var executesCommands: Bool

  /// Makes the description of a driver.
  public init(isolation: Isolation, sendsSignals: Bool = true, executesCommands: Bool = false) {
    self.isolation = isolation
    self.sendsSignals = sendsSignals
    self.executesCommands = executesCommands
  }
}

/// What a driver found on this host.
public struct DriverFingerprint: Equatable, Sendable {
  /// Whether the driver is there and switched on.
  public var detected: Bool
  /// Whether it can run tasks now.
  public var healthy: Bool
  /// "Healthy", or why not and what to do.
  public var description: String
  /// `driver.<name>` and more, for constraints.
  public var attributes: [String: String]

  /// Makes a finding.
  public init(detected: Bool, healthy: Bool, description: String, attributes: [String: String] = [:]) {
    self.detected = detected
    self.healthy = healthy
    self.description = description
    self.attributes = attributes
  }

  /// A driver that is switched off or cannot work here.
  public static func absent(_ reason: String) -> DriverFingerprint {
    DriverFingerprint(detected: false, healthy: false, description: reason)
  }
}

/// All that a driver needs to start one attempt of a task; everything interpolated.
public struct TaskStart: Sendable {
  /// The allocation.
  public var allocationID: Identifier
  /// The task's name in the job.
  public var taskName: String
  /// 1 for the first start, counted up at every restart: with allocation and task it names the attempt for ever.
  public var attempt: Int
  /// The task's `config` block.
  public var config: JSONObject
  /// `NAME=value`.
  public var environment: [String]
  /// A name or number, "" for the driver's default; "user:group" is understood.
  public var user: String
  /// What it may use.
  public var resources: TaskLimits
  /// Where its files are.
  public var directories: TaskDirectories
  /// What becomes of its output.
  public var logs: LogRotation
  /// The host ids that are the allocation's, for drivers that isolate users; nil when there are none to be had.
  public var userNamespace: UserNamespace?
  /// Why the task needs the host's own ids unless its job insists on others; nil when nothing it asks for does.
  public var hostIDsReason: String?
  /// Whether the task has no network but a loopback interface that it shares with the other tasks of its allocation
  /// (network mode `none`).
  public var hasNoNetwork = false
  /// Directories and files of the host that the task sees: its group's volumes, and what its devices need.
  public var volumes: [TaskVolume] = []
  /// Device nodes of the host that the task may open.
  public var devices: [DeviceNode] = []

  /// Makes a start request.
  public init(
    allocationID: Identifier, taskName: String, attempt: Int, config: JSONObject, environment: [String], user: String,
    resources: TaskLimits, directories: TaskDirectories, logs: LogRotation
  ) {
    self.allocationID = allocationID
    self.taskName = taskName
    self.attempt = attempt
    self.config = config
    self.environment = environment
    self.user = user
    self.resources = resources
    self.directories = directories
    self.logs = logs
  }

  /// What the supervisor calls this attempt.
  public var attemptID: AttemptID { AttemptID(allocation: allocationID, task: taskName, attempt: attempt) }
}

/// A directory or file of the host in a task.
public struct TaskVolume: Equatable, Sendable {
  /// On the host.
  public var source: String
  /// Where the task sees it, absolute.
  public var target: String
  /// Whether the task can only read it.
  public var isReadOnly: Bool
  /// Whether later mounts below it are seen by the other side.
  public var propagation: MountPropagation
  /// Whose ids its files have on disk.
  public var ids: IDs

  /// Whose ids files have on disk.
  public enum IDs: Sendable {
    /// Those that the task sees, whichever host ids its users have: for data of the task's own.
    case task
    /// Those of the host's users, who are nobody in a task with ids of its own: for files of the host.
    case host
  }

  /// A volume.
  public init(
    source: String, target: String, isReadOnly: Bool, propagation: MountPropagation = .private, ids: IDs = .task
  ) {
    self.source = source
    self.target = target
    self.isReadOnly = isReadOnly
    self.propagation = propagation
    self.ids = ids
  }

  /// In the words of the sandbox.
  func mount(hasTaskIDs: Bool) -> Mount {
    var mount = Mount.bind(
      source, at: target, readOnly: isReadOnly, hasTaskIDs: hasTaskIDs && propagation == .private && ids == .task)
    mount.propagation = propagation
    return mount
  }
}

/// What a task may use.
public struct TaskLimits: Equatable, Sendable {
  /// Its share of CPU relative to other tasks.
  public var cpuMHz: Int
  /// Hard limit, in bytes; 0 for none.
  public var memoryBytes: Int
  /// What the kernel tries to leave the task under pressure, in bytes; 0 for none.
  public var memoryReservationBytes: Int
  /// cpuset list notation; "" for all cores.
  public var cores: String
  /// MHz of one of this host's cores, which a hard limit is a part of; 0 when it is not known.
  public var coreMHz = 0

  /// Makes limits.
  public init(cpuMHz: Int, memoryBytes: Int, memoryReservationBytes: Int = 0, cores: String = "") {
    self.cpuMHz = cpuMHz
    self.memoryBytes = memoryBytes
    self.memoryReservationBytes = memoryReservationBytes
    self.cores = cores
  }
}

/// A task's directories on the host, absolute.
public struct TaskDirectories: Equatable, Sendable {
  /// `<alloc dir>/<id>`.
  public var allocation: String
  /// `<alloc dir>/<id>/alloc`, shared by the tasks of the group.
  public var shared: String
  /// `<alloc dir>/<id>/<task>`.
  public var task: String
  /// `/local` inside.
  public var local: String { task + "/local" }
  /// `/secrets` inside; where there is a `secretsMount` the place for it.
  public var secrets: String { task + "/secrets" }
  /// What an isolated task has at `/secrets`; nil: the directory itself.
  public var secretsMount: SecretsMount?
  /// `/tmp` inside.
  public var temporary: String { task + "/tmp" }
  /// `/alloc/logs` inside.
  public var logs: String { shared + "/logs" }
  /// What an isolated task writes into the overlays of its root.
  public var layers: String

  /// The directories of a task under `<alloc dir>/<id>`.
  public init(allocation: String, task: String) {
    self.allocation = allocation
    shared = allocation + "/alloc"
    self.task = allocation + "/" + task
    layers = allocation + "/.layers/" + task
  }
}

/// How a task's output is kept: `<directory>/<task>.stdout.N` and `.stderr.N`.
public struct LogRotation: Equatable, Sendable {
  /// An existing directory.
  public var directory: String
  /// How many files of each stream are kept.
  public var maxFiles: Int
  /// A new file is begun at this size.
  public var maxFileBytes: Int
  /// Output goes nowhere.
  public var disabled: Bool

  /// Makes a setting.
  public init(directory: String, maxFiles: Int, maxFileBytes: Int, disabled: Bool = false) {
    self.directory = directory
    self.maxFiles = maxFiles
    self.maxFileBytes = maxFileBytes
    self.disabled = disabled
  }
}

/// How a task ended.
public struct TaskOutcome: Equatable, Sendable {
  /// The exit status; 128 + signal when a signal ended the task.
  public var code: Int
  /// 0 when the task ended by itself.
  public var signal: Int
  /// Whether the kernel killed something in the task's control group for want of memory.
  public var outOfMemory: Bool
  /// More to say, e.g. the limit that was hit; "" for nothing.
  public var message: String
  /// When its end was noticed.
  public var time: Timestamp

  /// Makes a result.
  public init(code: Int, signal: Int = 0, outOfMemory: Bool = false, message: String = "", time: Timestamp) {
    self.code = code
    self.signal = signal
    self.outOfMemory = outOfMemory
    self.message = message
    self.time = time
  }

  /// Status 0 and no signal.
  public var isSuccess: Bool { code == 0 && signal == 0 }
}

/// What an earlier agent's task turned out to be.
public enum RecoveredTask: Equatable, Sendable {
  case running
  case exited(TaskOutcome)
  /// The supervisor has never heard of it, or the host was rebooted since.
  case unknown
}

/// What names a started task for its driver; kept in the client's state across restarts of the agent.
public struct TaskHandle: Record, Hashable {
  /// The driver's name.
  public var driver = ""
  /// The supervisor's name for the attempt.
  public var id = ""
  /// The task's first process on the host; 0 when it is not known.
  public var pid = 0
  /// When it was started.
  public var startedAt = Timestamp(nanoseconds: 0)
  /// The memory limit in bytes, for the message of a task that hit it; 0 for none.
  public var memoryBytes = 0
  /// What could only be done in part, for the user to know.
  public var notes: [String] = []

  /// An empty handle, for decoding.
  public init() {}

  /// The handle of a started task.
  public init(
    driver: String, id: String, pid: Int, startedAt: Timestamp, memoryBytes: Int = 0, notes: [String] = []
  ) {
    self.driver = driver
    self.id = id
    self.pid = pid
    self.startedAt = startedAt
    self.memoryBytes = memoryBytes
    self.notes = notes
  }

  /// The field list.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Driver", &driver)
    v.field(2, "ID", &id)
    v.field(3, "Pid", &pid)
    v.field(4, "StartedAt", &startedAt)
    v.field(5, "MemoryBytes", &memoryBytes)
    v.field(6, "Notes", &notes)
  }
}
