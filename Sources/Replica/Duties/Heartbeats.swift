internal import Codec
internal import Model
internal import Scheduler
internal import State

/// Which nodes were heard of, and until when each is believed to be alive.
struct Heartbeats {
  private let minimum: Nanoseconds
  private let grace: Nanoseconds
  private let perSecond: Double
  private var deadlines: [Identifier: Timestamp] = [:]
  /// No later than the earliest deadline; recomputed when it is reached.
  private(set) var nextDeadline: Timestamp?

  init(_ configuration: DutyConfiguration) {
    minimum = configuration.minHeartbeatTTL
    grace = configuration.heartbeatGrace
    perSecond = configuration.maxHeartbeatsPerSecond
  }

  /// A new leader has heard of nobody yet: every node gets a whole time to live and grace.
  mutating func begin(_ state: StateReader, now: Timestamp) {
    deadlines = [:]
    let until = now + ttl(nodes: state.nodes.count) + grace
    for (id, node) in state.nodes where node.value.status != .down {
      // One that is disconnected already has its allocations' time.
      let isDisconnected = node.value.status == .disconnected
      deadlines[id] = isDisconnected ? now + (Disconnection.longest(on: id, state) ?? .zero) : until
    }
    nextDeadline = deadlines.isEmpty ? nil : until
  }

  /// A node that registered or came back is waited for from now on.
  mutating func note(_ node: Node, now: Timestamp) {
    if node.status == .down {
      deadlines[node.id] = nil
    } else if deadlines[node.id] == nil {
      set(node.id, now + minimum + grace)
    }
  }

  mutating func forget(_ node: Identifier) { deadlines[node] = nil }

  /// Counts a heartbeat. Returns the time within which the next one is expected.
  mutating func beat(_ node: Identifier, nodes: Int, now: Timestamp) -> Nanoseconds {
    let ttl = ttl(nodes: nodes)
    set(node, now + ttl + grace)
    return ttl
  }

  /// Moves every deadline: the clock they are measured on was set.
  mutating func shift(by jump: Nanoseconds) {
    deadlines = deadlines.mapValues { $0 + jump }
    nextDeadline = nextDeadline.map { $0 + jump }
  }

  private func ttl(nodes: Int) -> Nanoseconds {
    max(minimum, Nanoseconds(Int64(Double(nodes) / max(perSecond, 0.001) * 1e9)))
  }

  private mutating func set(_ node: Identifier, _ deadline: Timestamp) {
    deadlines[node] = deadline
    if nextDeadline.map({ deadline < $0 }) ?? true { nextDeadline = deadline }
  }

  /// The nodes that were silent for too long, as an entry that marks them; nil when there are none. A node with
  /// allocations that may come back (`disconnect { lost_after }`) is disconnected first, and down when the last of those
  /// is given up.
  mutating func expired(now: Timestamp, _ state: StateReader) -> NodeStatusUpdate? {
    guard let deadline = nextDeadline, deadline <= now else { return nil }
    let silent = deadlines.filter { $0.value <= now }.keys.sorted()
    for id in silent { deadlines[id] = nil }
    nextDeadline = deadlines.values.min()
    var update = NodeStatusUpdate()
    for id in silent {
      guard let node = state.node(id)?.value, node.status != .down else { continue }
      var change = NodeStatusChange()
      change.node = id
      change.status = .down
      if node.status != .disconnected, let patience = Disconnection.longest(on: id, state) {
        change.status = .disconnected
        set(id, now + patience)
      }
      change.message = "Node heartbeat missed"
      change.missedHeartbeat = true
      update.updates.append(change)
    }
    return update.updates.isEmpty ? nil : update
  }
}
