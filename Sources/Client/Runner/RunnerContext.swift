internal import Codec
internal import Devices
internal import Drivers
internal import Glibc
internal import Isolation
internal import Log
internal import Model
internal import Storage

/// What every allocation runner of a client shares.
struct RunnerContext: Sendable {
  var configuration: ClientConfiguration
  /// What `${node…}`, `${attr…}` and `${meta…}` stand for.
  var nodeValues: [String: String]
  var datacenter: String
  var drivers: [String: any TaskDriver]
  var store: ClientStore
  var work: BlockingWork
  var updates: UpdateQueue
  var log: Logger

  /// What the agent was started with, less what no task should see: the base of a raw_exec task's environment.
  var hostEnvironment: [String: String]
  /// Which host ids each allocation's users are.
  var identifiers: UserIDRanges
  /// What hands out the node's devices.
  var devices: DeviceManager
  /// Brings data from other nodes; nil without servers.
  var transfer: AllocationDataTransfer?

  /// PATH of a task that does not see the host's.
  static let defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

  /// Variables that hold secrets or steer the agent alone; Nomad documents the list for `env.denylist`.
  static let deniedVariables: Set<String> = [
    "CONSUL_TOKEN", "CONSUL_HTTP_TOKEN", "NOMAD_TOKEN", "NOMAD_LICENSE", "VAULT_TOKEN", "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "GOOGLE_APPLICATION_CREDENTIALS", "INVOCATION_ID", "JOURNAL_STREAM",
    "NOTIFY_SOCKET",
  ]

  /// This process's environment without what is denied.
  /// - Parameter denied: more names, of the option `env.denylist`.
  static func hostEnvironment(denied: String?) -> [String: String] {
    let more = Set((denied ?? "").split(separator: ",").map { trimmed($0) })
    var result: [String: String] = [:]
    for line in (HostFiles.text("/proc/self/environ") ?? "").split(separator: "\0") {
      guard let equals = line.firstIndex(of: "=") else { continue }
      let name = String(line[..<equals])
      if deniedVariables.contains(name) || more.contains(name) || name.hasPrefix("NOMAD_") { continue }
      result[name] = String(line[line.index(after: equals)...])
    }
    return result
  }

  /// The host's users, as the tasks' default root file system has them too.
  static func account(_ user: String) -> Account? {
    Accounts(passwd: HostFiles.text("/etc/passwd") ?? "", group: HostFiles.text("/etc/group") ?? "").account(user)
  }
}
