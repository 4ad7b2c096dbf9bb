/// The type of a value as the language knows it: decides which arguments a function takes, and appears by its Go name
/// in error messages, `%T` and `%#v`.
public indirect enum ValueType: Hashable, Sendable {
  /// `interface {}`: any value, or nil.
  case any
  /// Whatever was evaluated, an absent value included: what the comparison and indexing built-ins take.
  case operand
  case bool
  /// A 64-bit signed integer, the type of integer constants.
  case int
  /// An integer of another width or signedness.
  case sized(SizedInteger.Kind)
  /// `float64`.
  case float
  /// `complex128`.
  case complex
  case string
  /// A list of elements of one type; `.list(.any)` holds anything.
  case list(ValueType)
  /// A map from strings to elements of one type.
  case map(ValueType)
  /// A callable value; the text is its Go type.
  case function(String)
  /// A host's object, by the name of its type.
  case object(String)

  /// `[]uint8`, the type of `TemplateValue.bytes`.
  public static let bytes = ValueType.list(.sized(.uint8))

  /// Whether nil is a value of this type.
  var canBeNil: Bool {
    switch self {
    case .any, .operand, .list, .map, .function: true
    case .object(let name): name.hasPrefix("*")
    default: false
    }
  }
}

extension ValueType: CustomStringConvertible {
  /// The Go name.
  public var description: String {
    switch self {
    case .any: "interface {}"
    case .operand: "reflect.Value"
    case .bool: "bool"
    case .int: "int"
    case .sized(let kind): kind.rawValue
    case .float: "float64"
    case .complex: "complex128"
    case .string: "string"
    case .list(let element): "[]\(element)"
    case .map(let element): "map[string]\(element)"
    case .function(let name): name
    case .object(let name): name
    }
  }
}

/// An integer that is not the language's plain `int`.
public struct SizedInteger: Hashable, Sendable {
  /// Width and signedness.
  public enum Kind: String, Hashable, Sendable {
    case int8, int16, int32, int64, uint, uint8, uint16, uint32, uint64, uintptr

    /// Whether negative values exist.
    public var isSigned: Bool {
      switch self {
      case .int8, .int16, .int32, .int64: true
      default: false
      }
    }
  }

  /// Width and signedness.
  public let kind: Kind
  /// The value, sign-extended to 64 bits where the kind is signed.
  public let bits: UInt64

  /// A value given by its 64-bit pattern, which must lie in the kind's range.
  public init(_ kind: Kind, bits: UInt64) {
    self.kind = kind
    self.bits = bits
  }

  /// The value of a signed kind.
  public var signed: Int64 { Int64(bitPattern: bits) }
}
