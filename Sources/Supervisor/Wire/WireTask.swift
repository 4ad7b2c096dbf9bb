import Isolation
import Linux

extension TaskSpec: WireValue {
  func encode(to w: inout WireWriter) {
    w.field(1, id)
    w.field(2, sandbox)
    if let logs { w.field(3, logs) }
  }
  init(from r: WireReader) throws(WireError) {
    self.init(id: try r.string(1), sandbox: try r.value(2), logs: try r.optionalValue(3))
  }
}

extension LogSpec: WireValue {
  func encode(to w: inout WireWriter) {
    w.field(1, directory)
    w.field(2, task)
    w.field(3, UInt64(maxFiles))
    w.field(4, maxFileBytes)
  }
  init(from r: WireReader) throws(WireError) {
    self.init(
      directory: try r.string(1), task: try r.string(2), maxFiles: try r.uint32(3), maxFileBytes: try r.number(4))
  }
}

extension TaskStatus: WireValue {
  func encode(to w: inout WireWriter) {
    w.field(1, id)
    switch state {
    case .starting: w.field(2, 0 as UInt64)
    case .running: w.field(2, 1 as UInt64)
    case .exited(let exit):
      w.field(2, 2 as UInt64)
      w.field(3, exit)
    }
    w.field(4, pid)
    w.field(5, startedNanoseconds)
    for note in notes { w.field(6, note) }
  }
  init(from r: WireReader) throws(WireError) {
    id = try r.string(1)
    switch try r.number(2) {
    case 0: state = .starting
    case 1: state = .running
    case 2: state = .exited(try r.value(3))
    case let other: throw WireError(problem: "task state \(other)")
    }
    pid = try r.int32(4)
    startedNanoseconds = try r.signed(5)
    notes = try r.strings(6)
  }
}

extension TaskExit: WireValue {
  func encode(to w: inout WireWriter) {
    w.field(1, exitCode)
    w.field(2, signal)
    w.field(3, dumpedCore)
    w.field(4, oomKilled)
    w.field(5, isKnown)
    w.field(6, endedNanoseconds)
    w.field(7, memoryPeakBytes)
    w.field(8, memoryLimitBytes)
    w.field(9, wasHostShortOfMemory)
  }
  init(from r: WireReader) throws(WireError) {
    exitCode = try r.int32(1)
    signal = try r.int32(2)
    dumpedCore = try r.bool(3)
    oomKilled = try r.bool(4)
    isKnown = try r.bool(5)
    endedNanoseconds = try r.signed(6)
    memoryPeakBytes = try r.number(7)
    memoryLimitBytes = try r.number(8)
    wasHostShortOfMemory = try r.bool(9)
  }
}

extension SupervisorError: WireValue {
  func encode(to w: inout WireWriter) {
    w.field(1, UInt64(kind.rawValue))
    w.field(2, message)
    w.field(3, step)
  }
  init(from r: WireReader) throws(WireError) {
    let kind = Kind(rawValue: UInt8(truncatingIfNeeded: try r.number(1))) ?? .system
    self.init(kind, try r.string(2), step: try r.string(3))
  }
}
