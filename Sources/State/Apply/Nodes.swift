import Codec
import Model

extension State {
  mutating func apply(_ payload: NodeRegistration, _ changes: inout Changes) throws(StateError) {
    var node = payload.node
    guard !node.id.isNone else { throw .malformed("a node has no id") }
    let old = reader.nodes[node.id]
    if let old, !old.value.secretID.isNone, old.value.secretID != node.secretID { throw .wrongNodeSecret(node.id) }
    if node.nodePool.isEmpty { node.nodePool = "default" }
    node.computedClass = node.computeClass()
    if let old {
      node.createIndex = old.value.createIndex
      node.drain = old.value.drain
      node.drainStrategy = old.value.drainStrategy
      node.lastDrain = old.value.lastDrain
      node.schedulingEligibility = old.value.schedulingEligibility
      node.events = old.value.events
      node.lastMissedHeartbeatIndex = old.value.lastMissedHeartbeatIndex
      node.lastAllocUpdateIndex = old.value.lastAllocUpdateIndex
      let message = old.value.status == .down ? "Node reregistered after having been down" : "Node reregistered"
      addEvent(message, subsystem: "Cluster", to: &node)
    } else {
      node.createIndex = reader.index
      node.events = []
      addEvent("Node registered", subsystem: "Cluster", to: &node)
    }
    node.statusUpdatedAt = reader.time.nanoseconds / 1_000_000_000
    node.modifyIndex = reader.index
    if reader.nodePool(node.nodePool) == nil {
      var pool = NodePool()
      pool.name = node.nodePool
      put(pool, &changes)
    }
    put(node, replacing: old, &changes)
    put(payload.evaluations, &changes)
  }

  private func addEvent(_ message: String, subsystem: String, to node: inout Node) {
    var event = NodeEvent()
    event.message = message
    event.subsystem = subsystem
    event.timestamp = reader.time
    event.createIndex = reader.index
    node.events.append(event)
    if node.events.count > Self.keptNodeEvents { node.events.removeFirst(node.events.count - Self.keptNodeEvents) }
  }

  mutating func apply(_ payload: NodeDeregistration, _ changes: inout Changes) throws(StateError) {
    for id in payload.nodes where reader.nodes[id] == nil { throw .noSuchNode(id) }
    for id in payload.nodes { removeNode(id, &changes) }
    put(payload.evaluations, &changes)
  }

  mutating func apply(_ payload: NodeStatusUpdate, _ changes: inout Changes) throws(StateError) {
    for update in payload.updates where reader.nodes[update.node] == nil { throw .noSuchNode(update.node) }
    for update in payload.updates {
      change(update.node, &changes) { state, node in
        node.status = update.status
        node.statusUpdatedAt = state.reader.time.nanoseconds / 1_000_000_000
        if update.missedHeartbeat { node.lastMissedHeartbeatIndex = state.reader.index }
        if !update.message.isEmpty { state.addEvent(update.message, subsystem: "Cluster", to: &node) }
      }
    }
    put(payload.evaluations, &changes)
  }

  mutating func apply(_ payload: NodeEligibilityUpdate, _ changes: inout Changes) throws(StateError) {
    guard let node = reader.nodes[payload.node] else { throw .noSuchNode(payload.node) }
    guard payload.eligibility == .ineligible || node.value.drainStrategy == nil else {
      throw .malformed("node \(payload.node) is being drained; end the drain to make it eligible")
    }
    change(payload.node, &changes) { state, node in
      guard node.schedulingEligibility != payload.eligibility else { return }
      node.schedulingEligibility = payload.eligibility
      let message = payload.eligibility == .eligible ? "eligible" : "ineligible"
      state.addEvent("Node marked as \(message) for scheduling", subsystem: "Cluster", to: &node)
    }
    put(payload.evaluations, &changes)
  }

  mutating func apply(_ payload: NodeDrainUpdate, _ changes: inout Changes) throws(StateError) {
    guard reader.nodes[payload.node] != nil else { throw .noSuchNode(payload.node) }
    change(payload.node, &changes) { state, node in
      let wasDraining = node.drainStrategy != nil
      var last = node.lastDrain ?? DrainMetadata()
      if let strategy = payload.strategy {
        if !wasDraining {
          last = DrainMetadata()
          last.startedAt = state.reader.time
        }
        last.status = .draining
        node.schedulingEligibility = .ineligible
        var strategy = strategy
        if strategy.startedAt.isZero { strategy.startedAt = node.drainStrategy?.startedAt ?? state.reader.time }
        node.drainStrategy = strategy
        state.addEvent("Node drain strategy set", subsystem: "Drain", to: &node)
      } else {
        last.status = payload.completed ? .complete : .canceled
        node.drainStrategy = nil
        if payload.markEligible { node.schedulingEligibility = .eligible }
        state.addEvent(
          payload.completed ? "Node drain complete" : "Node drain disabled", subsystem: "Drain", to: &node)
      }
      last.updatedAt = state.reader.time
      if !payload.meta.isEmpty { last.meta = payload.meta }
      if wasDraining || payload.strategy != nil { node.lastDrain = last }
      node.drain = node.drainStrategy != nil
    }
    put(payload.evaluations, &changes)
  }

  private mutating func change(
    _ id: Identifier, _ changes: inout Changes, _ body: (borrowing State, inout Node) -> Void
  ) {
    guard let old = reader.nodes[id] else { return }
    var node = old.value
    body(self, &node)
    node.modifyIndex = reader.index
    put(node, replacing: old, &changes)
  }
}
