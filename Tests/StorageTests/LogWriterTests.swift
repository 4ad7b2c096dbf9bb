import Glibc
import Linux
import Synchronization
import Testing

@testable import Storage

@Suite struct LogWriterTests {
  @Test func manyConcurrentAppendsAreAcknowledgedInOrder() async throws {
    let scratch = try Scratch()
    let writer = try LogWriter(owning: try LogStore(opening: scratch.path + "/raft.db"))
    let acknowledged = Mutex<[UInt64]>([])
    await withCheckedContinuation { (done: CheckedContinuation<Void, Never>) in
      for index in UInt64(1)...2_000 {
        writer.append(records(index...index)) { result in
          if case .success(let position) = result { acknowledged.withLock { $0.append(position.index) } }
          if index == 2_000 { done.resume() }
        }
      }
    }
    #expect(acknowledged.withLock { $0 } == Array(1...2_000))
    #expect(try await writer.entries(from: 1_999) == records(1_999...2_000))
    await writer.close()
    let error = await #expect(throws: StorageError.self) { try await writer.append(records(2_001...2_001)) }
    #expect(error?.reason == .closed)
    #expect(try LogStore(opening: scratch.path + "/raft.db").last.index == 2_000)
  }

  @Test func aRefusedAppendFailsAloneWithinItsGroup() async throws {
    let scratch = try Scratch()
    let writer = try LogWriter(owning: try LogStore(opening: scratch.path + "/raft.db"))
    let results = Mutex<[String]>([])
    await withCheckedContinuation { (done: CheckedContinuation<Void, Never>) in
      for (name, range) in [("a", UInt64(1)...2), ("gap", 9...9), ("b", 3...3)] {
        writer.append(records(range)) { result in
          results.withLock { $0.append("\(name) \((try? result.get())?.index ?? 0)") }
          if results.withLock({ $0.count }) == 3 { done.resume() }
        }
      }
    }
    #expect(results.withLock { $0.sorted() } == ["a 2", "b 3", "gap 0"])
  }

  @Test func truncateCompactAndHardStateGoThroughTheThread() async throws {
    let scratch = try Scratch()
    let path = scratch.path + "/raft.db"
    let writer = try LogWriter(owning: try LogStore(opening: path))
    try await writer.append(records(1...10, term: 2), hardState: HardState(term: 2, votedFor: "x"))
    let last: LogPosition = try await withCheckedThrowingContinuation { continuation in
      writer.truncateSuffix(from: 8) { continuation.resume(with: $0.mapError { $0 as any Error }) }
    }
    #expect(last.index == 7)
    let compacted: LogPosition = try await withCheckedThrowingContinuation { continuation in
      writer.compact(through: 5) { continuation.resume(with: $0.mapError { $0 as any Error }) }
    }
    #expect(compacted == LogPosition(index: 5, term: 2))
    await writer.close()
    let log = try LogStore(opening: path)
    #expect(log.firstIndex == 6)
    #expect(log.last.index == 7)
    #expect(log.hardState == HardState(term: 2, votedFor: "x"))
  }

  /// A child process appends as fast as it can, notes every acknowledged index, and kills itself with SIGKILL from
  /// another thread. Everything it noted must be in the log.
  @Test(arguments: [3, 11, 29, 60]) func acknowledgedEntriesSurviveSIGKILL(milliseconds: Int) async throws {
    let scratch = try Scratch()
    let folder = scratch.path
    await #expect(processExitsWith: .signal(SIGKILL)) {
      [folder = folder as String, milliseconds = milliseconds as Int] in
      let writer = try LogWriter(owning: try LogStore(opening: folder + "/raft.db", preallocateBytes: 1 << 20))
      let notes = open(folder + "/acknowledged", O_WRONLY | O_CREAT | O_APPEND, 0o600)
      let acknowledged = Mutex<UInt64>(0)
      for index in UInt64(1)...UInt64.max {
        writer.append(records(index...index, size: 200)) { result in
          guard case .success(let position) = result else { return }
          withUnsafeBytes(of: position.index) { _ = write(notes, $0.baseAddress, 8) }
          let first = acknowledged.withLock { value in
            defer { value = position.index }
            return value == 0
          }
          if first {
            try? DetachedThread.start(named: "killer") {
              usleep(UInt32(milliseconds) * 1_000)
              kill(getpid(), SIGKILL)
            }
          }
        }
        while index > acknowledged.withLock({ $0 }) + 64 { usleep(20) }
      }
    }
    let notes = readFile(folder + "/acknowledged")
    let acknowledged = notes.count / 8 == 0 ? 0 : unsigned(notes, at: (notes.count / 8 - 1) * 8)
    #expect(acknowledged > 0)
    var log = try LogStore(opening: folder + "/raft.db")
    #expect(log.last.index >= acknowledged)
    #expect(try log.entries(from: 1) == records(1...log.last.index, size: 200))
  }

  @Test(.enabled(if: isRoot, "mounting a small file system needs root"))
  func aFullDiskIsReportedAndTheLogGoesOnWhenThereIsSpaceAgain() async throws {
    let scratch = try Scratch()
    let mountPoint = scratch.path + "/small"
    mkdir(mountPoint, 0o700)
    try #require(mount("tmpfs", mountPoint, "tmpfs", 0, "size=3m") == 0)
    defer { umount2(mountPoint, Int32(MNT_DETACH)) }
    writeFile(mountPoint + "/ballast", [UInt8](repeating: 1, count: 1 << 20))
    let path = mountPoint + "/raft.db"
    let writer = try LogWriter(owning: try LogStore(opening: path, preallocateBytes: 0))
    var index: UInt64 = 0
    var failure: StorageError?
    while failure == nil, index < 1_000 {
      do throws(StorageError) {
        try await writer.append(records(index + 1...index + 1, size: 10_000))
        index += 1
      } catch { failure = error }
    }
    #expect(failure?.reason == .full)
    #expect(failure?.advice.contains("free space") == true)
    unlink(mountPoint + "/ballast")
    try await writer.append(records(index + 1...index + 1, size: 10_000))
    await writer.close()
    var log = try LogStore(opening: path, preallocateBytes: 0)
    #expect(try log.entries(from: 1) == records(1...index + 1, size: 10_000))
  }
}
