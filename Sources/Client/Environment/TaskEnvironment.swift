/// What the environment of a task is made from: plain values, so that the rules can be tested without a job.
struct TaskEnvironmentInput: Sendable {
  /// A port of the allocation.
  struct Port: Sendable, Equatable {
    var label: String
    /// The address of the host that the port is on.
    var hostIP: String
    var hostPort: Int
    /// The port inside the allocation's own network; 0 when it is the host's port.
    var to: Int
    /// The allocation's own address; "" when the allocation is on the host's network.
    var allocationIP: String

    init(label: String, hostIP: String, hostPort: Int, to: Int = 0, allocationIP: String = "") {
      self.label = label
      self.hostIP = hostIP
      self.hostPort = hostPort
      self.to = to
      self.allocationIP = allocationIP
    }
  }

  var allocationID = ""
  var allocationName = ""
  var allocationIndex = 0
  var taskName = ""
  var groupName = ""
  var jobID = ""
  var jobName = ""
  var jobParentID = ""
  var datacenter = ""
  var region = ""
  var namespace = ""
  var cpuMHz = 0
  /// The cores reserved for the task, in cpuset list notation; "" for none.
  var cpuCores = ""
  var memoryMB = 0
  /// 0 when the task has no higher limit than `memoryMB`.
  var memoryMaxMB = 0
  var parentCgroup = ""
  /// Directories as the task sees them.
  var allocationDirectory = "/alloc"
  var taskDirectory = "/local"
  var secretsDirectory = "/secrets"
  var ports: [Port] = []
  /// The job's, group's and task's meta, the more specific winning.
  var meta: [String: String] = [:]
  /// The task's `env` block, not yet interpolated.
  var user: [String: String] = [:]
  /// What the task has before anything of Nomad's: `PATH` of an isolated task, the host's environment of a raw one.
  var base: [String: String] = [:]

  /// An input without values.
  init() {}
}

/// The variables a task is started with.
struct TaskEnvironment: Sendable {
  /// By name.
  var variables: [String: String]
  /// Replaces `${…}` in the task's configuration with these variables and the node's values.
  var interpolation: Interpolation

  /// Builds the `NOMAD_*` variables (names and meanings: Nomad's "runtime environment" documentation), then the task's
  /// own, interpolated with the node's values and with those variables.
  /// - Parameter node: values by full name, as `NodeValues` makes them.
  init(_ input: TaskEnvironmentInput, node: [String: String]) {
    var all = input.base
    for (name, value) in Self.fixed(input) { all[name] = value }
    for port in input.ports { Self.add(port, to: &all) }
    for (key, value) in input.meta {
      let value = Interpolation(values: node)(value)
      all["NOMAD_META_" + Self.cleaned(key)] = value
      all["NOMAD_META_" + Self.cleaned(key.uppercased())] = value
    }
    let first = Interpolation(values: node.merging(all) { _, variable in variable })
    for (key, value) in input.user { all[Self.cleaned(first(key))] = first(value) }
    variables = all
    interpolation = Interpolation(values: node.merging(all) { _, variable in variable })
  }

  /// The same with more variables, which stand above those of the same name.
  func adding(_ more: [String: String]) -> TaskEnvironment {
    var result = self
    result.variables.merge(more) { _, new in new }
    result.interpolation.values.merge(more) { _, new in new }
    return result
  }

  /// `NAME=value`, sorted by name: the form that execve(2) takes.
  var block: [String] { Self.block(variables) }

  static func block(_ variables: [String: String]) -> [String] {
    variables.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
  }

  private static func fixed(_ input: TaskEnvironmentInput) -> [(String, String)] {
    var fixed: [(String, String)] = [
      ("NOMAD_ALLOC_DIR", input.allocationDirectory),
      ("NOMAD_TASK_DIR", input.taskDirectory),
      ("NOMAD_SECRETS_DIR", input.secretsDirectory),
      ("NOMAD_ALLOC_ID", input.allocationID),
      ("NOMAD_SHORT_ALLOC_ID", String(input.allocationID.prefix(8))),
      ("NOMAD_ALLOC_NAME", input.allocationName),
      ("NOMAD_ALLOC_INDEX", String(input.allocationIndex)),
      ("NOMAD_TASK_NAME", input.taskName),
      ("NOMAD_GROUP_NAME", input.groupName),
      ("NOMAD_JOB_ID", input.jobID),
      ("NOMAD_JOB_NAME", input.jobName),
      ("NOMAD_DC", input.datacenter),
      ("NOMAD_REGION", input.region),
      ("NOMAD_NAMESPACE", input.namespace),
    ]
    let optional = [
      ("NOMAD_JOB_PARENT_ID", input.jobParentID),
      ("NOMAD_PARENT_CGROUP", input.parentCgroup),
      ("NOMAD_CPU_CORES", input.cpuCores),
      ("NOMAD_CPU_LIMIT", input.cpuMHz > 0 ? String(input.cpuMHz) : ""),
      ("NOMAD_MEMORY_LIMIT", input.memoryMB > 0 ? String(input.memoryMB) : ""),
      ("NOMAD_MEMORY_MAX_LIMIT", input.memoryMaxMB > 0 ? String(input.memoryMaxMB) : ""),
    ]
    fixed += optional.filter { !$0.1.isEmpty }
    return fixed
  }

  private static func add(_ port: TaskEnvironmentInput.Port, to all: inout [String: String]) {
    let label = cleaned(port.label)
    let inside = port.to > 0 ? port.to : port.hostPort
    let insideIP = port.allocationIP.isEmpty ? port.hostIP : port.allocationIP
    all["NOMAD_IP_" + label] = port.hostIP
    all["NOMAD_PORT_" + label] = String(inside)
    all["NOMAD_ADDR_" + label] = address(port.hostIP, port.hostPort)
    all["NOMAD_HOST_IP_" + label] = port.hostIP
    all["NOMAD_HOST_PORT_" + label] = String(port.hostPort)
    all["NOMAD_HOST_ADDR_" + label] = address(port.hostIP, port.hostPort)
    all["NOMAD_ALLOC_IP_" + label] = insideIP
    all["NOMAD_ALLOC_PORT_" + label] = String(inside)
    all["NOMAD_ALLOC_ADDR_" + label] = address(insideIP, inside)
  }

  private static func address(_ ip: String, _ port: Int) -> String {
    ip.contains(":") ? "[\(ip)]:\(port)" : "\(ip):\(port)"
  }

  /// `name` with everything but letters, digits, "_" and "." replaced by "_", as the documentation promises; a digit at
  /// the beginning too.
  static func cleaned(_ name: String) -> String {
    var bytes = Array(name.utf8)
    for (position, byte) in bytes.enumerated() {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"),
        UInt8(ascii: "."):
        continue
      case UInt8(ascii: "0")...UInt8(ascii: "9") where position > 0: continue
      default: bytes[position] = UInt8(ascii: "_")
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// The index in an allocation's name, 3 of `job.group[3]`; 0 for a name without one.
  static func index(ofAllocationNamed name: String) -> Int {
    guard name.last == "]", let open = name.lastIndex(of: "[") else { return 0 }
    return Int(name[name.index(after: open)...].dropLast()) ?? 0
  }
}
