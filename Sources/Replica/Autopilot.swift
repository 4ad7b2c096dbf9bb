internal import Codec
public import Model
public import Raft

/// A server as the leader's care for the members sees it, from outside of the consensus.
public struct AutopilotServer: Sendable {
  /// What gossip says of a server.
  public enum State: Sendable {
    case alive, failed, left
  }

  /// Its identity.
  public var id: ServerID
  /// Its name in the pool.
  public var name: String
  /// `Member.address` as it should be.
  public var address: String
  /// What gossip says of it.
  public var state: State
  /// It was asked, and has no part in another cluster.
  public var mayJoin: Bool

  /// See the fields.
  public init(id: ServerID, name: String, address: String, state: State, mayJoin: Bool) {
    self.id = id
    self.name = name
    self.address = address
    self.state = state
    self.mayJoin = mayJoin
  }
}

/// How healthy a member is.
public struct AutopilotHealth: Sendable {
  /// The member.
  public var member: Member
  /// Its name in the pool; empty when gossip does not know it.
  public var name: String
  /// What gossip says of it; nil when it does not know it.
  public var state: AutopilotServer.State?
  /// Whether the leader is in contact with it and its log is close behind.
  public var isHealthy: Bool
  /// How much of the leader's log it has.
  public var match: UInt64
  /// How long ago it answered the leader, in nanoseconds.
  public var sinceContact: UInt64
  /// Since when it is as healthy as it is, on the monotonic clock of the leader.
  public var since: UInt64
}

/// Keeps the members of the cluster in step with the servers that there are: new ones become members without a vote, get
/// one when they have been healthy for a while, and leave when they said so, or have failed and another is there in their
/// place. One step at a time, and none that would cost the majority.
///
/// Pure: what gossip and the consensus say comes in, the wanted members come out. It remembers only since when each was
/// healthy, so a new leader begins with a new one.
public struct Autopilot: Sendable {
  /// A change to make.
  public struct Decision: Sendable {
    /// The members as they should be.
    public var membership: Membership
    /// What for.
    public var reason: String
  }

  private var since: [ServerID: (isHealthy: Bool, time: UInt64)] = [:]

  /// Knows nothing yet.
  public init() {}

  /// The next change of the members; nil when they are as they should be, or when it has to wait.
  /// - Parameters:
  ///   - isChanging: an earlier change is not through yet.
  ///   - progress: `RaftCore.progress`.
  ///   - last: the last entry of the leader's log.
  ///   - servers: the other servers of the region that gossip knows.
  ///   - now: nanoseconds of the leader's monotonic clock.
  public mutating func next(
    membership: Membership, isChanging: Bool, leader: ServerID,
    progress: [(id: ServerID, match: UInt64, sinceContact: UInt64)], last: UInt64, servers: [AutopilotServer],
    configuration: AutopilotConfiguration, now: UInt64
  ) -> Decision? {
    let health = health(
      membership: membership, leader: leader, progress: progress, last: last, servers: servers,
      configuration: configuration, now: now)
    guard !isChanging else { return nil }
    return departure(membership, health, leader)
      ?? move(membership, servers)
      ?? promotion(membership, health, configuration, now)
      ?? replacement(membership, health, leader, configuration, now)
      ?? arrival(membership, servers)
  }

  /// How healthy the members are; parameters as of `next`.
  public mutating func health(
    membership: Membership, leader: ServerID, progress: [(id: ServerID, match: UInt64, sinceContact: UInt64)],
    last: UInt64, servers: [AutopilotServer], configuration: AutopilotConfiguration, now: UInt64
  ) -> [AutopilotHealth] {
    // A follower is heard of every few heartbeats only: what is shorter than that says nothing.
    let patience = max(UInt64(max(0, configuration.contactThreshold.count)), 500_000_000)
    var result: [AutopilotHealth] = []
    for member in membership.members {
      let known = progress.first { $0.id == member.id }
      let server = servers.first { $0.id == member.id }
      let (match, silence) = (known?.match ?? 0, known?.sinceContact ?? .max)
      let isHealthy =
        member.id == leader
        || silence <= patience && match + configuration.maxTrailingLogs >= last && server?.state != .failed
          && server?.state != .left
      if since[member.id]?.isHealthy != isHealthy { since[member.id] = (isHealthy, now) }
      result.append(
        AutopilotHealth(
          member: member, name: server?.name ?? "", state: member.id == leader ? .alive : server?.state,
          isHealthy: isHealthy, match: match, sinceContact: silence, since: since[member.id]?.time ?? now))
    }
    since = since.filter { membership.member($0.key) != nil }
    return result
  }

  /// Whether those who are left can go on without waiting for anybody who does not answer.
  private func keepsMajority(_ wanted: Membership, _ health: [AutopilotHealth]) -> Bool {
    let healthy = wanted.voters.filter { id in health.contains { $0.member.id == id && $0.isHealthy } }
    return healthy.count > wanted.voters.count / 2
  }

  private func departure(_ membership: Membership, _ health: [AutopilotHealth], _ leader: ServerID) -> Decision? {
    for gone in health where gone.state == .left && gone.member.id != leader {
      let wanted = Membership(membership.members.filter { $0.id != gone.member.id })
      guard !wanted.voters.isEmpty, gone.member.role != .voter || keepsMajority(wanted, health) else { continue }
      return Decision(membership: wanted, reason: "server \(gone.name) has left and is no member any more")
    }
    return nil
  }

  /// A server is known by its identity: another address makes no other server of it.
  private func move(_ membership: Membership, _ servers: [AutopilotServer]) -> Decision? {
    for server in servers where server.state == .alive {
      guard var member = membership.member(server.id), member.address != server.address else { continue }
      member.address = server.address
      return Decision(
        membership: Membership(membership.members.filter { $0.id != server.id } + [member]),
        reason: "server \(server.name) has another address now")
    }
    return nil
  }

  private func isStable(_ health: AutopilotHealth, _ configuration: AutopilotConfiguration, _ now: UInt64) -> Bool {
    health.isHealthy && now - min(now, health.since) >= UInt64(max(0, configuration.stabilizationTime.count))
  }

  private func promotion(
    _ membership: Membership, _ health: [AutopilotHealth], _ configuration: AutopilotConfiguration, _ now: UInt64
  ) -> Decision? {
    for candidate in health where candidate.member.role == .learner && isStable(candidate, configuration, now) {
      var member = candidate.member
      member.role = .voter
      return Decision(
        membership: Membership(membership.members.filter { $0.id != member.id } + [member]),
        reason: "server \(candidate.name) is stable and gets a vote")
    }
    return nil
  }

  /// A voter that has failed goes when the others are more than enough: there is a healthy one for each of its kind that
  /// ever was, so that nothing is gained by waiting for it.
  private func replacement(
    _ membership: Membership, _ health: [AutopilotHealth], _ leader: ServerID, _ configuration: AutopilotConfiguration,
    _ now: UInt64
  ) -> Decision? {
    guard configuration.cleanupDeadServers else { return nil }
    let failed = health.filter { !$0.isHealthy && $0.state == .failed && $0.member.id != leader }
    for gone in failed where now - min(now, gone.since) >= UInt64(max(0, configuration.stabilizationTime.count)) {
      let wanted = Membership(membership.members.filter { $0.id != gone.member.id })
      guard gone.member.role == .voter else {
        return Decision(membership: wanted, reason: "server \(gone.name), which has no vote, has failed")
      }
      // An odd number of voters, all others healthy: one more would not have made the cluster safer.
      let others = health.filter { $0.member.role == .voter && $0.member.id != gone.member.id }
      guard others.count >= max(3, configuration.minQuorum), others.count % 2 == 1, others.allSatisfy(\.isHealthy)
      else { continue }
      return Decision(
        membership: wanted, reason: "server \(gone.name) has failed, and there are \(others.count) healthy ones")
    }
    return nil
  }

  private func arrival(_ membership: Membership, _ servers: [AutopilotServer]) -> Decision? {
    for server in servers where server.state == .alive && server.mayJoin && membership.member(server.id) == nil {
      return Decision(
        membership: Membership(
          membership.members + [Member(id: server.id, address: server.address, role: .learner)]),
        reason: "server \(server.name) is new and becomes a member without a vote")
    }
    return nil
  }
}
