internal import Codec
internal import Model
internal import Replica
internal import State
public import Transport

/// What client agents and other servers ask of a server.
extension Server {
  /// Answers a call; nil for a method that is none of a server's.
  public func handle(_ request: RPCRequest) async throws -> [UInt8]? {
    switch request.method {
    case ServerRPC.forward:
      try requireServer(request)
      let call: ForwardedCall = try decoded(request)
      let inner = RPCRequest(method: call.method, body: call.body.bytes, connection: request.connection)
      return try await handleClient(inner, isForwarded: true)
    case ServerRPC.probe:
      try requireServer(request)
      return Binary.encode(await answerProbe())
    case ServerRPC.promise:
      try requireServer(request)
      return Binary.encode(await answerPromise(try decoded(request)))
    case ServerRPC.hasNode:
      try requireServer(request)
      let node = Identifier(String(decoding: request.body, as: UTF8.self)) ?? .none
      return [connection(toNode: node) == nil ? 0 : 1]
    default: return try await handleClient(request, isForwarded: false)
    }
  }

  private func handleClient(_ request: RPCRequest, isForwarded: Bool) async throws -> [UInt8]? {
    let connection = isForwarded ? nil : request.connection
    switch request.method {
    case ClientRPC.register:
      let registration: NodeRegisterRequest = try decoded(request)
      let bytes = try await asLeader(request, isForwarded: isForwarded) {
        Binary.encode(try await registerNode(registration))
      }
      return try await answered(bytes, registration.node.id, connection)
    case ClientRPC.updateStatus:
      let beat: NodeUpdateStatusRequest = try decoded(request)
      let bytes = try await asLeader(request, isForwarded: isForwarded) { Binary.encode(try await heartbeat(beat)) }
      return try await answered(bytes, beat.nodeID, connection)
    case ClientRPC.updateAllocations:
      return try await asLeader(request, isForwarded: isForwarded) {
        Binary.encode(try await updateAllocations(try decoded(request)))
      }
    case ClientRPC.emitEvents:
      return try await asLeader(request, isForwarded: isForwarded) {
        Binary.encode(try await emitEvents(try decoded(request)))
      }
    default: return nil
    }
  }

  /// The leader has taken a client's word: this server, to which it is connected, knows it when it answers.
  private func answered(_ bytes: [UInt8], _ node: Identifier, _ connection: RPCConnection?) async throws -> [UInt8] {
    guard let connection else { return bytes }
    remember(connection, for: node)
    if !standing.isLeading, let answer = try? Binary.decode(NodeHeartbeatResponse.self, from: bytes) {
      await catchUp(to: answer.index)
    }
    return bytes
  }

  /// With TLS a server is known by its certificate, else by what it says of itself.
  private func requireServer(_ request: RPCRequest) throws(RPCError) {
    guard request.connection.peer?.role == .server else {
      throw RPCError(.permissionDenied, "\(request.method) is for servers")
    }
    guard let name = configuration.serverCertificateName, request.connection.isEncrypted else { return }
    guard request.connection.certificateNames.contains(name) else {
      throw RPCError(
        .permissionDenied, "\(request.method) is for servers: the certificate is not for \(name)")
    }
  }

  /// Serves a stream of a client or another server; false for a method that is none of these.
  public func handle(_ request: RPCRequest, _ stream: RPCStream) async throws -> Bool {
    switch request.method {
    case ServerRPC.consensus:
      try requireServer(request)
      try await takeMessages(stream)
    case ServerRPC.relayAllocationData:
      try requireServer(request)
      try await relayAllocationData(try decoded(request), to: stream)
    case ClientRPC.allocationData:
      let wanted: AllocationDataRequest = try decoded(request)
      _ = try await authenticated(wanted.nodeID, wanted.secretID)
      try await sendAllocationData(wanted, to: stream)
    case ClientRPC.watchAllocations:
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
    default: return false
    }
    return true
  }

  private func takeMessages(_ stream: RPCStream) async throws {
    var frames = ServerRPC.FrameReader()
    while let bytes = try await stream.read() {
      frames.append(bytes)
      while let frame = try frames.next() {
        guard let message = MessageCodec.decode(frame) else {
          throw RPCError(.invalid, "a message of the consensus that this version can't read")
        }
        core.inbox.give(.message(message))
      }
    }
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

  private func registerNode(_ request: NodeRegisterRequest) async throws -> NodeHeartbeatResponse {
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
      return try await answer(request.node.id, index: applied.index)
    } catch let error as ServerError {
      throw RPCError(error)
    }
  }

  private func heartbeat(_ request: NodeUpdateStatusRequest) async throws -> NodeHeartbeatResponse {
    let node = try await authenticated(request.nodeID, request.secretID)
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
      } catch {
        throw RPCError(error)
      }
    }
    return try await answer(node.id, index: index)
  }

  private func answer(_ node: Identifier, index: UInt64) async throws -> NodeHeartbeatResponse {
    var response = NodeHeartbeatResponse()
    do throws(ServerError) {
      response.heartbeatTTL = try await core.heartbeat(node)
    } catch {
      throw RPCError(error)
    }
    response.index = index
    response.servers = [configuration.advertisedRPCAddress] + links.aliveAddresses
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
    } catch {
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
      case .notLeader: .noLeader
      case .uncertain, .unavailable: .unavailable
      case .internal: .internal
      }
    self.init(code, error.message)
  }
}
