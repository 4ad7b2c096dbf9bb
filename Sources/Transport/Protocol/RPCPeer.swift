/// What an agent is; tells peers which methods it may be asked for.
public enum RPCRole: UInt8, Sendable {
  /// Neither: a command-line tool.
  case tool = 0
  /// A client agent, which runs tasks.
  case client = 1
  /// A server agent, which holds state.
  case server = 2
}

/// What each side says of itself when a connection begins. Claims, not proofs: identity is TLS's and the methods' matter.
public struct RPCPeer: Sendable, Equatable {
  /// What kind of agent it is.
  public var role: RPCRole
  /// The region that it belongs to.
  public var region: String
  /// The agent's name, for logs and errors.
  public var name: String

  /// What one side says of itself.
  public init(role: RPCRole, region: String, name: String) {
    self.role = role
    self.region = region
    self.name = name
  }
}
