public import Codec
public import Model
internal import Raft
internal import Replica
internal import State

/// Requests about the cluster itself.
extension Server {
  /// Takes a member out of the cluster, named by its identity or by the address of its RPC.
  public func removePeer(id: Identifier?, address: String?) async throws(ServerError) {
    try await core.removeMember(ServerID(try member(id: id, address: address)))
  }

  /// Hands leadership to another member; without a name to the one that is furthest.
  /// - Returns: to whom.
  public func transferLeadership(id: Identifier?, address: String?) async throws(ServerError) -> Identifier {
    let target = id == nil && address == nil ? nil : ServerID(try member(id: id, address: address))
    let chosen = try await core.transferLeadership(to: target)
    return standing.peers.first { $0.serverID == chosen }?.id ?? Identifier(high: chosen.rawValue, low: 0)
  }

  private func member(id: Identifier?, address: String?) throws(ServerError) -> Identifier {
    let peers = standing.peers
    if let id {
      guard let found = peers.first(where: { ServerID($0.id) == ServerID(id) }) else {
        throw ServerError(.notFound, "id \"\(id)\" was not found in the Raft configuration")
      }
      return found.id
    }
    guard let address else { throw ServerError(.invalid, "Must specify either ?id with the server's ID or ?address") }
    guard let found = peers.first(where: { self.address(of: $0.id) == address || $0.address == address }) else {
      throw ServerError(.notFound, "address \"\(address)\" was not found in the Raft configuration")
    }
    return found.id
  }

  /// The name of a member in the pool; empty when gossip does not know it.
  public func name(of member: Identifier) -> String {
    if ServerID(member) == ServerID(id) { return configuration.name }
    return poolMembers.first { !$0.id.isNone && ServerID($0.id) == ServerID(member) }?.name ?? ""
  }

  /// Replaces the configuration of the leader's care for the members; with `expectedIndex` only if it is still at that
  /// index.
  public func setAutopilotConfiguration(
    _ configuration: AutopilotConfiguration, expectedIndex: UInt64?
  ) async throws(ServerError) -> UInt64 {
    for (name, text) in [
      ("LastContactThreshold", configuration.lastContactThreshold),
      ("ServerStabilizationTime", configuration.serverStabilizationTime),
    ] {
      guard let duration = Nanoseconds(parsing: text), duration >= .zero else {
        throw ServerError(.invalid, "\(name): \"\(text)\" is no duration such as 200ms or 10s")
      }
    }
    guard configuration.minQuorum >= 0 else { throw ServerError(.invalid, "MinQuorum can't be negative") }
    var payload = AutopilotConfigurationUpdate()
    payload.configuration = configuration
    payload.expectedIndex = expectedIndex
    return try await core.propose(.autopilotConfiguration(payload)).index
  }

  /// How healthy the members are.
  /// - Throws: `.notLeader` on a server that does not lead.
  public func health() async throws(ServerError) -> [ServerHealth] {
    guard let members = await core.autopilotHealth() else {
      throw ServerError(.notLeader, "No cluster leader: only the leader knows how healthy the members are")
    }
    let now = core.monotonicNow
    return members.map { member in
      let place = MemberAddress(member.member.address)
      var health = ServerHealth()
      health.id = place.id.isNone ? Identifier(high: member.member.id.rawValue, low: 0) : place.id
      health.name = name(of: health.id)
      health.address = address(of: health.id)
      health.serfStatus =
        switch member.state {
        case .alive?: "alive"
        case .failed?: "failed"
        case .left?: "left"
        case nil: "none"
        }
      health.leader = member.member.id == ServerID(id)
      health.voter = member.member.role == .voter
      health.healthy = member.isHealthy
      health.lastContact =
        member.sinceContact == .max ? "never" : Nanoseconds(Int64(clamping: member.sinceContact)).description
      health.lastTerm = standing.term
      health.lastIndex = member.match
      health.stableSince = self.now + Nanoseconds(Int64(clamping: member.since) - now)
      health.version = poolMembers.first { $0.id == health.id }?.version ?? ""
      return health
    }
  }
}
