/// What is known of one member of the pool.
public struct Member: Sendable, Equatable {
  /// How a member is, as far as is known here.
  public enum Status: UInt8, Sendable {
    case alive = 0
    /// It did not answer; it has a while to say that it lives. To everybody outside of the core it is alive.
    case suspect = 1
    /// It did not answer and did not object in time.
    case failed = 2
    /// It said goodbye, or an operator said so for it.
    case left = 3
  }

  /// The name, unique in the pool: `node.region`. 1 to 128 bytes.
  public var name: String
  /// Where it is.
  public var address: GossipAddress
  /// What the member says of itself; `id` tells a member that moved to another address from a stranger of its name.
  public var tags: [String: String]
  /// The protocol versions it speaks.
  public var protocolMin: UInt8
  /// See `protocolMin`.
  public var protocolMax: UInt8
  /// Raised by the member alone, each time it has to contradict what is said of it.
  public var incarnation: UInt64
  /// How it is.
  public var status: Status

  /// A member.
  public init(
    name: String, address: GossipAddress, tags: [String: String] = [:],
    protocolMin: UInt8 = GossipProtocol.lowestVersion, protocolMax: UInt8 = GossipProtocol.highestVersion,
    incarnation: UInt64 = 1, status: Status = .alive
  ) {
    self.name = name
    self.address = address
    self.tags = tags
    self.protocolMin = protocolMin
    self.protocolMax = protocolMax
    self.incarnation = incarnation
    self.status = status
  }

  /// Alive or suspect.
  public var isPresent: Bool { status == .alive || status == .suspect }

  /// The version that this member and we speak with each other.
  public var protocolVersion: UInt8 { min(protocolMax, GossipProtocol.highestVersion) }

  var isCompatible: Bool {
    protocolMin <= protocolMax && protocolMin <= GossipProtocol.highestVersion
      && protocolMax >= GossipProtocol.lowestVersion
  }
}

/// What happened to a member, in the order in which it was learned.
public enum MembershipEvent: Sendable, Equatable {
  /// New, or back after it had failed or left.
  case joined(Member)
  /// Its address or tags changed.
  case updated(Member)
  case failed(Member)
  case left(Member)
  /// Forgotten: it had failed or left long ago, or an operator pruned it.
  case removed(Member)
  /// Somebody else uses the name of a living member; its messages are not believed.
  case conflict(member: Member, other: GossipAddress)
  /// A member speaks no protocol version that we do; it is not taken in.
  case incompatible(Member)
}
