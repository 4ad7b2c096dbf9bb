public import Codec

/// Answer of `GET /v1/agent/members`.
public struct AgentMembers: Record {
  public var serverName = ""
  public var serverRegion = ""
  public var serverDC = ""
  public var members: [AgentMember] = []

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "ServerName", &serverName)
    v.field(2, "ServerRegion", &serverRegion)
    v.field(3, "ServerDC", &serverDC)
    v.field(4, "Members", &members)
  }
}

/// A server of the gossip pool.
public struct AgentMember: Record {
  public var name = ""
  public var addr = ""
  public var port = 0
  public var tags: [String: String] = [:]
  public var status = ""
  public var protocolMin = 0
  public var protocolMax = 0
  public var protocolCur = 0
  public var delegateMin = 0
  public var delegateMax = 0
  public var delegateCur = 0

  public init() {}

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
  public var config: JSONValue = .null
  public var member = AgentMember()
  public var stats: [String: [String: String]] = [:]

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "config", &config)
    v.field(2, "member", &member)
    v.field(3, "stats", &stats)
  }
}

/// Answer of `GET /v1/agent/health`; a part is there when the agent plays it.
public struct AgentHealthResponse: Record {
  public var client: AgentHealth?
  public var server: AgentHealth?

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "client", &client, .omitEmpty)
    v.field(2, "server", &server, .omitEmpty)
  }
}

/// Whether the agent can do its work in one of its parts.
public struct AgentHealth: Record {
  public var ok = false
  public var message = ""

  public init() {}

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

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "num_joined", &numJoined)
    v.field(2, "error", &error)
  }
}

/// Body of `PUT /v1/agent/keyring/install|use|remove`.
public struct KeyringRequest: Record {
  /// Base64.
  public var key = ""

  public init() {}

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

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Messages", &messages)
    v.field(2, "Keys", &keys)
    v.field(3, "PrimaryKeys", &primaryKeys)
    v.field(4, "NumNodes", &numNodes)
  }
}
