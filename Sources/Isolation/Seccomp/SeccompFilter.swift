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
    if !allowsForeignABI { return SeccompFilter(programs: [try refusals(.own), try allowList(.own)]) }
    // Programs that judge one ABI each and let the other pass, and one that kills for every ABI that none of them judges.
    return SeccompFilter(
      programs: [
        ForeignCalls.guardProgram, try refusals(.ownBesideForeign), try allowList(.ownBesideForeign),
        try refusals(.foreign), try allowList(.foreign),
      ])
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

  private static func allowList(_ abi: RuleSet.ABI) throws(SandboxError) -> [UInt8] {
    let rules = try RuleSet(otherwise: .error(38), abi: abi)  // ENOSYS
    for name in SystemCalls.allowed { try rules.add(.allow, name) }
    for name in SystemCalls.refused { try rules.add(.error(1), name) }  // EPERM
    // clone without namespaces; clone3 passes its flags in memory, which a filter cannot read: ENOSYS, and the C
    // library uses clone instead.
    try rules.add(.allow, "clone", [.masked(0, mask: SystemCalls.namespaceFlags, equals: 0)])
    for persona in [0, 0x0008, 0x20000, 0x20008, 0xffff_ffff] as [UInt64] {
      try rules.add(.allow, "personality", [.equal(0, persona)])
    }
    if abi == .foreign {
      for name in SystemCalls.allowedIn32Bit { try rules.add(.allow, name) }
      // libseccomp cannot tell domains apart where sockets come out of socketcall(2): the guard program does.
      try rules.add(.allow, "socket")
      return try rules.compiled()
    }
    for call in SystemCalls.newerAllowed { try rules.add(.allow, number: call.number) }
    // The domains a program can expect; netlink only for routes and addresses.
    for domain in [1, 2, 10] as [UInt64] { try rules.add(.allow, "socket", [.equal(0, domain)]) }
    try rules.add(.allow, "socket", [.equal(0, 16), .equal(2, 0)])
    try rules.add(.error(1), "socket", [.equal(0, 16), .above(2, 0)])
    for domain in [0, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14, 15] as [UInt64] {
      try rules.add(.error(97), "socket", [.equal(0, domain)])  // EAFNOSUPPORT
    }
    try rules.add(.error(97), "socket", [.above(0, 16)])
    return try rules.compiled()
  }

  private static func refusals(_ abi: RuleSet.ABI) throws(SandboxError) -> [UInt8] {
    let rules = try RuleSet(otherwise: .allow, abi: abi)
    // TIOCSTI types into somebody's terminal, TIOCLINUX pastes; the kernel looks at the low 32 bits only.
    for request in [0x5412, 0x541c] as [UInt64] {
      try rules.add(.error(1), "ioctl", [.masked(1, mask: 0xffff_ffff, equals: request)])
    }
    return try rules.compiled()
  }
}

/// What 32-bit programs may do that libseccomp's rules cannot say, as instructions of the kernel's classic BPF.
enum ForeignCalls {
  private struct Instruction {
    var code: UInt16
    var ifTrue: UInt8 = 0
    var ifFalse: UInt8 = 0
    var value: UInt32

    static func load(_ offset: UInt32) -> Instruction { Instruction(code: 0x20, value: offset) }
    static func answer(_ value: UInt32) -> Instruction { Instruction(code: 0x06, value: value) }
    /// Skips the next instruction unless equal, or unless above or equal.
    static func next(ifEqual value: UInt32) -> Instruction { Instruction(code: 0x15, ifFalse: 1, value: value) }
    static func next(ifAtLeast value: UInt32) -> Instruction { Instruction(code: 0x35, ifFalse: 1, value: value) }
    static func skip(_ count: UInt8, ifEqual value: UInt32) -> Instruction {
      Instruction(code: 0x15, ifTrue: count, value: value)
    }
    static func skip(_ count: UInt8, ifNotEqual value: UInt32) -> Instruction {
      Instruction(code: 0x15, ifFalse: count, value: value)
    }

    var bytes: [UInt8] {
      [UInt8(truncatingIfNeeded: code), UInt8(truncatingIfNeeded: code >> 8), ifTrue, ifFalse]
        + (0..<4).map { UInt8(truncatingIfNeeded: value >> UInt32(8 * $0)) }
    }
  }

  private static let allow: UInt32 = 0x7fff_0000
  private static let kill: UInt32 = 0x8000_0000
  private static let noFamily: UInt32 = 0x0005_0000 | 97  // EAFNOSUPPORT
  private static let refuse: UInt32 = 0x0005_0000 | 1  // EPERM

  /// Kills for x32 and for every ABI but x86-64 and ia32; gives ia32's sockets the domains that all tasks have. What
  /// socketcall(2) is to make cannot be seen, because it lies in memory: no socket comes out of it. C libraries have used
  /// socket(2) since Linux 4.3.
  static var guardProgram: [UInt8] {
    // struct seccomp_data: number, architecture, instruction pointer, six arguments.
    let number: UInt32 = 0
    let architecture: UInt32 = 4
    func argument(_ index: UInt32) -> UInt32 { 16 + 8 * index }
    let program: [Instruction] = [
      .load(architecture),
      .skip(3, ifNotEqual: 0xc000_003e),  // AUDIT_ARCH_X86_64
      .load(number), .next(ifAtLeast: 0x4000_0000), .answer(kill),
      // Lands here from above only when it is x86-64 and not x32, or when it is another architecture.
      .load(architecture), .next(ifEqual: 0xc000_003e), .answer(allow),
      .skip(1, ifEqual: 0x4000_0003), .answer(kill),  // AUDIT_ARCH_I386
      .load(number), .skip(3, ifNotEqual: 102),  // socketcall
      .load(argument(0)), .next(ifEqual: 1), .answer(noFamily),  // SYS_SOCKET
      .load(number), .skip(1, ifEqual: 359), .answer(allow),  // socket
      .load(argument(0)), .next(ifEqual: 1), .answer(allow), .next(ifEqual: 2), .answer(allow), .next(ifEqual: 10),
      .answer(allow), .skip(1, ifEqual: 16), .answer(noFamily),
      .load(argument(2)), .next(ifEqual: 0), .answer(allow), .answer(refuse),
    ]
    return program.flatMap(\.bytes)
  }
}
