public import Codec

/// Answer of `GET /v1/agent/members`.
public struct AgentMembers: Record {
  /// Name of the agent that answered, `<node>.<region>` for a server.
  public var serverName = ""
  /// Region of the agent that answered.
  public var serverRegion = ""
  /// Datacenter of the agent that answered.
  public var serverDC = ""
  /// The servers of all regions that this agent knows through gossip; empty on an agent that is only a client.
  public var members: [AgentMember] = []

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "ServerName", &serverName)
    v.field(2, "ServerRegion", &serverRegion)
    v.field(3, "ServerDC", &serverDC)
    v.field(4, "Members", &members)
  }
}

/// A server of the gossip pool.
public struct AgentMember: Record {
  /// `<node name>.<region>`, unique in the pool.
  public var name = ""
  /// IP address at which gossip reaches the member.
  public var addr = ""
  /// Gossip port, 4648 unless configured.
  public var port = 0
  /// What the member says about itself: `role`, `region`, `dc`, `id`, `rpc_addr`, `port`, `build`, `expect`, `raft_vsn`
  /// and so on.
  public var tags: [String: String] = [:]
  /// `alive`, `leaving`, `left` or `failed`.
  public var status = ""
  /// Oldest version of the membership protocol that the member speaks.
  public var protocolMin = 0
  /// Newest version of the membership protocol that the member speaks.
  public var protocolMax = 0
  /// Version of the membership protocol in use with it.
  public var protocolCur = 0
  /// Oldest version of the messages on top of the membership protocol that the member understands.
  public var delegateMin = 0
  /// Newest version of the messages on top of the membership protocol that the member understands.
  public var delegateMax = 0
  /// Version of those messages in use with it.
  public var delegateCur = 0

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Name", &name)
    v.field(2, "Addr", &addr)
    v.field(3, "Port", &port)
    v.field(4, "Tags", &tags)
    v.field(5, "Status", &status)
    v.field(6, "ProtocolMin", &protocolMin)
    v.field(7, "ProtocolMax", &protocolMax)
    v.field(8, "ProtocolCur", &protocolCur)
    v.field(9, "DelegateMin", &delegateMin)
    v.field(10, "DelegateMax", &delegateMax)
    v.field(11, "DelegateCur", &delegateCur)
  }
}

/// Answer of `GET /v1/agent/self`.
public struct AgentSelf: Record {
  /// The configuration in effect after files, directories and flags, keys as Nomad's API names them; secrets are left
  /// out.
  public var config: JSONValue = .null
  /// The agent's own entry in the pool, empty on a client.
  public var member = AgentMember()
  /// Counters for people by subsystem (`nomad`, `raft`, `serf`, `runtime`, `client`), all values as text.
  public var stats: [String: [String: String]] = [:]

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "config", &config)
    v.field(2, "member", &member)
    v.field(3, "stats", &stats)
  }
}

/// Answer of `GET /v1/agent/health`; a part is there when the agent plays it.
public struct AgentHealthResponse: Record {
  /// Health of the client part; absent when the agent is no client or only the server was asked about.
  public var client: AgentHealth?
  /// Health of the server part; absent when the agent is no server or only the client was asked about.
  public var server: AgentHealth?

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "client", &client, .omitEmpty)
    v.field(2, "server", &server, .omitEmpty)
  }
}

/// Whether the agent can do its work in one of its parts.
public struct AgentHealth: Record {
  /// Whether the part can do its work: a server knows a leader, a client reaches a server.
  public var ok = false
  /// `ok`, or why not.
  public var message = ""

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "ok", &ok)
    v.field(2, "message", &message)
  }
}

/// Answer of `PUT /v1/agent/join`.
public struct JoinResponse: Record {
  /// Servers that were reached.
  public var numJoined = 0
  /// Why none was; empty when one was.
  public var error = ""

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "num_joined", &numJoined)
    v.field(2, "error", &error)
  }
}

/// Body of `PUT /v1/agent/keyring/install|use|remove`.
public struct KeyringRequest: Record {
  /// Base64.
  public var key = ""

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) { v.field(1, "Key", &key) }
}

/// Answer of the requests below `/v1/agent/keyring`.
public struct KeyringResponse: Record {
  /// What single servers had to say, by name.
  public var messages: [String: String] = [:]
  /// On how many servers each key is installed, by its base64.
  public var keys: [String: Int] = [:]
  /// On how many servers each key is the one that encrypts.
  public var primaryKeys: [String: Int] = [:]
  /// Servers that were asked.
  public var numNodes = 0

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Messages", &messages)
    v.field(2, "Keys", &keys)
    v.field(3, "PrimaryKeys", &primaryKeys)
    v.field(4, "NumNodes", &numNodes)
  }
}
