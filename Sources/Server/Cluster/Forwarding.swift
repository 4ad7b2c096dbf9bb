public import Codec
internal import Linux
internal import Model
internal import Raft
internal import State
public import Transport

/// Where a request is to be carried out.
public enum Place: Sendable {
  /// Here: this server leads.
  case here
  /// On the leader, over this connection.
  case there(RPCConnection)
}

/// How servers that don't lead answer what only the leader can.
extension Server {
  /// How long a request waits for a leader.
  static let patience = Duration.seconds(5)

  /// Where the leader is now; waits for one to be elected.
  /// - Throws: `.notLeader` when there is none for a while; nothing has been asked then.
  public func leaderPlace(until deadline: ContinuousClock.Instant) async throws(ServerError) -> Place {
    while true {
      let standing = standing
      if standing.isLeading || standing.isTakingOver { return .here }
      if let leader = standing.leader, leader != id {
        // A leader that can't be reached is about to be replaced.
        if let connection = try? await links.connection(to: ServerID(leader)) { return .there(connection) }
      }
      guard ContinuousClock.now < deadline, await pause() else { break }
    }
    let standing = standing
    throw ServerError(
      .notLeader, standing.problem.isEmpty ? "No cluster leader" : "No cluster leader: \(standing.problem)")
  }

  /// A moment in which a leader may be elected; false when the task is cancelled.
  private func pause() async -> Bool { (try? await Task.sleep(for: .milliseconds(10))) != nil }

  /// Makes sure that what this server is about to be read is the newest there is.
  /// - Parameter isConsistent: asks a majority; else a leader that has its lease answers alone.
  /// - Throws: `.notLeader` when there is no leader for a while.
  public func confirmRead(isConsistent: Bool) async throws(ServerError) {
    // Nobody can have overtaken the only server.
    if standing.isAlone, standing.isLeading { return }
    let deadline = ContinuousClock.now + Self.patience
    while true {
      do throws(ServerError) {
        return try await core.confirmRead(isConsistent ? .linearizable : .lease)
      } catch {
        guard error.kind == .notLeader, ContinuousClock.now < deadline, await pause() else { throw error }
      }
    }
  }

  /// Waits until this server's state has an index that the leader answered with, so that who has written reads what it
  /// wrote, whichever server it asks. Gives up after a second: the write is made all the same.
  public func catchUp(to index: UInt64) async {
    let deadline = ContinuousClock.now + .seconds(1)
    while reader.index < index, ContinuousClock.now < deadline, await pause() {}
  }

  /// Carries a call of a client out where the leader is. All that clients call is made to be repeated: it says how things
  /// are and not what to change, so a call whose answer was lost is made again.
  func asLeader(
    _ request: RPCRequest, isForwarded: Bool, _ local: () async throws -> [UInt8]
  ) async throws -> [UInt8] {
    let deadline = ContinuousClock.now + Self.patience
    while true {
      do {
        // Who hands a call on knows a leader; if this server isn't it, that one must look again.
        guard !isForwarded else { return try await local() }
        switch try await leaderPlace(until: deadline) {
        case .here: return try await local()
        case .there(let connection):
          var call = ForwardedCall()
          call.method = request.method
          call.body = Blob(request.body)
          return try await connection.call(
            method: ServerRPC.forward, body: Binary.encode(call), timeout: Self.patience)
        }
      } catch {
        guard !isForwarded, mayBeRepeated(error), ContinuousClock.now < deadline, await pause() else {
          if let error = error as? ServerError { throw RPCError(error) }
          throw error
        }
      }
    }
  }

  private func mayBeRepeated(_ error: any Error) -> Bool {
    switch error {
    case let error as ServerError: error.kind == .notLeader || error.kind == .uncertain
    case let error as RPCError:
      error.code == .noLeader || error.code == .unavailable || error.code == .deadlineExceeded
    default: false
    }
  }

  // MARK: where they are

  /// Where the leader takes RPC; empty while nobody is known to lead.
  public var leaderAddress: String { standing.leader.map { address(of: $0) } ?? "" }

  /// Where the members take RPC.
  public var peerAddresses: [String] { standing.peers.map { address(of: $0.id) } }

  /// Where a member takes RPC now.
  public func address(of server: Identifier) -> String {
    server == id ? configuration.advertisedRPCAddress : links.address(of: ServerID(server)) ?? ""
  }

  /// How long ago the leader was heard of, in milliseconds; 0 on the leader.
  public var lastContact: Int64 {
    let standing = standing
    return standing.isLeading ? 0 : max(0, Clock.monotonicNanoseconds - standing.contact) / 1_000_000
  }

  // MARK: clients of other servers

  /// The connection of a server that a node's client is connected to; nil when none of those that answer is.
  public func connection(toServerOf node: Identifier) async -> RPCConnection? {
    let body = Array(node.description.utf8)
    return await withTaskGroup(of: RPCConnection?.self) { group in
      for peer in standing.peers where peer.id != id {
        group.addTask { [links] in
          guard let connection = try? await links.connection(to: peer.serverID),
            let answer = try? await connection.call(method: ServerRPC.hasNode, body: body, timeout: .seconds(1))
          else { return nil }
          return answer == [1] ? connection : nil
        }
      }
      for await found in group {
        if let found {
          group.cancelAll()
          return found
        }
      }
      return nil
    }
  }
}
