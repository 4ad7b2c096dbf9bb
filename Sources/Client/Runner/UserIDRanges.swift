internal import Isolation
internal import Synchronization

/// The ranges of host ids of this node's allocations, each kept in the state of the allocation that has it.
final class UserIDRanges: Sendable {
  private let pool: Mutex<IDRangePool>

  /// - Parameter option: `<first id>:<number of ranges>` of the option `userns.pool`; nil for the default.
  /// - Throws: `.invalid` naming the option.
  init(_ option: String?) throws(ClientError) {
    do throws(SandboxError) {
      guard let option else {
        pool = Mutex(try IDRangePool())
        return
      }
      let parts = option.split(separator: ":").map { trimmed($0) }
      guard parts.count == 2, let first = UInt32(parts[0]), let count = Int(parts[1]) else {
        throw SandboxError("userns.pool", option, "must be <first id>:<number of ranges>, such as 1879048192:4094")
      }
      pool = Mutex(try IDRangePool(firstID: first, count: count))
    } catch {
      throw ClientError(.invalid, "client option userns.pool: \(error.problem) (\"\(error.value)\")")
    }
  }

  /// The range of an allocation: the one it has, else a free one; nil when there is none.
  func range(for allocation: String) -> UserNamespace? { pool.withLock { $0.range(for: allocation) } }

  /// Takes the range back that an allocation had under an earlier agent. One that is not of this pool is nobody's here.
  func restore(_ firstID: UInt32, for allocation: String) {
    pool.withLock { pool in
      guard firstID >= pool.firstID else { return }
      var taken = pool.taken
      taken[allocation] = Int((firstID - pool.firstID) / IDRangePool.rangeSize)
      if let restored = try? IDRangePool(firstID: pool.firstID, count: pool.count, taken: taken) { pool = restored }
    }
  }

  /// The allocation is gone.
  func release(_ allocation: String) { pool.withLock { $0.release(allocation) } }
}
