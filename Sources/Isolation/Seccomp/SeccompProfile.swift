internal import Codec
internal import Linux

/// A system call filter in the format of the OCI runtime specification (`linux.seccomp` in its config-linux.md), which
/// Docker's and Podman's profile files share: `defaultAction`, `defaultErrnoRet`, `syscalls` with `names`, `action`,
/// `errnoRet` and `args`; and Docker's additions `includes` and `excludes`, by which a rule depends on the architecture
/// (`arches`), on the task's capabilities (`caps`, its bounding set) or on the kernel (`minKernel`).
public struct SeccompProfile: Sendable {
  private struct Rule {
    /// For tasks that have, or do not have, these capabilities.
    var includedCapabilities: UInt64
    var excludedCapabilities: UInt64
    var names: [String]
    var action: RuleSet.Action
    var conditions: [RuleSet.Condition]
  }
  private let otherwise: RuleSet.Action
  private let rules: [Rule]

  /// Reads the JSON text.
  ///
  /// - Throws: SandboxError naming what cannot be enforced: an unknown action, call or comparison.
  ///
  /// - Parameter kernel: the running kernel's version, as uname(2) says it.
  public init(json text: String, kernel: String = KernelVersion.running) throws(SandboxError) {
    let document: JSONValue
    do {
      document = try JSON.decode(JSONValue.self, from: text)
    } catch {
      throw SandboxError("seccomp", "profile", "is no JSON: \(error)")
    }
    guard case .object = document else { throw SandboxError("seccomp", "profile", "must be a JSON object") }
    let errno = document["defaultErrnoRet"]?.intValue
    otherwise = try Self.action(document["defaultAction"], errno: errno, field: "defaultAction")
    var rules: [Rule] = []
    for (index, value) in (document["syscalls"]?.arrayValue ?? []).enumerated() {
      let field = "syscalls[\(index)]"
      guard let filter = try RuleFilter(value, field, kernel: kernel) else { continue }
      let names = (value["names"]?.arrayValue ?? []).compactMap(\.stringValue)
      let name = value["name"]?.stringValue.map { [$0] } ?? []
      if names.isEmpty && name.isEmpty {
        throw SandboxError("seccomp", "\(field).names", "must list system calls")
      }
      var conditions: [RuleSet.Condition] = []
      for (at, argument) in (value["args"]?.arrayValue ?? []).enumerated() {
        conditions.append(try Self.condition(argument, "\(field).args[\(at)]"))
      }
      let action = try Self.action(value["action"], errno: value["errnoRet"]?.intValue, field: "\(field).action")
      rules.append(
        Rule(
          includedCapabilities: filter.included, excludedCapabilities: filter.excluded, names: names + name,
          action: action, conditions: conditions))
    }
    self.rules = rules
  }

  /// The filter for a task with these capabilities. A call that is on the list and unknown to this processor or libseccomp
  /// is left to the default action.
  func compiled(allowsForeignABI: Bool, capabilities: UInt64 = 0) throws(SandboxError) -> SeccompFilter {
    let filter = try RuleSet(otherwise: otherwise)
    if allowsForeignABI { try filter.addForeignABIs() }
    for rule in rules where rule.action.code != otherwise.code {
      if capabilities & rule.includedCapabilities != rule.includedCapabilities
        || capabilities & rule.excludedCapabilities != 0
      {
        continue
      }
      for name in rule.names {
        guard let number = RuleSet.number(of: name), number >= 0 else { continue }
        try filter.add(rule.action, number: number, rule.conditions)
      }
    }
    return SeccompFilter(programs: [try filter.compiled()])
  }

  private static func action(_ value: JSONValue?, errno: Int64?, field: String) throws(SandboxError) -> RuleSet.Action {
    switch value?.stringValue {
    case "SCMP_ACT_ALLOW": return .allow
    case "SCMP_ACT_ERRNO":
      guard let number = UInt32(exactly: errno ?? 1), number < 4096 else {
        throw SandboxError("seccomp", field, "errnoRet must be between 0 and 4095")
      }
      return .error(number)
    case "SCMP_ACT_KILL", "SCMP_ACT_KILL_THREAD": return .killThread
    case "SCMP_ACT_KILL_PROCESS": return .killProcess
    case "SCMP_ACT_TRAP": return .trap
    case "SCMP_ACT_LOG": return .log
    case let other:
      throw SandboxError(
        "seccomp", field,
        "\(other ?? "a missing action") is not possible here: ALLOW, ERRNO, KILL, KILL_THREAD, KILL_PROCESS, TRAP or LOG"
      )
    }
  }

  private static func condition(_ value: JSONValue, _ field: String) throws(SandboxError) -> RuleSet.Condition {
    guard let index = value["index"]?.intValue, (0...5).contains(index) else {
      throw SandboxError("seccomp", "\(field).index", "must be the number of an argument, 0 to 5")
    }
    let argument = UInt32(index)
    let first = try number(value["value"], "\(field).value")
    switch value["op"]?.stringValue {
    case "SCMP_CMP_EQ": return .equal(argument, first)
    case "SCMP_CMP_NE": return .notEqual(argument, first)
    case "SCMP_CMP_GT": return .above(argument, first)
    case "SCMP_CMP_GE": return .atLeast(argument, first)
    case "SCMP_CMP_LT": return .below(argument, first)
    case "SCMP_CMP_LE": return .atMost(argument, first)
    case "SCMP_CMP_MASKED_EQ":
      return .masked(argument, mask: first, equals: try number(value["valueTwo"], "\(field).valueTwo"))
    case let other: throw SandboxError("seccomp", "\(field).op", "no such comparison: \(other ?? "none")")
    }
  }

  private static func number(_ value: JSONValue?, _ field: String) throws(SandboxError) -> UInt64 {
    switch value {
    case nil, .null: return 0
    case .int(let number): return UInt64(bitPattern: number)
    case .double(let number):
      // Whole numbers from 2^63 up.
      if let exact = UInt64(exactly: number) { return exact }
      throw SandboxError("seccomp", field, "must be a whole number of 64 bits")
    default: throw SandboxError("seccomp", field, "must be a number")
    }
  }
}

/// Docker's `includes` and `excludes` of one rule, as far as they depend on the task.
private struct RuleFilter {
  var included: UInt64 = 0
  var excluded: UInt64 = 0

  /// nil when the rule does not apply to this machine.
  init?(_ rule: JSONValue, _ field: String, kernel: String) throws(SandboxError) {
    #if arch(x86_64)
      let names: Set = ["amd64", "x86_64"]
    #else
      let names: Set = ["arm64", "aarch64"]
    #endif
    for (list, isIncluded) in [("includes", true), ("excludes", false)] {
      guard let filter = rule[list]?.objectValue else { continue }
      for (key, value) in filter.members {
        switch key {
        case "arches":
          let matches = (value.arrayValue ?? []).contains { $0.stringValue.map(names.contains) ?? false }
          if matches != isIncluded { return nil }
        case "minKernel":
          if KernelVersion.isAtLeast(value.stringValue ?? "", kernel) != isIncluded { return nil }
        case "caps":
          let mask = try Capability.mask(of: (value.arrayValue ?? []).compactMap(\.stringValue))
          if isIncluded { included |= mask } else { excluded |= mask }
        default:
          throw SandboxError("seccomp", "\(field).\(list).\(key)", "depends on something this runtime does not look at")
        }
      }
    }
  }
}

/// Versions of kernels, as uname(2) writes them.
public enum KernelVersion {
  /// The running kernel's; "" when it cannot be read.
  public static let running = (try? Files.readText("/proc/sys/kernel/osrelease")) ?? ""

  /// Whether a version is not older than another. Only the two first numbers count.
  static func isAtLeast(_ wanted: String, _ version: String) -> Bool {
    let wanted = numbers(wanted)
    let version = numbers(version)
    return version.0 != wanted.0 ? version.0 > wanted.0 : version.1 >= wanted.1
  }

  private static func numbers(_ text: String) -> (Int, Int) {
    let parts = text.split(separator: ".").prefix(2).map { Int($0.prefix { $0.isASCII && $0.isNumber }) ?? 0 }
    return (parts.first ?? 0, parts.count > 1 ? parts[1] : 0)
  }
}
