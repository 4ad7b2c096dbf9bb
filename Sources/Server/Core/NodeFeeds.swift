internal import Codec
internal import Model
internal import State

/// The streams on which clients learn of their allocations.
struct NodeFeeds {
  /// What became different for one node.
  struct Delta: Sendable {
    let index: UInt64
    let changed: [Shared<StoredAllocation>]
    let removed: [Identifier]
  }

  private var feeds: [Identifier: [UInt64: AsyncStream<Delta>.Continuation]] = [:]
  private var nextToken: UInt64 = 0

  /// A stream of what changes for `node` from now on.
  mutating func open(_ node: Identifier) -> (token: UInt64, stream: AsyncStream<Delta>) {
    nextToken += 1
    let (stream, continuation) = AsyncStream.makeStream(of: Delta.self)
    feeds[node, default: [:]][nextToken] = continuation
    return (nextToken, stream)
  }

  mutating func close(_ node: Identifier, token: UInt64) {
    feeds[node]?.removeValue(forKey: token)?.finish()
    if feeds[node]?.isEmpty == true { feeds[node] = nil }
  }

  mutating func closeAll() {
    for feed in feeds.values { for continuation in feed.values { continuation.finish() } }
    feeds = [:]
  }

  /// Hands on what the servers changed; what a client reported itself is not sent back to it.
  func publish(_ changes: Changes) {
    if feeds.isEmpty { return }
    var changed: [Identifier: [Identifier: Shared<StoredAllocation>]] = [:]
    var removed: [Identifier: [Identifier]] = [:]
    for record in changes.records {
      switch record {
      case .allocation(let allocation) where allocation.value.allocModifyIndex == changes.index:
        if feeds[allocation.value.nodeID] != nil {
          changed[allocation.value.nodeID, default: [:]][allocation.value.id] = allocation
        }
      case .allocationRemoved(let allocation):
        if feeds[allocation.value.nodeID] != nil {
          removed[allocation.value.nodeID, default: []].append(allocation.value.id)
        }
      default: break
      }
    }
    for node in Set(changed.keys).union(removed.keys) {
      let delta = Delta(
        index: changes.index, changed: (changed[node] ?? [:]).values.sorted { $0.value.id < $1.value.id },
        removed: removed[node] ?? [])
      for continuation in (feeds[node] ?? [:]).values { continuation.yield(delta) }
    }
  }
}
