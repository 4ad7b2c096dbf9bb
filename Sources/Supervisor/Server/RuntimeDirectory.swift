import Isolation
import Linux

/// The supervisor's memory outside itself: one directory per task in a root-only place, written so that whoever comes
/// next (after an upgrade, a crash, a SIGKILL) finds every task and how it ended.
///
/// ```
/// <runtime>/lock              flock: one supervisor at a time
/// <runtime>/supervisor.sock
/// <runtime>/templates/        what all tasks share read-only: device nodes, covers for masked paths
/// <runtime>/tasks/<id>/record what was asked, pid and start time; replaced whole
/// <runtime>/tasks/<id>/exit   how it ended, from then until acknowledged
/// <runtime>/tasks/<id>/status the in-task init writes the task's wait status here
/// <runtime>/tasks/<id>/out, err   FIFOs behind the task's stdout and stderr
/// <runtime>/tasks/.spare-…        the same of a child that waits for a task, see Spares.swift
/// ```
///
/// There is nothing to compact and nothing to replay: a task's directory exists exactly as long as the task matters.
struct RuntimeDirectory {
  let path: String

  var lockPath: String { path + "/lock" }
  var socketPath: String { path + "/supervisor.sock" }
  var templatesPath: String { path + "/templates" }
  var tasksPath: String { path + "/tasks" }

  func prepare() throws(SystemError) {
    try Files.makeDirectories(path, permissions: 0o700)
    let status = try FileStatus.of(path, followLink: false)
    guard status.kind == .directory, status.uid == 0, status.permissions & 0o022 == 0 else {
      throw SystemError(
        "use", path, .permissionDenied, advice: "the runtime directory must belong to root and be writable by root only"
      )
    }
    try Files.makeDirectories(templatesPath, permissions: 0o700)
    try Files.makeDirectories(tasksPath, permissions: 0o700)
  }

  func task(_ id: String) -> TaskDirectory { TaskDirectory(path: "\(tasksPath)/\(id)") }

  /// The ids of all task directories, sorted.
  func taskIDs() throws(SystemError) -> [String] {
    try FileDescriptor.open(tasksPath, [.readOnly, .directory]).entries()
      .filter { $0.kind == .directory && TaskSpec.isValid(id: $0.name) }.map(\.name).sorted()
  }
}

extension RuntimeDirectory {
  /// Removes what a supervisor that was killed has left of children without a task.
  func removeSpares() throws(SystemError) {
    for entry in try FileDescriptor.open(tasksPath, [.readOnly, .directory]).entries()
    where entry.name.hasPrefix(".spare-") {
      try task(entry.name).remove()
    }
  }
}

/// One task's directory.
struct TaskDirectory {
  let path: String

  var outputPath: String { path + "/out" }
  var errorPath: String { path + "/err" }

  func create(withLogs: Bool) throws(SystemError) {
    try FileDescriptor.open(Files.parent(of: path), [.readOnly, .directory])
      .makeDirectory(String(path.split(separator: "/").last ?? ""), permissions: 0o700)
    let directory = try FileDescriptor.open(path, [.readOnly, .directory])
    if withLogs {
      try directory.makeFIFO("out")
      try directory.makeFIFO("err")
    }
  }

  /// A new, empty status file, open for the init. On a full disk this fails before the task runs, not after it ended.
  func createStatus() throws(SystemError) -> FileDescriptor {
    let file = try FileDescriptor.open(path + "/status", [.writeOnly, .create, .truncate])
    try file.writeAll([UInt8](repeating: 0, count: 8))
    return file
  }

  func readStatus() -> WaitStatus? {
    (try? Files.read(path + "/status", limit: 64)).flatMap { InTaskInit.status(in: $0) }
  }

  /// The first record. Written in place: the task is let go only when this has returned, so a torn one is never read.
  func create(_ record: TaskRecord) throws(SystemError) {
    try FileDescriptor.open(path + "/record", [.writeOnly, .create, .exclusive]).writeAll(record.encoded)
  }

  func write(_ record: TaskRecord) throws(SystemError) { try Files.replace(path + "/record", with: record.encoded) }
  func write(_ exit: TaskExit) throws(SystemError) { try Files.replace(path + "/exit", with: exit.encoded) }

  /// nil when there is none, or one that makes no sense (a crash between mkdir and the first record).
  func readRecord() -> TaskRecord? {
    (try? Files.read(path + "/record")).flatMap { try? TaskRecord(decoding: $0) }
  }
  func readExit() -> TaskExit? { (try? Files.read(path + "/exit")).flatMap { try? TaskExit(decoding: $0) } }

  func remove() throws(SystemError) { try Files.removeTree(path) }
}

/// What the next supervisor needs to know of a task.
struct TaskRecord: WireValue, Equatable {
  var spec: TaskSpec
  var pid: Int32 = 0
  /// With the pid it names the process (see Proc.startTime).
  var startTime: UInt64 = 0
  var startedNanoseconds: Int64 = 0
  /// False until the command has been executed.
  var isRunning = false
  var notes: [String] = []
  /// The cgroup, relative to the hierarchies' mount points.
  var cgroup: String

  init(spec: TaskSpec, cgroup: String) {
    self.spec = spec
    self.cgroup = cgroup
  }

  func encode(to w: inout WireWriter) {
    w.field(1, spec)
    w.field(2, pid)
    w.field(3, startTime)
    w.field(4, startedNanoseconds)
    w.field(5, isRunning)
    for note in notes { w.field(6, note) }
    w.field(7, cgroup)
  }

  init(from r: WireReader) throws(WireError) {
    spec = try r.value(1)
    pid = try r.int32(2)
    startTime = try r.number(3)
    startedNanoseconds = try r.signed(4)
    isRunning = try r.bool(5)
    notes = try r.strings(6)
    cgroup = try r.string(7)
  }
}
