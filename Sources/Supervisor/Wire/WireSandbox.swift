import Isolation
import Linux

// The fields of a sandbox on the wire and in the journal. Numbers are for ever: a removed field's number stays unused.

extension Sandbox: WireValue {
  func encode(to w: inout WireWriter) {
    w.field(1, command)
    w.field(2, namespaces.rawValue)
    if let networkNamespace { w.field(3, networkNamespace) }
    if let root { w.field(4, root) }
    for mount in mounts { w.field(5, mount) }
    if let user { w.field(6, user) }
    for range in deniedUserIDs { w.field(7, IDRange(range: range)) }
    for range in deniedGroupIDs { w.field(8, IDRange(range: range)) }
    w.field(9, capabilities != nil)
    for name in capabilities ?? [] { w.field(10, name) }
    w.field(11, noNewPrivileges)
    switch seccomp {
    case .unconfined: w.field(12, 0 as UInt64)
    case .standard: w.field(12, 1 as UInt64)
    case .profile(let text):
      w.field(12, 2 as UInt64)
      w.field(20, text)
    }
    w.field(13, limits)
    for limit in resourceLimits { w.field(14, limit) }
    w.field(15, UInt64(umask))
    if let oomScoreAdjustment { w.field(16, oomScoreAdjustment) }
    if let hostname { w.field(17, hostname) }
    w.field(18, usesInit)
    w.field(19, sharedMemoryBytes)
    if let userNamespace { w.field(21, userNamespace) }
    w.field(22, isRootReadOnly)
    for file in files { w.field(23, file) }
    for sysctl in sysctls { w.field(24, sysctl) }
    for device in devices { w.field(25, device) }
    // With a number of its own: an older side's silence means the default, not none.
    w.field(26, true)
    for name in ambientCapabilities { w.field(27, name) }
    w.field(28, allowsForeignABI)
    if let networkGroup { w.field(31, networkGroup) }
    w.field(29, logsRefusedCalls)
    w.field(30, UInt64(landlock.rawValue))
  }

  init(from r: WireReader) throws(WireError) {
    self.init(command: try r.value(1))
    namespaces = Namespaces(rawValue: try r.number(2))
    networkNamespace = try r.optionalString(3)
    root = try r.optionalValue(4)
    mounts = try r.values(5)
    user = try r.optionalString(6)
    deniedUserIDs = try r.values(7, IDRange.self).map(\.range)
    deniedGroupIDs = try r.values(8, IDRange.self).map(\.range)
    capabilities = try r.bool(9) ? try r.strings(10) : nil
    noNewPrivileges = try r.bool(11)
    switch try r.number(12) {
    case 0: seccomp = .unconfined
    case 1: seccomp = .standard
    case 2: seccomp = .profile(try r.string(20))
    default: throw WireError(problem: "unknown seccomp policy")
    }
    limits = try r.value(13)
    resourceLimits = try r.values(14)
    umask = try r.uint32(15)
    oomScoreAdjustment = r.has(16) ? try r.int32(16) : nil
    hostname = try r.optionalString(17)
    usesInit = try r.bool(18)
    sharedMemoryBytes = try r.number(19)
    userNamespace = try r.optionalValue(21)
    isRootReadOnly = try r.bool(22)
    files = try r.values(23)
    sysctls = try r.values(24)
    devices = try r.values(25)
    if try r.bool(26) { ambientCapabilities = try r.strings(27) }
    allowsForeignABI = try r.bool(28)
    networkGroup = try r.optionalString(31)
    logsRefusedCalls = try r.bool(29)
    let landlock = UInt8(exactly: try r.number(30)).flatMap { LandlockPolicy(rawValue: $0) }
    guard let landlock else { throw WireError(problem: "unknown Landlock policy") }
    self.landlock = landlock
  }
}

extension UserNamespace: WireValue {
  func encode(to w: inout WireWriter) {
    w.field(1, UInt64(firstID))
    w.field(2, UInt64(count))
  }
  init(from r: WireReader) throws(WireError) { self.init(firstID: try r.uint32(1), count: try r.uint32(2)) }
}

extension InitialFile: WireValue {
  func encode(to w: inout WireWriter) {
    w.field(1, path)
    w.field(2, content)
    w.field(3, UInt64(permissions))
  }
  init(from r: WireReader) throws(WireError) {
    self.init(
      path: try r.string(1), content: try r.optionalBytes(2).map { Array($0) } ?? [], permissions: try r.uint32(3))
  }
}

extension Sysctl: WireValue {
  func encode(to w: inout WireWriter) {
    w.field(1, name)
    w.field(2, value)
  }
  init(from r: WireReader) throws(WireError) { self.init(try r.string(1), try r.string(2)) }
}

extension DeviceNode: WireValue {
  func encode(to w: inout WireWriter) {
    w.field(1, source)
    w.field(2, target)
    w.field(3, isReadOnly)
  }
  init(from r: WireReader) throws(WireError) {
    self.init(try r.string(1), at: try r.string(2), readOnly: try r.bool(3))
  }
}

private struct IDRange: WireValue {
  var range: ClosedRange<UInt32>
  init(range: ClosedRange<UInt32>) { self.range = range }
  func encode(to w: inout WireWriter) {
    w.field(1, UInt64(range.lowerBound))
    w.field(2, UInt64(range.upperBound))
  }
  init(from r: WireReader) throws(WireError) {
    let low = try r.uint32(1)
    let high = try r.uint32(2)
    guard low <= high else { throw WireError(problem: "an id range that ends before it begins") }
    range = low...high
  }
}

extension Command: WireValue {
  func encode(to w: inout WireWriter) {
    w.field(1, name)
    for argument in arguments { w.field(2, argument) }
    for line in environment { w.field(3, line) }
    if let workingDirectory { w.field(4, workingDirectory) }
    if let taskDirectory { w.field(5, taskDirectory) }
  }
  init(from r: WireReader) throws(WireError) {
    self.init(
      try r.string(1), arguments: try r.strings(2), environment: try r.strings(3),
      workingDirectory: try r.optionalString(4), taskDirectory: try r.optionalString(5))
  }
}

extension Root: WireValue {
  func encode(to w: inout WireWriter) {
    w.field(1, taskDirectory)
    w.field(2, layersDirectory)
    for entry in entries { w.field(3, entry) }
  }
  init(from r: WireReader) throws(WireError) {
    self.init(taskDirectory: try r.string(1), layersDirectory: try r.string(2), entries: try r.values(3))
  }
}

extension ChrootEntry: WireValue {
  func encode(to w: inout WireWriter) {
    w.field(1, source)
    w.field(2, target)
  }
  init(from r: WireReader) throws(WireError) { self.init(try r.string(1), try r.string(2)) }
}

extension Mount: WireValue {
  func encode(to w: inout WireWriter) {
    switch source {
    case .bind(let path): w.field(1, path)
    case .temporary(let size, let permissions):
      w.field(2, size)
      w.field(3, UInt64(permissions))
    case .handedOver: w.field(10, true)
    }
    w.field(4, target)
    w.field(5, attributes.rawValue)
    w.field(6, recursive)
    w.field(7, hasTaskIDs)
    w.field(8, refusesLinks)
    w.field(9, UInt64(propagation.rawValue))
  }
  init(from r: WireReader) throws(WireError) {
    let source: Source
    if let path = try r.optionalString(1) {
      source = .bind(path)
    } else if try r.bool(10) {
      source = .handedOver
    } else {
      source = .temporary(sizeBytes: try r.number(2), permissions: try r.uint32(3))
    }
    self.init(source: source, target: try r.string(4), attributes: MountAttributes(rawValue: try r.number(5)))
    recursive = try r.bool(6)
    hasTaskIDs = try r.bool(7)
    refusesLinks = try r.bool(8)
    guard let propagation = UInt8(exactly: try r.number(9)).flatMap({ MountPropagation(rawValue: $0) }) else {
      throw WireError(problem: "unknown mount propagation")
    }
    self.propagation = propagation
  }
}

extension ResourceLimit: WireValue {
  func encode(to w: inout WireWriter) {
    w.field(1, resource.rawValue)
    w.field(2, soft)
    w.field(3, hard)
  }
  init(from r: WireReader) throws(WireError) {
    guard let resource = Resource(rawValue: try r.int32(1)) else { throw WireError(problem: "unknown resource limit") }
    self.init(resource, soft: try r.number(2), hard: try r.number(3))
  }
}

extension CgroupLimits: WireValue {
  func encode(to w: inout WireWriter) {
    w.field(1, cpuShares)
    if let cpuQuotaMicroseconds { w.field(2, cpuQuotaMicroseconds) }
    if let cpus { w.field(3, cpus) }
    if let memoryBytes { w.field(4, memoryBytes) }
    if let memoryReservationBytes { w.field(5, memoryReservationBytes) }
    w.field(6, swapBytes)
    if let pids { w.field(7, pids) }
    w.field(8, devices != nil)
    for device in devices ?? [] { w.field(9, device) }
    if let ioWeight { w.field(10, ioWeight) }
    for limit in hugePages { w.field(11, limit) }
  }
  init(from r: WireReader) throws(WireError) {
    self.init()
    cpuShares = try r.number(1)
    cpuQuotaMicroseconds = try r.optionalNumber(2)
    cpus = try r.optionalString(3)
    memoryBytes = try r.optionalNumber(4)
    memoryReservationBytes = try r.optionalNumber(5)
    swapBytes = try r.number(6)
    pids = try r.optionalNumber(7)
    devices = try r.bool(8) ? try r.values(9) : nil
    ioWeight = try r.optionalNumber(10)
    hugePages = try r.values(11)
  }
}

extension HugePageLimit: WireValue {
  func encode(to w: inout WireWriter) {
    w.field(1, size)
    w.field(2, bytes)
  }
  init(from r: WireReader) throws(WireError) { self.init(size: try r.string(1), bytes: try r.number(2)) }
}

extension DeviceRule: WireValue {
  func encode(to w: inout WireWriter) {
    w.field(1, isBlock)
    w.field(2, UInt64(major))
    if let minor { w.field(3, UInt64(minor)) }
    w.field(4, isReadOnly)
  }
  init(from r: WireReader) throws(WireError) {
    self.init(
      isBlock: try r.bool(1), major: try r.uint32(2), minor: r.has(3) ? try r.uint32(3) : nil,
      isReadOnly: try r.bool(4))
  }
}

extension CgroupStatistics: WireValue {
  /// In the order of their numbers, which begin with 1: append only.
  static let fieldCount = 19

  func encode(to w: inout WireWriter) {
    for index in 0..<Self.fieldCount where value(at: index) != 0 { w.field(index + 1, value(at: index)) }
  }
  init(from r: WireReader) throws(WireError) {
    self.init()
    for (tag, value) in r.numbers { set(value, at: tag - 1) }
  }

  // Written out: an answer about all tasks of a node has twenty thousand of these fields.
  func value(at index: Int) -> UInt64 {
    switch index {
    case 0: cpuNanoseconds
    case 1: cpuUserNanoseconds
    case 2: cpuSystemNanoseconds
    case 3: throttledPeriods
    case 4: throttledNanoseconds
    case 5: memoryBytes
    case 6: memoryPeakBytes
    case 7: memoryRSSBytes
    case 8: memoryCacheBytes
    case 9: swapBytes
    case 10: memoryKernelBytes
    case 11: pids
    case 12: oomKills
    case 13: oomEvents
    case 14: ioReadBytes
    case 15: ioWriteBytes
    case 16: cpuPressureMicroseconds
    case 17: memoryPressureMicroseconds
    case 18: ioPressureMicroseconds
    default: 0
    }
  }

  mutating func set(_ value: UInt64, at index: Int) {
    switch index {
    case 0: cpuNanoseconds = value
    case 1: cpuUserNanoseconds = value
    case 2: cpuSystemNanoseconds = value
    case 3: throttledPeriods = value
    case 4: throttledNanoseconds = value
    case 5: memoryBytes = value
    case 6: memoryPeakBytes = value
    case 7: memoryRSSBytes = value
    case 8: memoryCacheBytes = value
    case 9: swapBytes = value
    case 10: memoryKernelBytes = value
    case 11: pids = value
    case 12: oomKills = value
    case 13: oomEvents = value
    case 14: ioReadBytes = value
    case 15: ioWriteBytes = value
    case 16: cpuPressureMicroseconds = value
    case 17: memoryPressureMicroseconds = value
    case 18: ioPressureMicroseconds = value
    default: break
    }
  }
}

/// What one task uses, in an answer about many.
struct TaskUsage: Equatable {
  var id: String
  var usage: CgroupStatistics

  /// All in one run of bytes: the count of fields, then for each task the length of its id, the id, and the fields.
  static func packed(_ all: [TaskUsage]) -> [UInt8] {
    var w = WireWriter()
    w.reserve(all.count * 128)
    w.number(UInt64(CgroupStatistics.fieldCount))
    for task in all {
      w.number(UInt64(task.id.utf8.count))
      w.append(task.id.utf8)
      for index in 0..<CgroupStatistics.fieldCount { w.number(task.usage.value(at: index)) }
    }
    return w.bytes
  }

  static func unpacked(_ bytes: ArraySlice<UInt8>) throws(WireError) -> [TaskUsage] {
    var all: [TaskUsage] = []
    var at = bytes.startIndex
    if bytes.isEmpty { return all }
    let count = try WireReader.number(bytes, &at)
    while at < bytes.endIndex {
      let length = try WireReader.number(bytes, &at)
      guard length <= UInt64(bytes.endIndex - at), count <= 256 else { throw WireError(problem: "a list of usages") }
      let id = String(decoding: bytes[at..<(at + Int(length))], as: UTF8.self)
      at += Int(length)
      var usage = CgroupStatistics()
      // A newer side may say more.
      for index in 0..<Int(count) { usage.set(try WireReader.number(bytes, &at), at: index) }
      all.append(TaskUsage(id: id, usage: usage))
    }
    return all
  }
}
