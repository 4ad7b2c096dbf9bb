/// One server of the cluster and its part in it.
public struct Member: Hashable, Sendable {
  /// What a server may do.
  public enum Role: UInt8, Sendable {
    /// Has a vote and counts in every quorum.
    case voter = 1
    /// Gets the log but does not count (dissertation §4.2.1: non-voting, so that a new server can catch up first).
    case learner = 2
    /// Is on its way out: its vote counts only in the quorum of the configuration that is being left.
    case leaving = 3
  }

  /// The server.
  public var id: ServerID
  /// Where others reach it, `host:port`; the core passes it on and does not look at it.
  public var address: String
  /// Its part in the newer configuration.
  public var role: Role
  /// Whether it has a vote in the configuration that is being left; always false outside joint consensus.
  public var votesInOutgoing: Bool

  /// A member; outside joint consensus leave `votesInOutgoing` at its default.
  public init(id: ServerID, address: String, role: Role, votesInOutgoing: Bool = false) {
    self.id = id
    self.address = address
    self.role = role
    self.votesInOutgoing = votesInOutgoing
  }
}

/// The servers that make up the cluster, from one entry of the log.
///
/// Every change of voters goes through joint consensus (dissertation §4.3): first a configuration in which both the old
/// and the new majority must agree, then the new one alone. A server uses the latest configuration of its log whether it
/// is committed or not (§4.1).
public struct Membership: Hashable, Sendable {
  /// Everybody, ordered by id.
  public let members: [Member]
  /// Whether this is a joint configuration.
  public let isJoint: Bool

  /// A configuration of `members` in any order.
  public init(_ members: [Member], isJoint: Bool = false) {
    self.members = members.sorted { $0.id < $1.id }
    self.isJoint = isJoint
  }

  /// Nobody: what a server knows before it was taken into a cluster.
  public static let none = Membership([])

  /// The configuration of one server alone.
  public static func single(_ id: ServerID, address: String) -> Membership {
    Membership([Member(id: id, address: address, role: .voter)])
  }

  /// The member of this id.
  public func member(_ id: ServerID) -> Member? { members.first { $0.id == id } }

  /// Whether the server has a vote that counts somewhere.
  public func isVoter(_ id: ServerID) -> Bool {
    guard let member = member(id) else { return false }
    return member.role == .voter || member.votesInOutgoing
  }

  /// The voters of the newer configuration.
  public var voters: [ServerID] { members.filter { $0.role == .voter }.map(\.id) }

  /// The joint configuration that leads from this one to `target`, or `target` itself when its voters are the same:
  /// then nobody's majority changes and one step is safe.
  func transition(to target: Membership) -> Membership {
    if voters == target.voters { return target }
    var joint: [Member] = []
    for member in target.members {
      var member = member
      member.votesInOutgoing = voters.contains(member.id)
      joint.append(member)
    }
    for member in members where member.role == .voter && target.member(member.id) == nil {
      joint.append(Member(id: member.id, address: member.address, role: .leaving, votesInOutgoing: true))
    }
    return Membership(joint, isJoint: true)
  }

  /// What follows this joint configuration.
  var final: Membership {
    Membership(
      members.filter { $0.role != .leaving }.map { Member(id: $0.id, address: $0.address, role: $0.role) })
  }

  // MARK: bytes

  /// For a log entry: a version, the joint flag, then id, role, outgoing flag, and address of each member.
  public var encoded: [UInt8] {
    var bytes: [UInt8] = [1, isJoint ? 1 : 0]
    bytes.append(contentsOf: littleEndian(UInt64(members.count), 2))
    for member in members {
      let address = Array(member.address.utf8.prefix(0xFFFF))
      bytes.append(contentsOf: littleEndian(member.id.rawValue, 8))
      bytes.append(member.role.rawValue)
      bytes.append(member.votesInOutgoing ? 1 : 0)
      bytes.append(contentsOf: littleEndian(UInt64(address.count), 2))
      bytes.append(contentsOf: address)
    }
    return bytes
  }

  /// Reads `encoded`. Nil when the bytes are anything else.
  public init?(decoding bytes: [UInt8]) {
    guard bytes.count >= 4, bytes[0] == 1, bytes[1] <= 1 else { return nil }
    var members: [Member] = []
    var offset = 4
    for _ in 0..<Int(number(bytes, 2, 2)) {
      guard bytes.count >= offset + 12, let role = Member.Role(rawValue: bytes[offset + 8]) else { return nil }
      let length = Int(number(bytes, offset + 10, 2))
      guard bytes[offset + 9] <= 1, bytes.count >= offset + 12 + length else { return nil }
      members.append(
        Member(
          id: ServerID(number(bytes, offset, 8)),
          address: String(decoding: bytes[(offset + 12)..<(offset + 12 + length)], as: UTF8.self),
          role: role, votesInOutgoing: bytes[offset + 9] == 1))
      offset += 12 + length
    }
    guard offset == bytes.count, zip(members, members.dropFirst()).allSatisfy({ $0.id < $1.id }) else { return nil }
    self.init(members, isJoint: bytes[1] == 1)
  }
}

private func littleEndian(_ value: UInt64, _ count: Int) -> [UInt8] {
  (0..<count).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
}

private func number(_ bytes: [UInt8], _ offset: Int, _ count: Int) -> UInt64 {
  (0..<count).reduce(0) { $0 | UInt64(bytes[offset + $1]) << ($1 * 8) }
}
