internal import Codec
internal import Model
internal import State
public import Transport

/// The way of an allocation's data from the node that it ran on to the one where its replacement does.
extension Server {
  /// Hands the data of an ended allocation on to the node of its replacement. Only that node gets it.
  func sendAllocationData(_ request: AllocationDataRequest, to stream: RPCStream) async throws {
    let state = await core.current
    guard let replacement = state.allocation(request.allocation)?.value, replacement.nodeID == request.nodeID,
      replacement.previousAllocation == request.previous, !request.previous.isNone
    else {
      throw RPCError(
        .permissionDenied,
        "allocation \(request.allocation) is not on node \(request.nodeID) in the place of \(request.previous)")
    }
    guard let previous = state.allocation(request.previous)?.value else {
      throw RPCError(.notFound, "allocation \(request.previous) is not known any more")
    }
    if connection(toNode: previous.nodeID) != nil { return try await relayAllocationData(request, to: stream) }
    guard let other = await connection(toServerOf: previous.nodeID) else {
      throw RPCError(.notFound, "node \(previous.nodeID), where allocation \(request.previous) was, is not connected")
    }
    try await relay(request, method: ServerRPC.relayAllocationData, over: other, to: stream)
  }

  /// The same for another server, which has looked who asks, when the node's client is connected to this one.
  func relayAllocationData(_ request: AllocationDataRequest, to stream: RPCStream) async throws {
    guard let previous = reader.allocation(request.previous)?.value,
      let connection = connection(toNode: previous.nodeID)
    else { throw RPCError(.notFound, "the node where allocation \(request.previous) was is not connected") }
    try await relay(request, method: ClientRPC.allocationDataOfNode, over: connection, to: stream)
  }

  private func relay(
    _ request: AllocationDataRequest, method: String, over connection: RPCConnection, to stream: RPCStream
  ) async throws {
    var onward = request
    onward.secretID = .none
    let source = try await connection.openStream(method: method, body: Binary.encode(onward))
    do {
      while let bytes = try await source.read() { try await stream.write(bytes) }
    } catch {
      source.cancel()
      throw error
    }
  }
}
