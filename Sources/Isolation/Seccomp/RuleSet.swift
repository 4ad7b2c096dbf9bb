internal import CSeccomp
internal import Linux

/// A libseccomp context; released with its owner.
final class RuleSet {
  enum Action {
    case allow
    case error(UInt32)
    case killProcess
    case killThread
    case trap
    case log

    var code: UInt32 {
      switch self {
      case .allow: 0x7fff_0000  // SCMP_ACT_ALLOW
      case .error(let errno): 0x0005_0000 | errno & 0xffff  // SCMP_ACT_ERRNO
      case .killProcess: 0x8000_0000  // SCMP_ACT_KILL_PROCESS
      case .killThread: 0  // SCMP_ACT_KILL_THREAD
      case .trap: 0x0003_0000  // SCMP_ACT_TRAP
      case .log: 0x7ffc_0000  // SCMP_ACT_LOG
      }
    }
  }
  enum Condition {
    case equal(UInt32, UInt64)
    case notEqual(UInt32, UInt64)
    case above(UInt32, UInt64)
    case atLeast(UInt32, UInt64)
    case below(UInt32, UInt64)
    case atMost(UInt32, UInt64)
    case masked(UInt32, mask: UInt64, equals: UInt64)

    var comparison: scmp_arg_cmp {
      switch self {
      case .equal(let argument, let value):
        scmp_arg_cmp(arg: argument, op: SCMP_CMP_EQ, datum_a: value, datum_b: 0)
      case .notEqual(let argument, let value):
        scmp_arg_cmp(arg: argument, op: SCMP_CMP_NE, datum_a: value, datum_b: 0)
      case .above(let argument, let value):
        scmp_arg_cmp(arg: argument, op: SCMP_CMP_GT, datum_a: value, datum_b: 0)
      case .atLeast(let argument, let value):
        scmp_arg_cmp(arg: argument, op: SCMP_CMP_GE, datum_a: value, datum_b: 0)
      case .below(let argument, let value):
        scmp_arg_cmp(arg: argument, op: SCMP_CMP_LT, datum_a: value, datum_b: 0)
      case .atMost(let argument, let value):
        scmp_arg_cmp(arg: argument, op: SCMP_CMP_LE, datum_a: value, datum_b: 0)
      case .masked(let argument, let mask, let value):
        scmp_arg_cmp(arg: argument, op: SCMP_CMP_MASKED_EQ, datum_a: mask, datum_b: value)
      }
    }
  }

  /// Whose calls the rules are for.
  enum ABI {
    /// This processor's own; all others are killed.
    case own
    /// This processor's own; all others pass, for other programs to judge.
    case ownBesideForeign
    /// 32-bit programs' (ia32) alone; all others pass.
    case foreign
  }

  private let context: scmp_filter_ctx
  private let abi: ABI

  init(otherwise: Action, abi: ABI = .own) throws(SandboxError) {
    guard let context = seccomp_init(otherwise.code) else {
      throw SandboxError("seccomp", "init", "libseccomp refused: out of memory?")
    }
    self.context = context
    self.abi = abi
    let others: Action = abi == .own ? .killProcess : .allow
    _ = seccomp_attr_set(context, SCMP_FLTATR_ACT_BADARCH, others.code)
    // A balanced tree instead of 300 comparisons in a row.
    _ = seccomp_attr_set(context, SCMP_FLTATR_CTL_OPTIMIZE, 2)
    if abi != .foreign { return }
    #if arch(x86_64)
      var result = seccomp_arch_add(context, Self.ia32)
      if result == 0 { result = seccomp_arch_remove(context, 0xc000_003e) }  // SCMP_ARCH_X86_64
      if result < 0 {
        throw SandboxError("seccomp", "architecture", "libseccomp refused: \(Errno(rawValue: -result))")
      }
    #else
      throw SandboxError("seccomp", "architecture", "this processor runs no 32-bit programs")
    #endif
  }

  private static let ia32: UInt32 = 0x4000_0003  // SCMP_ARCH_X86

  deinit { seccomp_release(context) }

  /// The other ABIs that this processor runs (ia32 and x32 on x86-64): then their calls are filtered, not killed.
  func addForeignABIs() throws(SandboxError) {
    #if arch(x86_64)
      for architecture in [0x4000_0003, 0x4000_003e] as [UInt32] {  // SCMP_ARCH_X86, SCMP_ARCH_X32
        let result = seccomp_arch_add(context, architecture)
        if result < 0 {
          throw SandboxError("seccomp", "architecture", "libseccomp refused: \(Errno(rawValue: -result))")
        }
      }
    #endif
  }

  /// Whether libseccomp or this project's list of newer calls knows the name.
  static func number(of name: String) -> Int32? {
    if let newer = SystemCalls.newerAllowed.first(where: { $0.name == name }) { return newer.number }
    let number = seccomp_syscall_resolve_name(name)
    return number == -1 ? nil : number  // __NR_SCMP_ERROR; other negative numbers: not on this processor
  }

  /// A name that this libseccomp does not know, or this processor does not have, is skipped.
  func add(_ action: Action, _ name: String, _ conditions: [Condition] = []) throws(SandboxError) {
    let number = seccomp_syscall_resolve_name(name)
    // Negative numbers but one are libseccomp's own, for calls that only other processors have.
    if number == -1 || (number < 0 && abi != .foreign) { return }
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
