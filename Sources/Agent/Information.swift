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
    value["Version"] = ["Version": .string(settings.version), "VersionPrerelease": "", "VersionMetadata": ""]
    value["VersionPrerelease"] = ""
    value["Revision"] = ""
    value["DevMode"] = .bool(settings.isDevelopment)
    value["Files"] = .array(settings.files.map { .string($0) })
    for (key, member) in Self.notActedOn.members { value[key] = Self.filled(value[key] ?? .null, from: member) }
    return .object(value)
  }

  /// Where `value` says nothing, what `defaults` say.
  private static func filled(_ value: JSONValue, from defaults: JSONValue) -> JSONValue {
    guard case .object(let wanted) = defaults else { return value == .null ? defaults : value }
    var result = value.objectValue ?? JSONObject()
    for (key, member) in wanted.members { result[key] = filled(result[key] ?? .null, from: member) }
    return .object(result)
  }

  /// Members that clients of the API read and behind which this version has nothing: as they are where it is switched off.
  private static let notActedOn: JSONObject = [
    "DisableUpdateCheck": true, "DisableAnonymousSignature": true, "EnableSyslog": false, "SyslogFacility": "",
    "Client": [
      "ClientMinPort": 0, "ClientMaxPort": 0, "Reserved": ["ParsedReservedPorts": .null],
    ],
    "Server": ["NumSchedulers": 1, "EnabledSchedulers": .null, "ProtocolVersion": 1],
    "Consul": [
      "Addr": "", "Auth": "", "AutoAdvertise": false, "CAFile": "", "CertFile": "", "ChecksUseAdvertise": false,
      "ClientAutoJoin": false, "ClientServiceName": "", "EnableSSL": false, "KeyFile": "", "ServerAutoJoin": false,
      "ServerServiceName": "", "Timeout": 0, "Token": "", "VerifySSL": false,
    ],
    "Vault": [
      "Addr": "", "AllowUnauthenticated": false, "ConnectionRetryIntv": 0, "Enabled": false, "Role": "",
      "TLSCaFile": "", "TLSCaPath": "", "TLSCertFile": "", "TLSKeyFile": "", "TLSServerName": "",
      "TLSSkipVerify": .null, "TaskTokenTTL": "", "Token": "",
    ],
    "Telemetry": [
      "CirconusAPIApp": "", "CirconusAPIToken": "", "CirconusAPIURL": "", "CirconusBrokerID": "",
      "CirconusBrokerSelectTag": "", "CirconusCheckDisplayName": "", "CirconusCheckForceMetricActivation": "",
      "CirconusCheckID": "", "CirconusCheckInstanceID": "", "CirconusCheckSearchTag": "",
      "CirconusCheckSubmissionURL": "", "CirconusCheckTags": "", "CirconusSubmissionInterval": "",
      "CollectionInterval": "", "DataDogAddr": "", "DataDogTags": [], "DisableHostname": false,
      "PublishAllocationMetrics": false, "PublishNodeMetrics": false, "StatsdAddr": "", "StatsiteAddr": "",
      "UseNodeName": false,
    ],
  ]

  var members: [AgentMember] { membership?.agentMembers ?? [] }
}
