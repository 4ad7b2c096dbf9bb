internal import Codec

/// A flag of `serai agent`, for the command line's parser, help and completion.
public struct AgentFlag: Sendable {
  /// Name without dashes.
  public let name: String
  /// Nil for a flag that is on or off; otherwise what its value is called.
  public let placeholder: String?
  /// Whether it may be given several times, each adding to the last.
  public let isRepeated: Bool
  /// One line for `-h`.
  public let help: String
}

/// The flags of `serai agent`, and the configuration they stand for. A flag wins over every file.
public enum AgentFlags {
  /// All of them.
  public static let all: [AgentFlag] = table.map {
    AgentFlag(name: $0.name, placeholder: $0.placeholder, isRepeated: $0.isRepeated, help: $0.help)
  }

  private struct Row: Sendable {
    let name: String
    let placeholder: String?
    let isRepeated: Bool
    let help: String
    /// Where the value goes: member names from the root of the configuration.
    let path: [String]
  }

  private static func flag(_ name: String, _ help: String, _ path: String...) -> Row {
    Row(name: name, placeholder: nil, isRepeated: false, help: help, path: path)
  }
  private static func value(_ name: String, _ placeholder: String, _ help: String, _ path: String...) -> Row {
    Row(name: name, placeholder: placeholder, isRepeated: false, help: help, path: path)
  }
  private static func list(_ name: String, _ placeholder: String, _ help: String, _ path: String...) -> Row {
    Row(name: name, placeholder: placeholder, isRepeated: true, help: help, path: path)
  }

  private static let table: [Row] = [
    list("config", "path", "A configuration file, or a folder of them. May be repeated; later ones win."),
    flag("dev", "Server and client in one process, data in a fresh temporary directory that is removed at the end."),
    flag("server", "Run a server.", "Server", "Enabled"),
    flag("client", "Run a client.", "Client", "Enabled"),
    value("bind", "address", "Listen on this address.", "BindAddr"),
    value("data-dir", "path", "Where the agent keeps its data.", "DataDir"),
    value(
      "state-dir", "path", "Where the client keeps its state; below -data-dir when not given.", "Client", "StateDir"),
    value(
      "alloc-dir", "path", "Where allocations have their directories; below -data-dir when not given.", "Client",
      "AllocDir"),
    value("plugin-dir", "path", "Where device and driver plugins are.", "PluginDir"),
    value("node", "name", "The node's name; the host's name when not given.", "NodeName"),
    value("region", "name", "The region of the agent.", "Region"),
    value("dc", "name", "The datacenter of the agent.", "Datacenter"),
    value("log-level", "level", "TRACE, DEBUG, INFO, WARN or ERROR.", "LogLevel"),
    flag("log-json", "Write the log as JSON.", "LogJson"),
    value("log-file", "path", "Write the log to this file, too.", "LogFile"),
    value("bootstrap-expect", "count", "How many servers begin the cluster together.", "Server", "BootstrapExpect"),
    list(
      "retry-join", "address", "Join the server at this address, again until it works.", "Server", "ServerJoin",
      "RetryJoin"),
    list("join", "address", "Join the server at this address at the start.", "Server", "ServerJoin", "StartJoin"),
    value("encrypt", "key", "The key for gossip between servers.", "Server", "EncryptKey"),
    list("servers", "addresses", "Servers of a client, separated by commas. May be repeated.", "Client", "Servers"),
    value("node-class", "name", "The class of the node.", "Client", "NodeClass"),
    value("node-pool", "name", "The pool of the node.", "Client", "NodePool"),
    list("meta", "key=value", "Metadata of the node. May be repeated.", "Client", "Meta"),
    value(
      "network-interface", "name", "The interface whose address the node is known by.", "Client", "NetworkInterface"),
    value("network-speed", "mbits", "The speed of that interface.", "Client", "NetworkSpeed"),
    value("cpu-total-compute", "MHz", "What the node's processors give together.", "Client", "CpuCompute"),
    value("http-port", "port", "The port of the HTTP API.", "Ports", "HTTP"),
    value("rpc-port", "port", "The port that agents talk to servers on.", "Ports", "RPC"),
    flag("acl-enabled", "Require tokens.", "ACL", "Enabled"),
  ]

  /// The flags given, as a configuration to lay over the files'.
  /// - Parameter values: by flag name, in the order given; "true" or "false" for flags that are on or off.
  static func overlay(_ values: [String: [String]]) throws(ConfigurationError) -> JSONObject {
    var result = JSONObject()
    for row in table where !row.path.isEmpty {
      guard let given = values[row.name], let last = given.last else { continue }
      set(&result, row.path[...], try json(row, given, last))
    }
    return result
  }

  private static func json(_ row: Row, _ given: [String], _ last: String) throws(ConfigurationError) -> JSONValue {
    if row.placeholder == nil { return .bool(last == "true") }
    if row.name == "meta" {
      var members = JSONObject()
      for pair in given {
        guard let equals = pair.firstIndex(of: "=") else {
          throw ConfigurationError("flag -meta needs key=value, not \"\(pair)\"")
        }
        members[String(pair[..<equals])] = .string(String(pair[pair.index(after: equals)...]))
      }
      return .object(members)
    }
    if row.isRepeated {
      return .array(given.flatMap { $0.split(separator: ",") }.map { .string(String($0)) })
    }
    if ["count", "port", "mbits", "MHz"].contains(row.placeholder ?? "") {
      guard let number = Int64(last) else {
        throw ConfigurationError("flag -\(row.name) needs a whole number, not \"\(last)\"")
      }
      return .int(number)
    }
    return .string(last)
  }

  private static func set(_ object: inout JSONObject, _ path: ArraySlice<String>, _ value: JSONValue) {
    guard let first = path.first else { return }
    if path.count == 1 {
      object[first] = value
    } else {
      var inner = object[first]?.objectValue ?? JSONObject()
      set(&inner, path.dropFirst(), value)
      object[first] = .object(inner)
    }
  }
}
