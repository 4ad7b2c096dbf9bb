internal import Linux

/// The device rules of a cgroup v2 group: a program of the kernel's BPF machine (bpf(2), BPF_PROG_TYPE_CGROUP_DEVICE)
/// that says for each attempt to open or make a device whether it may be. Written as instructions: there are six kinds.
public struct DeviceProgram: Sendable, Equatable {
  /// One instruction of 8 bytes.
  struct Instruction: Sendable, Equatable {
    var code: UInt8
    var destination: UInt8 = 0
    var source: UInt8 = 0
    var offset: Int16 = 0
    var immediate: Int32 = 0

    /// r[destination] = the 32-bit word at r[source] + offset
    static func load(_ destination: UInt8, from source: UInt8, at offset: Int16) -> Instruction {
      Instruction(code: 0x61, destination: destination, source: source, offset: offset)
    }
    static func move(_ destination: UInt8, from source: UInt8) -> Instruction {
      Instruction(code: 0xbf, destination: destination, source: source)
    }
    static func set(_ destination: UInt8, _ value: Int32) -> Instruction {
      Instruction(code: 0xb7, destination: destination, immediate: value)
    }
    static func and(_ destination: UInt8, _ value: Int32) -> Instruction {
      Instruction(code: 0x57, destination: destination, immediate: value)
    }
    static func shiftRight(_ destination: UInt8, _ bits: Int32) -> Instruction {
      Instruction(code: 0x77, destination: destination, immediate: bits)
    }
    /// Skips `count` instructions when r[destination] is another value.
    static func skip(_ count: Int, unless destination: UInt8, is value: Int32) -> Instruction {
      Instruction(code: 0x55, destination: destination, offset: Int16(count), immediate: value)
    }
    static let exit = Instruction(code: 0x95)

    var bytes: [UInt8] {
      let jump = UInt16(bitPattern: offset)
      let value = UInt32(bitPattern: immediate)
      return [code, source << 4 | destination, UInt8(truncatingIfNeeded: jump), UInt8(truncatingIfNeeded: jump >> 8)]
        + (0..<4).map { UInt8(truncatingIfNeeded: value >> UInt32(8 * $0)) }
    }
  }

  let instructions: [Instruction]

  /// A program that allows what one of the rules allows, and nothing else. Making nodes is never allowed.
  public init(_ rules: [DeviceRule]) {
    // The context: access << 16 | type, major, minor; access is 1 for mknod, 2 for reading, 4 for writing; type is 1 for
    // block and 2 for character devices.
    var code: [Instruction] = [
      .load(2, from: 1, at: 0), .move(3, from: 2), .and(3, 0xffff), .shiftRight(2, 16), .load(4, from: 1, at: 4),
      .load(5, from: 1, at: 8),
    ]
    for rule in rules {
      let refused: Int32 = rule.isReadOnly ? 0x1 | 0x4 : 0x1
      // What follows the last comparison: the answer.
      var test: [Instruction] = [.set(0, 1), .exit]
      test = [.move(0, from: 2), .and(0, refused), .skip(test.count, unless: 0, is: 0)] + test
      if let minor = rule.minor { test = [.skip(test.count, unless: 5, is: Int32(bitPattern: minor))] + test }
      test = [.skip(test.count, unless: 4, is: Int32(bitPattern: rule.major))] + test
      test = [.skip(test.count, unless: 3, is: rule.isBlock ? 1 : 2)] + test
      code += test
    }
    instructions = code + [.set(0, 0), .exit]
  }

  /// The program's bytes, as bpf(2) takes them.
  public var bytes: [UInt8] { instructions.flatMap(\.bytes) }

  /// Loads it and attaches it to a group.
  func attach(to group: borrowing FileDescriptor) throws(SystemError) {
    try DeviceFilter.load(bytes).attach(to: group)
  }
}
