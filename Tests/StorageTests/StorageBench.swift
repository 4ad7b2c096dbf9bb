import Glibc
import Linux
import Synchronization
import Testing

@testable import Storage

private let benchIsOn = getenv("SERAI_BENCH") != nil

/// Prints latency and throughput of synced commits beside the floor, a 4 KiB overwrite with fdatasync on the same file
/// system. Run it with an optimised build: `SERAI_BENCH=1 swift test -c release --filter StorageBench`.
@Suite(.enabled(if: benchIsOn, "set SERAI_BENCH to measure"), .serialized) struct StorageBench {
  static func microseconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) * 1e6 + Double(time.tv_nsec) / 1e3
  }

  static func report(_ name: String, _ samples: [Double]) {
    let sorted = samples.sorted()
    let (middle, high) = (sorted[sorted.count / 2], sorted[sorted.count * 99 / 100])
    print("\(name): p50 \(Int(middle)) us, p99 \(Int(high)) us, n=\(sorted.count)")
  }

  @Test func commitLatency() throws {
    let scratch = try Scratch()
    let file = open(scratch.path + "/floor", O_WRONLY | O_CREAT, 0o600)
    defer { close(file) }
    let block = [UInt8](repeating: 1, count: 4096)
    for _ in 0..<1_024 { _ = write(file, block, block.count) }
    fsync(file)
    var logs: [(String, Int)] = [("commit of one 256-byte entry, growing WAL", 0)]
    logs.append(("commit of one 256-byte entry, preallocated WAL", 4 << 20))
    var floor: [Double] = []
    for round in 0..<1_000 {
      let start = Self.microseconds()
      pwrite(file, block, block.count, round * 4096)
      fdatasync(file)
      floor.append(Self.microseconds() - start)
    }
    Self.report("floor: 4 KiB overwrite and fdatasync", floor)
    for (name, bytes) in logs {
      var log = try LogStore(opening: scratch.path + "/log-\(bytes).db", preallocateBytes: bytes)
      var samples: [Double] = []
      for index in UInt64(1)...800 {
        let start = Self.microseconds()
        try log.append(records(index...index, size: 256))
        samples.append(Self.microseconds() - start)
      }
      Self.report(name, samples)
    }
  }

  @Test func groupCommit() async throws {
    let scratch = try Scratch()
    for writers in [1, 16, 256] {
      let writer = try LogWriter(owning: try LogStore(opening: scratch.path + "/group-\(writers).db"))
      let total: UInt64 = writers == 1 ? 2_000 : 100_000
      let start = Self.microseconds()
      let done = Semaphore()
      let next = Mutex<UInt64>(0)
      let finished = Mutex<UInt64>(0)
      // Each completion queues the next entry, so that `writers` of them are under way all the time.
      @Sendable func submit() {
        let last = next.withLock { index in
          guard index < total else { return true }
          index += 1
          writer.append(records(index...index, size: 256)) { result in
            guard case .success = result else { return done.signal() }
            if finished.withLock({ count in
              count += 1; return count == total
            }) {
              done.signal()
            } else {
              submit()
            }
          }
          return false
        }
        _ = last
      }
      for _ in 0..<writers { submit() }
      await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
        try? DetachedThread.start(named: "waiter") {
          done.wait()
          continuation.resume()
        }
      }
      let seconds = (Self.microseconds() - start) / 1e6
      print("\(writers) writers: \(Int(Double(total) / seconds)) synced commits of 256 bytes a second")
      await writer.close()
    }
  }
}
