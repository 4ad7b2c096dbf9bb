/// Compiled system call filters. Each is built once and reused for every task.
public enum SeccompFilter {
  /// The BPF program of a policy, 8 bytes an instruction; nil: no filter.
  public static func program(for policy: SeccompPolicy) -> [UInt8]? {
    switch policy {
    case .unconfined: nil
    case .standard: nil
    }
  }
}
