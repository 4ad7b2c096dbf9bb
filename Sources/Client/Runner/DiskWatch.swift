internal import Codec
internal import Drivers
internal import Linux
internal import Model

// Kernels limit the disk that a directory takes only where file systems have project quotas, which many have not: so the
// agent looks from time to time, and ends the tasks of an allocation that takes more than its `ephemeral_disk` says.
extension AllocationRunner {
  /// Looks until the allocation has ended or has been found to take too much.
  nonisolated func watchDisk(limitMB: Int, _ work: BlockingWork) -> Task<Void, Never> {
    Task { [weak self, path = directory.path] in
      let limit = UInt64(clamping: limitMB) << 20
      var pause = Duration.seconds(2)
      while !Task.isCancelled {
        try? await Task.sleep(for: pause)
        if Task.isCancelled { return }
        let (used, took) = await work.run { () -> (UInt64, Int64) in
          let began = Clock.monotonicNanoseconds
          // One that is being deleted takes nothing.
          let used = (try? DiskUse.bytes(below: path)) ?? 0
          return (used, Clock.monotonicNanoseconds - began)
        }
        if used > limit {
          await self?.diskExceeded(used: used, limitMB: limitMB)
          return
        }
        pause = DiskUse.interval(afterNanoseconds: took)
      }
    }
  }
}

extension TaskEvent {
  /// The allocation takes more disk than its group's `ephemeral_disk` says.
  static func diskExceeded(used: UInt64, limitMB: Int, at time: Timestamp) -> TaskEvent {
    let text = "The allocation takes \(used >> 20) MiB of disk; ephemeral_disk allows \(limitMB): raise its size"
    return TaskEvent(.diskExceeded, time: time.nanoseconds, message: text, details: ["message": text])
  }
}
