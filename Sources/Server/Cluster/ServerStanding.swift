public import Codec
internal import Raft
internal import Replica
internal import Synchronization

/// What a server knows of its cluster at one moment.
public struct ServerStanding: Sendable {
  /// One member of the cluster.
  public struct Peer: Sendable {
    /// Its identity; the second half is missing where only an operator named it.
    public let id: Identifier
    /// Where it was reached when it became a member.
    public let address: String
    /// Whether it has a vote.
    public let isVoter: Bool
    /// How much of the leader's log it has; known to the leader only.
    public var match: UInt64?
    /// How long ago the leader heard of it, in nanoseconds; known to the leader only.
    public var sinceContact: UInt64?

    var serverID: ServerID { ServerID(id) }
  }

  /// This server.
  public var id: Identifier = .none
  /// Who leads; nil while nobody is known to.
  public var leader: Identifier?
  /// Whether this server leads and takes proposals.
  public var isLeading = false
  /// Whether this server was elected, but is not ready to take proposals yet.
  public var isTakingOver = false
  /// Whether this server is the whole cluster: nobody can have overtaken what it knows.
  public var isAlone = false
  /// The current term.
  public var term: UInt64 = 0
  /// The last entry of the log.
  public var lastIndex: UInt64 = 0
  /// The last entry that is known to be on a majority's disks.
  public var commitIndex: UInt64 = 0
  /// The last entry that is in the state.
  public var appliedIndex: UInt64 = 0
  /// The members.
  public var peers: [Peer] = []
  /// The index of the entry that made them so.
  public var membershipIndex: UInt64 = 0
  /// Whether a change of the members is going on.
  public var isChanging = false
  /// When the leader was last heard of, or by the leader a majority: nanoseconds of CLOCK_MONOTONIC.
  public var contact: Int64 = 0
  /// Why this server takes no part, and what to do about it; empty normally.
  public var problem = ""

  init() {}
}

/// The newest standing, for readers on any thread.
final class StandingBoard: Sendable {
  private let standing = Mutex(ServerStanding())

  var current: ServerStanding { standing.withLock { $0 } }

  func publish(_ new: ServerStanding) { standing.withLock { $0 = new } }
}

extension ServerStanding {
  /// What a replica knows.
  init(_ replica: Replica, id: Identifier, now: Int64) {
    let core = replica.core
    self.id = id
    isLeading = replica.isLeading
    isTakingOver = core.role == .leader && !replica.isLeading
    isAlone = core.decidesAlone
    term = core.term
    lastIndex = core.last.index
    commitIndex = core.commit
    appliedIndex = replica.applied.index
    let (index, membership) = core.membership
    membershipIndex = index
    isChanging = membership.isJoint || index > core.commit
    let progress = core.progress
    peers = membership.members.filter { $0.role != .leaving }.map { member in
      let place = MemberAddress(member.address)
      let known = progress.first { $0.id == member.id }
      return Peer(
        id: place.id.isNone ? Identifier(high: member.id.rawValue, low: 0) : place.id, address: place.address,
        isVoter: member.role == .voter, match: known?.match, sinceContact: known?.sinceContact)
    }
    leader = core.leader.map { leader in
      peers.first { $0.serverID == leader }?.id ?? Identifier(high: leader.rawValue, low: 0)
    }
    contact = now - Int64(clamping: core.sinceContact)
    problem = replica.halt ?? core.quarantine ?? (core.isStorageFull ? "the disk of its log is full" : "")
  }
}
