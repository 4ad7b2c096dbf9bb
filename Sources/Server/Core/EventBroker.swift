public import State
internal import Synchronization

/// Hands what changes to those who follow it, and keeps the newest changes for those who come later.
///
/// What is kept is bounded by the number of changed records. A follower that does not keep up is let go: its stream ends,
/// and it comes back with the last index that it saw.
public final class EventBroker: Sendable {
  /// Changed records that are kept.
  static let keptRecords = 10_000
  /// Entries that wait for one follower.
  static let waitingEntries = 1024

  private struct Contents {
    var kept: [Changes] = []
    var records = 0
    var followers: [UInt64: AsyncStream<Changes>.Continuation] = [:]
    var next: UInt64 = 0
    var isClosed = false
  }

  private let contents = Mutex(Contents())

  /// Everything from `index` on: what is kept of it at once, the rest as it happens. Ends when the server stops, or when
  /// more waits than a follower may leave waiting.
  public func follow(from index: UInt64) -> AsyncStream<Changes> {
    let (stream, continuation) = AsyncStream.makeStream(
      of: Changes.self, bufferingPolicy: .bufferingOldest(Self.waitingEntries + Self.keptRecords))
    let token = contents.withLock { contents -> UInt64? in
      if contents.isClosed { return nil }
      for changes in contents.kept where changes.index >= index { continuation.yield(changes) }
      contents.next += 1
      contents.followers[contents.next] = continuation
      return contents.next
    }
    guard let token else {
      continuation.finish()
      return stream
    }
    continuation.onTermination = { [weak self] _ in
      self?.contents.withLock { _ = $0.followers.removeValue(forKey: token) }
    }
    return stream
  }

  func publish(_ changes: Changes) {
    if changes.records.isEmpty { return }
    let late = contents.withLock { contents -> [AsyncStream<Changes>.Continuation] in
      contents.kept.append(changes)
      contents.records += changes.records.count
      var dropped = 0
      while contents.records > Self.keptRecords, dropped < contents.kept.count - 1 {
        contents.records -= contents.kept[dropped].records.count
        dropped += 1
      }
      contents.kept.removeFirst(dropped)
      var late: [AsyncStream<Changes>.Continuation] = []
      for (token, follower) in contents.followers {
        guard case .dropped = follower.yield(changes) else { continue }
        late.append(follower)
        contents.followers[token] = nil
      }
      return late
    }
    // Ending a stream runs its `onTermination`, which takes the lock.
    for follower in late { follower.finish() }
  }

  /// Ends every stream and forgets what is kept: changes are missing between them and what comes next.
  func dropFollowers() {
    let followers = contents.withLock { contents in
      (contents.kept, contents.records) = ([], 0)
      defer { contents.followers = [:] }
      return Array(contents.followers.values)
    }
    for follower in followers { follower.finish() }
  }

  /// Ends every stream for good.
  func close() {
    let followers = contents.withLock { contents in
      contents.isClosed = true
      defer { contents.followers = [:] }
      return Array(contents.followers.values)
    }
    for follower in followers { follower.finish() }
  }
}
