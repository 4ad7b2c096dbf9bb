import Linux
import Testing

@Suite struct ErrorTests {
  @Test func anErrorNamesOperationObjectAndReason() {
    do throws(SystemError) {
      _ = try FileDescriptor.open("/no/such/file", advice: "make it")
      Issue.record("opened")
    } catch {
      #expect(error.errno == .noSuchFile)
      #expect(error.description == "open(\"/no/such/file\") failed: ENOENT (No such file or directory): make it")
    }
  }

  @Test func errnoNamesAreThoseOfTheKernel() {
    // errno(3).
    #expect(Errno.busy.name == "EBUSY" && Errno.crossDevice.name == "EXDEV" && Errno.tooManyLinks.name == "ELOOP")
    #expect(Errno(rawValue: 9999).name == "E9999")
  }
}

@Suite struct FileTests {
  /// A directory for one test.
  func withDirectory(_ body: (String, borrowing FileDescriptor) throws -> Void) throws {
    let name = try Randomness.bytes(8).map { String($0, radix: 16) }.joined()
    let path = "/tmp/serai-linux-test-\(name)"
    try Files.makeDirectories(path)
    defer { try? Files.removeTree(path) }
    let directory = try FileDescriptor.open(path, [.readOnly, .directory])
    try body(path, directory)
  }

  @Test func aTreeIsRemovedWithoutFollowingLinks() throws {
    try withDirectory { path, directory in
      try Files.makeDirectories(path + "/victim/inner")
      try Files.replace(path + "/victim/inner/kept", with: [1])
      try Files.makeDirectories(path + "/tree/a/b/c")
      try Files.replace(path + "/tree/a/file", with: [1, 2, 3])
      let tree = try FileDescriptor.open(path + "/tree/a", [.readOnly, .directory])
      try tree.makeSymbolicLink("link", to: path + "/victim")
      try tree.makeSymbolicLink("dangling", to: "/nowhere")
      try tree.makeFIFO("fifo")
      try Files.removeTree(path + "/tree")
      #expect(!Files.exists(path + "/tree"))
      #expect(Files.exists(path + "/victim/inner/kept"))
      // What is not there is no error.
      try Files.removeTree(path + "/tree")
    }
  }

  /// Why opening is refused; nil when it is not.
  func refusal(_ directory: borrowing FileDescriptor, _ name: String, _ resolve: ResolveFlags) -> Errno? {
    do throws(SystemError) {
      _ = try directory.open(beneath: name, resolve: resolve)
      return nil
    } catch {
      return error.errno
    }
  }

  @Test func openBeneathRefusesToLeave() throws {
    try withDirectory { path, directory in
      try Files.replace(path + "/inside", with: Array("x".utf8))
      try directory.makeSymbolicLink("out", to: "/etc/passwd")
      try directory.makeSymbolicLink("in", to: "inside")
      #expect(try directory.open(beneath: "inside").read(upTo: 10) == Array("x".utf8))
      #expect(refusal(directory, "in", [.beneath]) == nil)
      #expect(refusal(directory, "in", [.beneath, .noSymlinks]) == .tooManyLinks)
      #expect(refusal(directory, "out", [.beneath]) == .crossDevice)
      #expect(refusal(directory, "../x", [.beneath]) == .crossDevice)
      #expect(refusal(directory, "/etc/passwd", [.beneath]) == .crossDevice)
      #expect(refusal(directory, "/inside", [.inRoot]) == nil)
    }
  }

  @Test func replacingAFileIsWholeAndListingFindsIt() throws {
    try withDirectory { path, directory in
      try Files.replace(path + "/f", with: [UInt8](repeating: 7, count: 100_000), durable: true)
      try Files.replace(path + "/f", with: [1])
      #expect(try Files.read(path + "/f") == [1])
      #expect(try directory.entries().map(\.name) == ["f"])
      #expect(try directory.status(of: "f").size == 1)
      #expect(throws: SystemError.self) { _ = try Files.read(path + "/f", limit: 0) }
    }
  }

  @Test func aLockExcludesASecondHolder() throws {
    try withDirectory { path, directory in
      let first = try FileDescriptor.open(path + "/lock", [.readWrite, .create])
      try first.lock()
      let second = try FileDescriptor.open(path + "/lock", [.readWrite])
      #expect(throws: SystemError.self) { try second.lock() }
      try first.close()
      try second.lock()
    }
  }

  @Test func descriptorsCloseWithTheirOwner() throws {
    func openDescriptors() throws -> Int {
      try FileDescriptor.open("/proc/self/fd", [.readOnly, .directory]).entries().count
    }
    // Other tests open descriptors meanwhile: the number below is one that none of them gets.
    var number: Int32 = -1
    do {
      let fd = try FileDescriptor.duplicate(of: 0, lowest: 900)
      number = fd.number
      #expect(Files.exists("/proc/self/fd/\(number)"))
    }
    #expect(number >= 900 && !Files.exists("/proc/self/fd/\(number)"))
    #expect(try openDescriptors() > 0)
  }
}

@Suite struct SocketTests {
  @Test func descriptorsTravelWithMessages() throws {
    let pair = try UnixSocket.pair()
    let first = UnixSocket(adopting: FileDescriptor(adopting: pair.first))
    let second = UnixSocket(adopting: FileDescriptor(adopting: pair.second))
    let pipe = try Pipe()
    #expect(try first.send([1, 2, 3], descriptors: [pipe.write.number], blocking: false))
    let message = try #require(try second.receive(capacity: 16, blocking: false))
    #expect(message.bytes == [1, 2, 3] && message.descriptors.count == 1)
    try FileDescriptor(adopting: message.descriptors[0]).writeAll([9])
    #expect(try pipe.read.read(upTo: 4) == [9])
    #expect(try second.receive(capacity: 16, blocking: false) == nil)
    // A message longer than the buffer is refused whole.
    _ = try first.send([UInt8](repeating: 0, count: 100), blocking: false)
    #expect(throws: SystemError.self) { _ = try second.receive(capacity: 16, blocking: false) }
    first.shutDown()
    #expect(try second.receive(capacity: 16, blocking: true)?.bytes == [])
  }
}

@Suite struct EventTests {
  @Test func aTimerAndAWakeUpAreReported() throws {
    let queue = try EventQueue()
    let timer = try Timer()
    let wake = try WakeUp()
    try queue.add(timer.descriptor.number, .readable, token: 1)
    try queue.add(wake.descriptor.number, .readable, token: 2)
    #expect(try queue.wait(timeoutMilliseconds: 0) == [])
    wake.signal()
    #expect(try queue.wait(timeoutMilliseconds: 1000).map(\.token) == [2])
    wake.drain()
    try timer.set(deadlineNanoseconds: Clock.monotonicNanoseconds + 1_000_000)
    #expect(try queue.wait(timeoutMilliseconds: 5000).map(\.token) == [1])
  }
}

@Suite struct ProcessTests {
  @Test func aSpawnedProgramGetsItsStreamsAndIsReapedByHandle() throws {
    let pipe = try Pipe()
    var request = SpawnRequest(
      path: "/bin/sh", arguments: ["sh", "-c", "echo out; echo $X; exit 5"], environment: ["X=y"])
    request.streams = [nil, pipe.write.number, nil]
    let process = try ProcessHandle.open(pid: try request.start())
    _ = try poll(process.descriptor, .readable, timeoutMilliseconds: 10_000)
    #expect(try process.reap()?.exitCode == 5)
    #expect(String(decoding: try pipe.read.read(upTo: 100), as: UTF8.self) == "out\ny\n")
  }

  @Test func aSignalledProgramsStatusSaysSo() throws {
    let process = try ProcessHandle.open(
      pid: try SpawnRequest(path: "/bin/sleep", arguments: ["sleep", "100"], environment: []).start())
    #expect(try process.reap() == nil)
    try process.signal(15)
    _ = try poll(process.descriptor, .readable, timeoutMilliseconds: 10_000)
    let status = try process.reap()
    #expect(status?.signal == 15 && status?.exitCode == nil)
  }

  @Test func aMissingProgramIsAnErrorNotAChild() {
    let request = SpawnRequest(path: "/no/such/program", arguments: ["x"], environment: [])
    #expect(throws: SystemError.self) { _ = try request.start() }
  }

  @Test func startTimesAreReadPastStrangeNames() throws {
    // proc_pid_stat(5): the name may hold anything, also ") Z 1".
    let fields = (3...52).map { "\($0)" }.joined(separator: " ")
    #expect(Proc.startTime(inStat: "12 (a) b) \(fields)") == 22)
    #expect(Proc.startTime(inStat: "garbage") == nil)
    #expect(try Proc.startTime(pid: try Proc.ownPID()) > 0)
  }

  @Test func mountinfoLinesAreRead() {
    // The example of proc_pid_mountinfo(5), with an escaped blank.
    let text = "36 35 98:0 /mnt1 /mnt\\0402 rw,noatime master:1 - ext3 /dev/root rw,errors=continue\nnonsense\n"
    let mounts = Proc.mounts(in: text)
    #expect(mounts.count == 1)
    #expect(mounts.first?.target == "/mnt 2" && mounts.first?.root == "/mnt1" && mounts.first?.type == "ext3")
    #expect(mounts.first?.superOptions == ["rw", "errors=continue"])
  }
}

@Suite struct InTaskInitTests {
  @Test func theImageIsASmallStaticProgramThatCanBeSealed() throws {
    let image = try FileDescriptor.inTaskInitImage()
    // ELF(5): magic, 64-bit, little endian, ET_EXEC.
    #expect(image.prefix(6) == [0x7f, 0x45, 0x4c, 0x46, 2, 1] && image[16] == 2)
    #expect(image.count < 16 << 10)
    let file = try FileDescriptor.inTaskInit()
    #expect(throws: SystemError.self) { try file.writeAll([0]) }
    #expect(throws: SystemError.self) {
      _ = try FileDescriptor.open("/proc/self/fd/\(file.number)", [.writeOnly]).writeAll([0])
    }
  }

  @Test func aStatusCountsOnlyWithItsMagic() {
    #expect(InTaskInit.status(in: [0, 0, 0, 0, 0, 0, 0, 0]) == nil)
    let magic = (0..<4).map { UInt8(truncatingIfNeeded: InTaskInit.magic >> UInt32(8 * $0)) }
    #expect(InTaskInit.status(in: magic + [0, 7, 0, 0])?.exitCode == 7)
    #expect(InTaskInit.status(in: magic + [9, 0, 0, 0])?.signal == 9)
    #expect(InTaskInit.status(in: magic + [9]) == nil)
  }
}
