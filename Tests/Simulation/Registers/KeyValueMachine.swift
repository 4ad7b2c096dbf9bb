/// An operation on one register.
enum Operation: Hashable, Sendable {
  case read
  case write(UInt64)
  case swap(expected: UInt64, new: UInt64)
  /// Not idempotent: done twice it shows.
  case add(UInt64)
}

/// What an operation found: the value after it; for `swap` whether it happened.
enum Outcome: Hashable, Sendable {
  case value(UInt64)
  case swapped(Bool)
}

extension Operation {
  /// The register model that both the machine and the checker use.
  func apply(to value: inout UInt64) -> Outcome {
    switch self {
    case .read: return .value(value)
    case .write(let new):
      value = new
      return .value(new)
    case .add(let amount):
      value &+= amount
      return .value(value)
    case .swap(let expected, let new):
      guard value == expected else { return .swapped(false) }
      value = new
      return .swapped(true)
    }
  }

  func encoded(key: Int) -> [UInt8] {
    var bytes: [UInt8] = [UInt8(key)]
    switch self {
    case .read: bytes.append(0)
    case .write(let value): bytes += [1] + octets(value)
    case .swap(let expected, let new): bytes += [2] + octets(expected) + octets(new)
    case .add(let value): bytes += [3] + octets(value)
    }
    return bytes
  }

  static func decode(_ bytes: [UInt8]) -> (key: Int, operation: Operation)? {
    guard bytes.count >= 2, Int(bytes[0]) < KeyValueMachine.keys else { return nil }
    switch (bytes[1], bytes.count) {
    case (0, 2): return (Int(bytes[0]), .read)
    case (1, 10): return (Int(bytes[0]), .write(number(bytes, 2)))
    case (2, 18): return (Int(bytes[0]), .swap(expected: number(bytes, 2), new: number(bytes, 10)))
    case (3, 10): return (Int(bytes[0]), .add(number(bytes, 2)))
    default: return nil
    }
  }
}

/// The replicated state: a few registers, and a hash over everything that was ever applied.
struct KeyValueMachine {
  static let keys = 6

  var values = [UInt64](repeating: 0, count: keys)
  var hash: UInt64 = 0
  var applied: UInt64 = 0

  var encoded: [UInt8] { values.flatMap(octets) + octets(hash) + octets(applied) }

  init() {}

  init?(decoding bytes: [UInt8]) {
    guard bytes.count == (Self.keys + 2) * 8 else { return nil }
    values = (0..<Self.keys).map { number(bytes, $0 * 8) }
    hash = number(bytes, Self.keys * 8)
    applied = number(bytes, Self.keys * 8 + 8)
  }
}

func octets(_ value: UInt64) -> [UInt8] { (0..<8).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) } }

func number(_ bytes: [UInt8], _ offset: Int) -> UInt64 {
  (0..<8).reduce(0) { $0 | UInt64(bytes[offset + $1]) << ($1 * 8) }
}
