internal import API
internal import Codec
internal import Membership
internal import Model
internal import Server

/// What the API tells of this agent.
struct Information: AgentInformation {
  let settings: Settings
  let object: JSONObject
  let server: Server?
  let membership: Membership?

  var name: String { server == nil ? settings.nodeName : "\(settings.nodeName).\(settings.configuration.region)" }
  var region: String { settings.configuration.region }
  var datacenter: String { settings.configuration.datacenter }
  var version: String { settings.version }
  var isDebugging: Bool { settings.configuration.enableDebug }
  var leader: String { server?.leaderAddress ?? "" }
  var peers: [String] { server?.peerAddresses ?? [] }

  /// The configuration with defaults, and what files said beyond what this version acts on; secrets left out.
  var configuration: JSONValue {
    var shown = settings.configuration
    shown.server.encryptKey = shown.server.encryptKey.isEmpty ? "" : "<redacted>"
    guard case .object(var value)? = try? JSON.decode(JSONValue.self, from: JSON.encode(shown)) else { return .null }
    for (key, member) in object.members where value[key] == nil { value[key] = member }
    value["Version"] = ["Version": .string(settings.version)]
    return .object(value)
  }

  var members: [AgentMember] { membership?.agentMembers ?? [] }
}
