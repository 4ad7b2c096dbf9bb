public import Codec

/// A server as the gossip pool knows it: what Raft's membership, leader forwarding and `server members` begin from.
public struct ServerMember: Sendable, Equatable {
  /// How the pool sees it.
  public enum Status: String, Sendable {
    /// It answers.
    case alive
    /// It did not answer, and has not objected.
    case failed
    /// It said goodbye, or an operator said so for it.
    case left
  }

  /// Made once for the server's data directory; `none` for one that does not tell. A server keeps it when its address
  /// changes.
  public var id: Identifier
  /// The name in the pool, `node.region`.
  public var name: String
  /// Region that the server belongs to.
  public var region: String
  /// Datacenter that the server belongs to.
  public var datacenter: String
  /// Where it takes RPC, `host:port`.
  public var rpcAddress: String
  /// Its `bootstrap_expect`; 0 for one that waits to be joined.
  public var expect: Int
  /// The program's version.
  public var version: String
  /// Whether the pool counts it as alive.
  public var status: Status

  /// A server.
  public init(
    id: Identifier, name: String, region: String, datacenter: String, rpcAddress: String, expect: Int, version: String,
    status: Status
  ) {
    self.id = id
    self.name = name
    self.region = region
    self.datacenter = datacenter
    self.rpcAddress = rpcAddress
    self.expect = expect
    self.version = version
    self.status = status
  }
}

/// What happened to a server of the pool.
public enum ServerMemberChange: Sendable, Equatable {
  /// New, or back after it had failed or left.
  case joined(ServerMember)
  /// Its address or what it says of itself changed.
  case updated(ServerMember)
  case failed(ServerMember)
  case left(ServerMember)
  /// Forgotten: gone for long, or pruned by an operator.
  case removed(ServerMember)

  /// Whom it happened to.
  public var member: ServerMember {
    switch self {
    case .joined(let member), .updated(let member), .failed(let member), .left(let member), .removed(let member):
      member
    }
  }
}
