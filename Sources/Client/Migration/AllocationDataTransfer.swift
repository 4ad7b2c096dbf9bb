internal import Codec
internal import Linux
internal import Log
internal import Model
public import Transport

extension Client {
  /// Serves a stream that a server opened; false for a method that is none of a client's.
  public func handle(_ request: RPCRequest, _ stream: RPCStream) async throws -> Bool {
    guard request.method == ClientRPC.allocationDataOfNode else { return false }
    // Servers look who may have what; nobody else asks.
    guard request.connection.peer?.role == .server else {
      throw RPCError(.permissionDenied, "only servers ask for allocations' data")
    }
    let wanted: AllocationDataRequest
    do throws(CodecError) {
      wanted = try Binary.decode(AllocationDataRequest.self, from: request.body)
    } catch {
      throw RPCError(.invalid, "\(request.method): \(error)")
    }
    try await sendData(of: wanted.previous, to: stream)
    return true
  }
}

/// Brings an allocation's data from the node of the one that it replaces.
struct AllocationDataTransfer: Sendable {
  let servers: ServerLink
  let node: Identifier
  let secretID: Identifier
  let work: BlockingWork

  /// Attempts while servers come and go.
  private static let attempts = 5

  /// Waits until the allocation before has ended and puts what it left into `directory`.
  /// - Returns: the bytes of all files.
  /// - Throws: why there is nothing to be had; then nothing of it is left in the directory.
  func fetch(
    _ previous: Identifier, for allocation: Identifier, into directory: AllocationDirectory, tasks: [String]
  ) async throws(ClientError) -> Int64 {
    var attempt = 0
    while true {
      attempt += 1
      do {
        return try await fetchOnce(previous, for: allocation, into: directory, tasks: tasks)
      } catch {
        let problem = error as? ClientError ?? ClientError(.system, "\((error as? RPCError)?.message ?? "\(error)")")
        do throws(SystemError) {
          try await work.run { () throws(SystemError) in try directory.clearData(tasks: tasks) }
        } catch {
          throw ClientError(.system, "\(problem.message); and what came of it can't be removed: \(error)")
        }
        guard (error as? RPCError)?.code == .unavailable, attempt < Self.attempts, !Task.isCancelled else {
          throw problem
        }
        // Until a server is there again, `connection` waits.
      }
    }
  }

  private func fetchOnce(
    _ previous: Identifier, for allocation: Identifier, into directory: AllocationDirectory, tasks: [String]
  ) async throws -> Int64 {
    let connection = try await servers.connection(timeout: .seconds(30))
    var request = AllocationDataRequest()
    request.nodeID = node
    request.secretID = secretID
    request.allocation = allocation
    request.previous = previous
    let stream = try await connection.openStream(method: ClientRPC.allocationData, body: Binary.encode(request))
    do {
      var writer = try await work.run { () throws(SystemError) in try DataArchiveWriter(directory, tasks: tasks) }
      while let bytes = try await stream.read() {
        writer = try await work.run { [writer] () throws(ClientError) in
          var writer = writer
          try writer.add(bytes)
          return writer
        }
      }
      guard writer.isComplete else { throw RPCError(.unavailable, "the data of allocation \(previous) was cut off") }
      return writer.bytes
    } catch {
      stream.cancel()
      throw error
    }
  }
}

/// Sends what an ended allocation left.
enum AllocationDataSender {
  static func send(
    _ directory: AllocationDirectory, tasks: [String], work: BlockingWork, to stream: RPCStream
  ) async throws {
    do {
      var reader = try await work.run { () throws(SystemError) in try DataArchiveReader(directory, tasks: tasks) }
      while true {
        let (after, piece) = try await work.run { [reader] () throws(SystemError) in
          var reader = reader
          let piece = try reader.next()
          return (reader, piece)
        }
        reader = after
        guard let piece else { return }
        try await stream.write(piece)
      }
    } catch let error as SystemError {
      throw RPCError(.internal, "the data of the allocation before can't be read: \(error)")
    }
  }
}
