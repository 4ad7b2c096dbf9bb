internal import Codec
internal import Model
internal import State
public import Transport

/// What client agents ask of a server (`ClientRPC`).
extension Server {
  /// Answers a call of a client; nil for a method that is none of these.
  public func handle(_ request: RPCRequest) async throws -> [UInt8]? {
    switch request.method {
    case ClientRPC.register: Binary.encode(try await registerNode(try decoded(request), request.connection))
    case ClientRPC.updateStatus: Binary.encode(try await heartbeat(try decoded(request), request.connection))
    case ClientRPC.updateAllocations: Binary.encode(try await updateAllocations(try decoded(request)))
    case ClientRPC.emitEvents: Binary.encode(try await emitEvents(try decoded(request)))
    default: nil
    }
  }

  /// Serves a stream of a client; false for a method that is none of these.
  public func handle(_ request: RPCRequest, _ stream: RPCStream) async throws -> Bool {
    if request.method == ClientRPC.allocationData {
      let wanted: AllocationDataRequest = try decoded(request)
      _ = try await authenticated(wanted.nodeID, wanted.secretID)
      try await sendAllocationData(wanted, to: stream)
      return true
    }
    guard request.method == ClientRPC.watchAllocations else { return false }
    let watch: NodeWatchAllocationsRequest = try decoded(request)
    _ = try await authenticated(watch.nodeID, watch.secretID)
    remember(request.connection, for: watch.nodeID)
    let (reader, token, deltas) = await core.openFeed(watch.nodeID)
    do {
      try await feed(stream, watch.nodeID, reader, deltas)
    } catch {
      await core.closeFeed(watch.nodeID, token: token)
      throw error
    }
    await core.closeFeed(watch.nodeID, token: token)
    return true
  }

  private func feed(
    _ stream: RPCStream, _ node: Identifier, _ reader: StateReader, _ deltas: AsyncStream<NodeFeeds.Delta>
  ) async throws {
    var first = NodeAllocationsMessage()
    first.index = reader.index
    first.isComplete = true
    first.allocations = reader.allocations(onNode: node).map { $0.value.allocation(includingJob: true) }
    try await stream.write(ClientRPC.frame(first))
    for await delta in deltas {
      var message = NodeAllocationsMessage()
      message.index = delta.index
      message.allocations = delta.changed.map { $0.value.allocation(includingJob: true) }
      message.removed = delta.removed
      try await stream.write(ClientRPC.frame(message))
    }
  }

  private func decoded<Request: Record>(_ request: RPCRequest) throws(RPCError) -> Request {
    do throws(CodecError) {
      return try Binary.decode(Request.self, from: request.body)
    } catch {
      throw RPCError(.invalid, "\(request.method): \(error)")
    }
  }

  /// The node that a request claims to come from.
  private func authenticated(_ id: Identifier, _ secret: Identifier) async throws(RPCError) -> Node {
    guard let node = await core.node(id) else { throw RPCError(.notFound, "node \(id) is not registered") }
    guard node.secretID == secret, !secret.isNone else {
      throw RPCError(
        .permissionDenied, "node \(id) is registered with another secret: this client's identity is not its own")
    }
    return node
  }

  private func registerNode(_ request: NodeRegisterRequest, _ connection: RPCConnection) async throws
    -> NodeHeartbeatResponse
  {
    guard !request.node.id.isNone, !request.secretID.isNone else {
      throw RPCError(.invalid, "a node registers with an id and a secret")
    }
    do {
      let applied = try await core.propose { state throws(ServerError) in
        var payload = NodeRegistration()
        payload.node = request.node
        payload.node.secretID = request.secretID
        payload.node.status = .ready
        let before = state.node(request.node.id)?.value
        if before == nil || before?.status != .ready || before?.computedClass != request.node.computeClass() {
          payload.evaluations = systemEvaluations(state)
        }
        return .nodeRegistration(payload)
      }
      remember(connection, for: request.node.id)
      return await answer(request.node.id, index: applied.index)
    } catch let error as ServerError {
      throw RPCError(error)
    }
  }

  private func heartbeat(_ request: NodeUpdateStatusRequest, _ connection: RPCConnection) async throws
    -> NodeHeartbeatResponse
  {
    let node = try await authenticated(request.nodeID, request.secretID)
    remember(connection, for: node.id)
    var index = reader.index
    if node.status != request.status {
      do {
        let applied = try await core.propose { state throws(ServerError) in
          var payload = NodeStatusUpdate()
          var change = NodeStatusChange()
          change.node = node.id
          change.status = request.status
          change.message =
            request.status == .ready ? "Node reregistered by heartbeat" : "Node is \(request.status.rawValue)"
          payload.updates = [change]
          var random = RandomSource()
          payload.evaluations =
            request.status == .ready ? systemEvaluations(state) : nodeEvaluations(node.id, state, random: &random.bits)
          return .nodeStatusUpdate(payload)
        }
        index = applied.index
      } catch let error as ServerError {
        throw RPCError(error)
      }
    }
    return await answer(node.id, index: index)
  }

  private func answer(_ node: Identifier, index: UInt64) async -> NodeHeartbeatResponse {
    var response = NodeHeartbeatResponse()
    response.heartbeatTTL = await core.heartbeat(node)
    response.index = index
    response.servers = [configuration.advertisedRPCAddress]
    let registered = await core.node(node)
    response.status = registered?.status ?? .ready
    return response
  }

  private func updateAllocations(_ request: NodeUpdateAllocationsRequest) async throws -> NodeUpdateAllocationsResponse
  {
    _ = try await authenticated(request.nodeID, request.secretID)
    do {
      let applied = try await core.propose { state throws(ServerError) in
        .allocationClientUpdates(clientUpdates(request, state))
      }
      var response = NodeUpdateAllocationsResponse()
      response.index = applied.index
      return response
    } catch let error as ServerError {
      throw RPCError(error)
    }
  }

  private func emitEvents(_ request: NodeEmitEventsRequest) async throws -> NodeEmitEventsResponse {
    _ = try await authenticated(request.nodeID, request.secretID)
    var response = NodeEmitEventsResponse()
    response.index = reader.index
    for event in request.events {
      let applied = try await addEvent(event.message, to: request.nodeID)
      response.index = applied.index
    }
    return response
  }

  /// An event is an entry that leaves the node's status as it is.
  private func addEvent(_ message: String, to id: Identifier) async throws(RPCError) -> ServerCore.Applied {
    do throws(ServerError) {
      return try await core.propose { state throws(ServerError) in
        guard let node = state.node(id)?.value else { throw ServerError(.notFound, "node \(id) is not registered") }
        var payload = NodeStatusUpdate()
        var change = NodeStatusChange()
        change.node = id
        change.status = node.status
        change.message = message
        payload.updates = [change]
        return .nodeStatusUpdate(payload)
      }
    } catch {
      throw RPCError(error)
    }
  }
}

/// A client's word about its allocations as an entry, with an evaluation for each job that needs one: something failed, or
/// something ended whose room or place others wait for.
private func clientUpdates(_ request: NodeUpdateAllocationsRequest, _ state: StateReader) -> AllocationClientUpdates {
  var payload = AllocationClientUpdates()
  var jobs: [JobKey: EvaluationTrigger] = [:]
  for update in request.updates {
    // A client speaks only for allocations that are on its node.
    guard let allocation = state.allocation(update.id)?.value, allocation.nodeID == request.nodeID else { continue }
    var change = AllocationStatusChange()
    change.id = update.id
    change.clientStatus = update.clientStatus
    change.clientDescription = update.clientDescription
    change.taskStates = update.taskStates
    change.networkStatus = update.networkStatus
    if update.deploymentID == allocation.deploymentID { change.deploymentStatus = update.deploymentStatus }
    payload.updates.append(change)
    let ended = [.failed, .complete, .lost].contains(update.clientStatus) && !allocation.isClientTerminal
    let unhealthy = update.deploymentStatus?.healthy == false && allocation.deploymentStatus?.healthy != false
    if ended || unhealthy { jobs[allocation.jobKey] = .allocFailure }
    // Heard of again: somebody may run in its place.
    let isBack = allocation.clientStatus == .unknown && update.clientStatus != .unknown
    if isBack, jobs[allocation.jobKey] == nil { jobs[allocation.jobKey] = .reconnect }
  }
  var random = SystemRandomNumberGenerator()
  for (key, trigger) in jobs.sorted(by: { $0.key < $1.key }) {
    guard let job = state.job(key)?.spec.value else { continue }
    payload.evaluations.append(Evaluation(of: job, because: trigger, random: &random))
  }
  return payload
}

extension RPCError {
  /// A server's refusal on the wire.
  init(_ error: ServerError) {
    let code: Code =
      switch error.kind {
      case .invalid: .invalid
      case .notFound: .notFound
      case .permissionDenied: .permissionDenied
      case .conflict: .conflict
      case .unavailable: .unavailable
      case .internal: .internal
      }
    self.init(code, error.message)
  }
}
