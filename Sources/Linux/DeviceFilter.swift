internal import CLinux

/// A loaded BPF program that decides about devices (bpf(2), BPF_PROG_TYPE_CGROUP_DEVICE).
public struct DeviceFilter: ~Copyable, Sendable {
  private let program: FileDescriptor

  /// BPF_PROG_LOAD of 8-byte instructions. Needs CAP_BPF or CAP_SYS_ADMIN.
  public static func load(_ instructions: [UInt8]) throws(SystemError) -> DeviceFilter {
    let result = instructions.withUnsafeBytes { bytes in
      bytes.baseAddress.map { serai_bpf_load_device($0, UInt32(bytes.count / 8)) } ?? -22
    }
    return DeviceFilter(
      program: FileDescriptor(
        adopting: try check(
          result, "bpf BPF_PROG_LOAD", "device rules", advice: "the kernel needs CONFIG_CGROUP_BPF")))
  }

  private init(program: consuming FileDescriptor) { self.program = program }

  /// BPF_PROG_ATTACH to a cgroup v2 directory; several may be attached, and all must agree. Stays when this value goes.
  public borrowing func attach(to group: borrowing FileDescriptor) throws(SystemError) {
    try check(serai_bpf_attach_device(group.number, program.number, -1), "bpf BPF_PROG_ATTACH", "device rules")
  }
}
