/// Compiled system call filters (seccomp(2)). They are compiled by libseccomp once, in the supervisor, before the first
/// task: the child only installs bytes.
public struct SeccompFilter: Sendable {
  /// BPF programs, 8 bytes an instruction; all are installed, and the strictest answer counts.
  public let programs: [[UInt8]]

  /// The standard filter. What is on no list (unknown here, or newer than the lists) is ENOSYS, so that programs fall
  /// back; what is known and refused is EPERM; calls of a foreign ABI (ia32, x32) kill the process.
  ///
  /// - Throws: SandboxError when libseccomp refuses a rule.
  /// - Parameter allowsForeignABI: whether programs of the processor's other ABIs are filtered alike instead.
  public static func standard(allowsForeignABI: Bool = false) throws(SandboxError) -> SeccompFilter {
    // Two programs: a rule without conditions would swallow the conditional ones of the same call.
    SeccompFilter(programs: [try refusals(allowsForeignABI), try allowList(allowsForeignABI)])
  }

  /// The filter of a policy; nil for none.
  ///
  /// - Parameter capabilities: the task's, as a mask; some rules of some profiles depend on them.
  public static func compile(_ policy: SeccompPolicy, allowsForeignABI: Bool, capabilities: UInt64) throws(SandboxError)
    -> SeccompFilter?
  {
    switch policy {
    case .unconfined: nil
    case .standard: try standard(allowsForeignABI: allowsForeignABI)
    case .profile(let text):
      try SeccompProfile(json: text).compiled(allowsForeignABI: allowsForeignABI, capabilities: capabilities)
    }
  }

  private static func allowList(_ allowsForeignABI: Bool) throws(SandboxError) -> [UInt8] {
    let rules = try RuleSet(otherwise: .error(38))  // ENOSYS
    if allowsForeignABI { try rules.addForeignABIs() }
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

  private static func refusals(_ allowsForeignABI: Bool) throws(SandboxError) -> [UInt8] {
    let rules = try RuleSet(otherwise: .allow)
    if allowsForeignABI { try rules.addForeignABIs() }
    // TIOCSTI types into somebody's terminal, TIOCLINUX pastes; the kernel looks at the low 32 bits only.
    for request in [0x5412, 0x541c] as [UInt64] {
      try rules.add(.error(1), "ioctl", [.masked(1, mask: 0xffff_ffff, equals: request)])
    }
    return try rules.compiled()
  }
}
