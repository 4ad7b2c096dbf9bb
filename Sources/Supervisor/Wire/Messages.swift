import Isolation
import Linux

/// Version of the protocol: both sides must speak the same. Fields may be added without changing it.
let protocolVersion: UInt64 = 1

/// What a client asks. Every request has a number; its answer carries the same one.
enum Request: Equatable {
  /// First on every connection.
  case hello(version: UInt64)
  /// Answered when the command has been executed, or why it was not.
  case start(TaskSpec)
  /// Every task: running ones, and ended ones that have not been acknowledged.
  case list
  case signal(id: String, Int32)
  /// Ends every process of the task; the exit follows as an event.
  case kill(id: String)
  /// Forgets an ended task.
  case acknowledge(id: String)
  case statistics(id: String)
  case setLimits(id: String, CgroupLimits)
  /// Ends the supervisor; tasks run on, for the next one to adopt.
  case shutdown
  /// Replaces the supervisor's program in place.
  case upgrade(executable: String)
  /// Runs a command inside a running task. The streams come with the message as descriptors: three, or one terminal.
  case execute(id: String, Command, user: String?, terminal: Bool)
  /// Kills the command of this client's `execute` of that number, with its process group. One that has ended is no error.
  case endCommand(request: UInt64)
  /// What these tasks use now; those that do not run are left out.
  case usage(ids: [String])
}

/// What the supervisor answers, or tells without being asked (`number` 0).
enum Reply: Equatable {
  case done
  case failed(SupervisorError)
  case welcome(version: UInt64, pid: Int32, executable: String)
  case task(TaskStatus)
  case tasks([TaskStatus])
  case statistics(CgroupStatistics)
  case started(TaskStatus)
  case exited(id: String, TaskExit)
  /// An `execute` has ended.
  case executed(TaskExit)
  case usage([TaskUsage])
}

struct Numbered<Body> {
  var number: UInt64
  var body: Body
}

extension Numbered: WireValue where Body == Request {
  func encode(to w: inout WireWriter) {
    w.field(1, number)
    switch body {
    case .hello(let version):
      w.field(2, 1 as UInt64)
      w.field(3, version)
    case .start(let spec):
      w.field(2, 2 as UInt64)
      w.field(4, spec)
    case .list: w.field(2, 3 as UInt64)
    case .signal(let id, let signal):
      w.field(2, 4 as UInt64)
      w.field(5, id)
      w.field(6, signal)
    case .kill(let id):
      w.field(2, 5 as UInt64)
      w.field(5, id)
    case .acknowledge(let id):
      w.field(2, 6 as UInt64)
      w.field(5, id)
    case .statistics(let id):
      w.field(2, 7 as UInt64)
      w.field(5, id)
    case .setLimits(let id, let limits):
      w.field(2, 8 as UInt64)
      w.field(5, id)
      w.field(7, limits)
    case .shutdown: w.field(2, 9 as UInt64)
    case .upgrade(let executable):
      w.field(2, 10 as UInt64)
      w.field(8, executable)
    case .execute(let id, let command, let user, let terminal):
      w.field(2, 11 as UInt64)
      w.field(5, id)
      w.field(9, command)
      if let user { w.field(10, user) }
      w.field(11, terminal)
    case .endCommand(let request):
      w.field(2, 12 as UInt64)
      w.field(12, request)
    case .usage(let ids):
      w.field(2, 13 as UInt64)
      for id in ids { w.field(5, id) }
    }
  }

  init(from r: WireReader) throws(WireError) {
    number = try r.number(1)
    switch try r.number(2) {
    case 1: body = .hello(version: try r.number(3))
    case 2: body = .start(try r.value(4))
    case 3: body = .list
    case 4: body = .signal(id: try r.string(5), try r.int32(6))
    case 5: body = .kill(id: try r.string(5))
    case 6: body = .acknowledge(id: try r.string(5))
    case 7: body = .statistics(id: try r.string(5))
    case 8: body = .setLimits(id: try r.string(5), try r.value(7))
    case 9: body = .shutdown
    case 10: body = .upgrade(executable: try r.string(8))
    case 11:
      body = .execute(
        id: try r.string(5), try r.value(9), user: try r.optionalString(10), terminal: try r.bool(11))
    case 12: body = .endCommand(request: try r.number(12))
    case 13: body = .usage(ids: try r.strings(5))
    case let kind: throw WireError(problem: "request kind \(kind)")
    }
  }
}

struct NumberedReply: WireValue {
  var number: UInt64
  var body: Reply

  init(number: UInt64, body: Reply) {
    self.number = number
    self.body = body
  }

  func encode(to w: inout WireWriter) {
    w.field(1, number)
    switch body {
    case .done: w.field(2, 1 as UInt64)
    case .failed(let error):
      w.field(2, 2 as UInt64)
      w.field(3, error)
    case .welcome(let version, let pid, let executable):
      w.field(2, 3 as UInt64)
      w.field(4, version)
      w.field(5, pid)
      w.field(10, executable)
    case .task(let status):
      w.field(2, 4 as UInt64)
      w.field(6, status)
    case .tasks(let all):
      w.field(2, 5 as UInt64)
      for status in all { w.field(6, status) }
    case .statistics(let statistics):
      w.field(2, 6 as UInt64)
      w.field(7, statistics)
    case .started(let status):
      w.field(2, 7 as UInt64)
      w.field(6, status)
    case .exited(let id, let exit):
      w.field(2, 8 as UInt64)
      w.field(8, id)
      w.field(9, exit)
    case .executed(let exit):
      w.field(2, 9 as UInt64)
      w.field(9, exit)
    case .usage(let all):
      w.field(2, 10 as UInt64)
      w.field(11, TaskUsage.packed(all))
    }
  }

  init(from r: WireReader) throws(WireError) {
    number = try r.number(1)
    switch try r.number(2) {
    case 1: body = .done
    case 2: body = .failed(try r.value(3))
    case 3: body = .welcome(version: try r.number(4), pid: try r.int32(5), executable: try r.string(10))
    case 4: body = .task(try r.value(6))
    case 5: body = .tasks(try r.values(6))
    case 6: body = .statistics(try r.value(7))
    case 7: body = .started(try r.value(6))
    case 8: body = .exited(id: try r.string(8), try r.value(9))
    case 9: body = .executed(try r.value(9))
    case 10: body = .usage(try TaskUsage.unpacked(try r.optionalBytes(11) ?? []))
    case let kind: throw WireError(problem: "reply kind \(kind)")
    }
  }
}
