import Isolation
import Linux
import Testing

@testable import Supervisor

/// No root: encodings, log rotation.
@Suite struct WireTests {
  var spec: TaskSpec {
    var sandbox = Sandbox(
      command: Command("/bin/x", arguments: ["", "ä"], environment: ["A=b"], workingDirectory: "/w"))
    sandbox.root = Root(
      taskDirectory: "/t", layersDirectory: "/l", entries: [ChrootEntry("/usr"), ChrootEntry("/a", "/b")])
    sandbox.mounts = [.bind("/h", at: "/i", readOnly: true), .temporary(at: "/s", sizeBytes: 5, permissions: 0o700)]
    sandbox.deniedUserIDs = [0...9, 100...200]
    sandbox.deniedGroupIDs = [0...0]
    sandbox.capabilities = ["chown"]
    sandbox.limits.memoryBytes = 1 << 40
    sandbox.limits.pids = nil
    sandbox.limits.devices = [DeviceRule(isBlock: true, major: 8, minor: nil)]
    sandbox.resourceLimits = [ResourceLimit(.openFiles, soft: 10, hard: .max)]
    sandbox.oomScoreAdjustment = 500
    sandbox.hostname = "h"
    sandbox.networkNamespace = "/run/netns/x"
    sandbox.userNamespace = UserNamespace(firstID: 1 << 20)
    sandbox.isRootReadOnly = true
    sandbox.mounts.append(.bind("/own", at: "/o", hasTaskIDs: true))
    sandbox.files = [InitialFile(path: "/s/f", content: [0, 255], permissions: 0o400)]
    sandbox.sysctls = [Sysctl("net.core.somaxconn", "9")]
    sandbox.devices = [DeviceNode("/dev/a", at: "/dev/b", readOnly: true)]
    sandbox.ambientCapabilities = []
    sandbox.seccomp = .profile("{}")
    sandbox.allowsForeignABI = true
    sandbox.networkGroup = "allocation"
    sandbox.mounts.append(Mount(source: .handedOver, target: "/secrets", attributes: [.noExecute]))
    sandbox.logsRefusedCalls = true
    sandbox.landlock = .required
    sandbox.limits.ioWeight = 7
    sandbox.limits.hugePages = [HugePageLimit(size: "2MB", bytes: 1 << 21)]
    return TaskSpec(
      id: "a.b", sandbox: sandbox, logs: LogSpec(directory: "/logs", task: "b", maxFiles: 2, maxFileBytes: 7))
  }

  @Test func everyFieldOfASpecificationArrives() throws {
    #expect(try TaskSpec(decoding: spec.encoded) == spec)
    let bare = TaskSpec(id: "x", sandbox: .unconfined(Command("y")), logs: nil)
    #expect(try TaskSpec(decoding: bare.encoded) == bare)
  }

  @Test func requestsAndRepliesArrive() throws {
    let requests: [Request] = [
      .hello(version: 1), .start(spec), .list, .signal(id: "x", 15), .kill(id: "x"), .acknowledge(id: "x"),
      .statistics(id: "x"), .setLimits(id: "x", CgroupLimits()), .shutdown, .upgrade(executable: "/x"),
      .execute(id: "x", Command("sh"), user: "nobody", terminal: true), .usage(ids: ["x", "y"]), .usage(ids: []),
    ]
    for request in requests {
      #expect(try Numbered<Request>(decoding: Numbered(number: 7, body: request).encoded).body == request)
    }
    let exit = TaskExit(
      exitCode: -1, signal: 9, dumpedCore: true, oomKilled: true, isKnown: false, endedNanoseconds: -5,
      memoryPeakBytes: 3, memoryLimitBytes: 9, wasHostShortOfMemory: true)
    let status = TaskStatus(id: "x", state: .exited(exit), pid: 4, startedNanoseconds: 1, notes: ["a", "b"])
    var usage = CgroupStatistics()
    for index in 0..<CgroupStatistics.fieldCount { usage.set(UInt64(index) << 40 | 1, at: index) }
    let replies: [Reply] = [
      .usage([TaskUsage(id: "x", usage: usage), TaskUsage(id: "", usage: CgroupStatistics())]), .usage([]),
      .statistics(usage),
      .done, .failed(SupervisorError(.notFound, "m", step: "s")), .welcome(version: 1, pid: 2, executable: "/e"),
      .task(status), .tasks([status, status]), .statistics(CgroupStatistics()), .started(status),
      .exited(id: "x", exit),
      .executed(exit),
    ]
    for reply in replies {
      #expect(try NumberedReply(decoding: NumberedReply(number: 7, body: reply).encoded).body == reply)
    }
  }

  @Test func fieldsOfANewerSideAreSkipped() throws {
    var writer = WireWriter()
    spec.encode(to: &writer)
    writer.field(900, "new" as String)
    writer.field(901, 5 as UInt64)
    #expect(try TaskSpec(decoding: writer.bytes) == spec)
  }

  @Test func theEncodingIsTheOneThatIsWrittenDown() {
    // Field 1 (bytes) "hi", field 2 (number) 300: key = tag * 2 + kind, 7 bits a byte.
    var writer = WireWriter()
    writer.field(1, "hi" as String)
    writer.field(2, 300 as UInt64)
    writer.field(3, -1 as Int64)
    #expect(writer.bytes == [0x03, 2, 0x68, 0x69, 0x04, 0xac, 0x02, 0x06, 0x01])
  }

  @Test func damagedMessagesAreErrorsNeverCrashes() {
    let good = Numbered(number: 1, body: Request.start(spec)).encoded
    for length in 0..<good.count { _ = try? Numbered<Request>(decoding: Array(good.prefix(length))) }
    var random = SystemRandomNumberGenerator()
    for _ in 0..<20_000 {
      var bytes = good
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
      }
      if let changed = try? Numbered<Request>(decoding: bytes), case .start(let spec) = changed.body {
        _ = try? Plan(spec.sandbox)
      }
    }
  }

  @Test func idsAreNamesAndNothingElse() {
    for id in ["a", "0f3b-1.web", "A_b"] { #expect(TaskSpec.isValid(id: id)) }
    for id in ["", ".", "..", ".a", "a/b", "a b", "a\n", "ä", String(repeating: "a", count: 129)] {
      #expect(!TaskSpec.isValid(id: id), "\(id)")
    }
  }
}

@Suite struct LogRotationTests {
  @Test func continuesInTheNewestFile() {
    let rotation = LogRotation(
      prefix: "web.stdout", maxFiles: 3, maxFileBytes: 100,
      existing: [
        "web.stdout.2", "web.stdout.10", "web.stderr.99", "web.stdout.x", "web.stdout.", "web.stdout.-1",
        "webb.stdout.50",
      ],
      size: { $0 == "web.stdout.10" ? 40 : 100 })
    #expect(rotation.fileName == "web.stdout.10" && rotation.offset == 40 && rotation.room == 60)
  }

  @Test func beginsTheNextFileWhenOneIsFullAndExpiresTheOldest() {
    var rotation = LogRotation(prefix: "p", maxFiles: 2, maxFileBytes: 10, existing: [], size: { _ in 0 })
    #expect(rotation.fileName == "p.0")
    let isFullAfterNine = rotation.wrote(9)
    #expect(!isFullAfterNine)
    #expect(rotation.room == 1)
    let isFull = rotation.wrote(1)
    #expect(isFull && rotation.fileName == "p.1" && rotation.room == 10)
    #expect(rotation.expired(["p.0", "p.1"]) == [])
    _ = rotation.wrote(10)
    #expect(rotation.expired(["p.0", "p.1", "p.2", "q.0"]) == ["p.0"])
  }

  @Test func aFullNewestFileIsNotAppendedTo() {
    let rotation = LogRotation(prefix: "p", maxFiles: 2, maxFileBytes: 10, existing: ["p.4"], size: { _ in 10 })
    #expect(rotation.fileName == "p.5" && rotation.offset == 0)
  }
}
