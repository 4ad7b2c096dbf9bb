public import Codec
public import Gossip

/// What a server's gossip is told when it starts.
public struct MembershipConfiguration: Sendable {
  /// The port of gossip, UDP and TCP, when none is named.
  public static let defaultPort: UInt16 = 4648

  /// The name in the pool, `node.region`.
  public var name: String
  /// The server's identity (`ServerIdentity`).
  public var id: Identifier
  /// The server's region.
  public var region = "global"
  /// The server's datacenter.
  public var datacenter = "dc1"
  /// The program's version.
  public var version = ""
  /// Where others reach this server's RPC, `host:port`, a numeric host.
  public var rpcAddress = ""
  /// `bootstrap_expect`.
  public var expect = 0
  /// Numeric address to listen on.
  public var bindHost = "0.0.0.0"
  /// 0 lets the kernel choose.
  public var port = MembershipConfiguration.defaultPort
  /// The numeric address that others are told.
  public var advertisedHost = "127.0.0.1"
  /// The port that others are told; nil for the one listened on.
  public var advertisedPort: UInt16?
  /// The key that gossip is encrypted with, base64; empty for none. A key ring that is on disk wins.
  public var encryptKey = ""
  /// The folder of key ring and known servers; must exist.
  public var folder: String
  /// Whether to look for the servers of before after a goodbye, too.
  public var rejoinsAfterLeave = false
  /// Times and limits of the protocol.
  public var gossip = GossipConfiguration()

  /// A server of this name and identity.
  public init(name: String, id: Identifier, folder: String) {
    self.name = name
    self.id = id
    self.folder = folder
  }

  /// What the others are told of this server; names as other servers of this kind and their tools know them.
  var tags: [String: String] {
    let colon = rpcAddress.lastIndex(of: ":") ?? rpcAddress.endIndex
    var tags = [
      "role": "nomad", "region": region, "dc": datacenter, "id": id.description, "build": version, "vsn": "1",
      "raft_vsn": "3", "rpc_addr": String(rpcAddress[..<colon].filter { $0 != "[" && $0 != "]" }),
      "port": colon == rpcAddress.endIndex ? "" : String(rpcAddress[rpcAddress.index(after: colon)...]),
      "expect": "\(expect)", "mvn": "1",
    ]
    // A server that elects itself says so, as tools expect it.
    if expect == 1 { tags["bootstrap"] = "1" }
    return tags
  }
}

/// Why gossip could not start or go on.
public struct MembershipError: Error, Sendable, CustomStringConvertible {
  /// What failed, on what, why, and what to do.
  public let description: String

  init(_ description: String) { self.description = description }
}
