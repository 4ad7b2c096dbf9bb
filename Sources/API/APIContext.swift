public import Client
public import Codec
internal import HTTP
public import Log
public import Membership
public import Model
public import Server

/// What the routes work on: the parts that this agent plays, and what it knows of itself.
public struct APIContext: Sendable {
  /// The server, where the agent is one.
  public let server: Server?
  /// The client, where the agent is one.
  public let client: Client?
  /// The gossip pool that the server is in.
  public let membership: Membership?
  /// What the agent knows of itself.
  public let agent: any AgentInformation
  /// For requests that fail.
  public let logger: Logger

  /// A context; an agent plays at least one of the two parts.
  public init(
    server: Server?, client: Client?, membership: Membership? = nil, agent: any AgentInformation, logger: Logger
  ) {
    self.server = server
    self.client = client
    self.membership = membership
    self.agent = agent
    self.logger = logger
  }

  /// The server, for routes that are only reached where there is one.
  func theServer() throws(APIError) -> Server {
    guard let server else { throw APIError(.internalServerError, "this agent runs no server") }
    return server
  }

  func theMembership() throws(APIError) -> Membership {
    guard let membership else { throw APIError(.notImplemented, "this agent is no server: ask one") }
    return membership
  }

  func theClient() throws(APIError) -> Client {
    guard let client else { throw APIError(.notFound, "this agent runs no client") }
    return client
  }
}

/// What an agent knows of itself.
public protocol AgentInformation: Sendable {
  /// Name, `node.region` for a server.
  var name: String { get }
  var region: String { get }
  var datacenter: String { get }
  var version: String { get }
  /// The configuration as `agent/self` shows it, without secrets.
  var configuration: JSONValue { get }
  /// The servers that this agent knows of.
  var members: [AgentMember] { get }
  /// `host:port` of the leading server's RPC; empty while none is known.
  var leader: String { get }
  /// RPC addresses of the servers.
  var peers: [String] { get }
  /// Whether profiling and other debugging routes are on.
  var isDebugging: Bool { get }
}
