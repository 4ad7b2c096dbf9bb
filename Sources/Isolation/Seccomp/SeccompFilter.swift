internal import CSeccomp
internal import Linux

/// Compiled system call filters (seccomp(2)). They are compiled by libseccomp once, in the supervisor, before the first
/// task: the child only installs bytes.
public struct SeccompFilter: Sendable {
  /// BPF programs, 8 bytes an instruction; all are installed, and the strictest answer counts.
  public let programs: [[UInt8]]

  /// The standard filter. What is on no list (unknown here, or newer than the lists) is ENOSYS, so that programs fall
  /// back; what is known and refused is EPERM; calls of a foreign ABI (ia32, x32) kill the process.
  ///
  /// - Throws: SandboxError when libseccomp refuses a rule.
  public static func standard() throws(SandboxError) -> SeccompFilter {
    // Two programs: a rule without conditions would swallow the conditional ones of the same call.
    SeccompFilter(programs: [try refusals(), try allowList()])
  }

  private static func allowList() throws(SandboxError) -> [UInt8] {
    let rules = try RuleSet(otherwise: .error(38))  // ENOSYS
    for name in SystemCalls.allowed { try rules.add(.allow, name) }
    for call in SystemCalls.newerAllowed { try rules.add(.allow, number: call.number) }
    for name in SystemCalls.refused { try rules.add(.error(1), name) }  // EPERM
    // clone without namespaces; clone3 passes its flags in memory, which a filter cannot read: ENOSYS, and the C
    // library uses clone instead.
    try rules.add(.allow, "clone", [.masked(0, mask: SystemCalls.namespaceFlags, equals: 0)])
    // The domains a program can expect; netlink only for routes and addresses.
    for domain in [1, 2, 10] as [UInt64] { try rules.add(.allow, "socket", [.equal(0, domain)]) }
    try rules.add(.allow, "socket", [.equal(0, 16), .equal(2, 0)])
    try rules.add(.error(1), "socket", [.equal(0, 16), .above(2, 0)])
    for domain in [0, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14, 15] as [UInt64] {
      try rules.add(.error(97), "socket", [.equal(0, domain)])  // EAFNOSUPPORT
    }
    try rules.add(.error(97), "socket", [.above(0, 16)])
    for persona in [0, 0x0008, 0x20000, 0x20008, 0xffff_ffff] as [UInt64] {
      try rules.add(.allow, "personality", [.equal(0, persona)])
    }
    return try rules.compiled()
  }

  private static func refusals() throws(SandboxError) -> [UInt8] {
    let rules = try RuleSet(otherwise: .allow)
    // TIOCSTI types into somebody's terminal, TIOCLINUX pastes; the kernel looks at the low 32 bits only.
    for request in [0x5412, 0x541c] as [UInt64] {
      try rules.add(.error(1), "ioctl", [.masked(1, mask: 0xffff_ffff, equals: request)])
    }
    return try rules.compiled()
  }
}

/// A libseccomp context; released with its owner.
private final class RuleSet {
  enum Action {
    case allow
    case error(UInt32)

    var code: UInt32 {
      switch self {
      case .allow: 0x7fff_0000  // SCMP_ACT_ALLOW
      case .error(let errno): 0x0005_0000 | errno  // SCMP_ACT_ERRNO
      }
    }
  }
  enum Condition {
    case equal(UInt32, UInt64)
    case above(UInt32, UInt64)
    case masked(UInt32, mask: UInt64, equals: UInt64)

    var comparison: scmp_arg_cmp {
      switch self {
      case .equal(let argument, let value):
        scmp_arg_cmp(arg: argument, op: SCMP_CMP_EQ, datum_a: value, datum_b: 0)
      case .above(let argument, let value):
        scmp_arg_cmp(arg: argument, op: SCMP_CMP_GT, datum_a: value, datum_b: 0)
      case .masked(let argument, let mask, let value):
        scmp_arg_cmp(arg: argument, op: SCMP_CMP_MASKED_EQ, datum_a: mask, datum_b: value)
      }
    }
  }

  private let context: scmp_filter_ctx

  init(otherwise: Action) throws(SandboxError) {
    guard let context = seccomp_init(otherwise.code) else {
      throw SandboxError("seccomp", "init", "libseccomp refused: out of memory?")
    }
    self.context = context
    // SCMP_ACT_KILL_PROCESS for calls of another ABI; a balanced tree instead of 300 comparisons in a row.
    _ = seccomp_attr_set(context, SCMP_FLTATR_ACT_BADARCH, 0x8000_0000)
    _ = seccomp_attr_set(context, SCMP_FLTATR_CTL_OPTIMIZE, 2)
  }

  deinit { seccomp_release(context) }

  /// A name that this libseccomp does not know, or this processor does not have, is skipped.
  func add(_ action: Action, _ name: String, _ conditions: [Condition] = []) throws(SandboxError) {
    let number = seccomp_syscall_resolve_name(name)
    if number < 0 { return }
    try add(action, number: number, conditions)
  }

  func add(_ action: Action, number: Int32, _ conditions: [Condition] = []) throws(SandboxError) {
    let comparisons = conditions.map(\.comparison)
    let result = comparisons.withUnsafeBufferPointer {
      seccomp_rule_add_array(context, action.code, number, UInt32($0.count), $0.baseAddress)
    }
    if result < 0 {
      throw SandboxError("seccomp", "call \(number)", "libseccomp refused the rule: \(Errno(rawValue: -result))")
    }
  }

  func compiled() throws(SandboxError) -> [UInt8] {
    do {
      let file = try FileDescriptor.memory(name: "serai-seccomp")
      let result = seccomp_export_bpf(context, file.number)
      if result < 0 { throw SystemError("seccomp_export_bpf", "", Errno(rawValue: -result)) }
      return try file.read(upTo: 1 << 20, at: 0)
    } catch {
      throw SandboxError("seccomp", "export", "\(error)")
    }
  }
}
