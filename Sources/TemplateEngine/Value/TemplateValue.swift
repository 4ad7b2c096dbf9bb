/// A value that templates compute with.
///
/// Data handed to a template are usually maps and lists decoded from JSON (`TemplateValue(json:)`); hosts that have
/// something richer pass an `object` with fields and methods, a `function`, or a `lazy` value that is computed when a
/// template first looks at it.
public enum TemplateValue: Sendable {
  /// The absent value.
  case `nil`
  case bool(Bool)
  case int(Int)
  /// An integer of another width or signedness than `int`.
  case sized(SizedInteger)
  case float(Double)
  /// A complex number; only constants like `2i` make one.
  case complex(real: Double, imaginary: Double)
  case string(ByteString)
  /// A list of bytes: prints as numbers, unlike a string.
  case bytes([UInt8])
  case list(TemplateList)
  case map(TemplateMap)
  case function(TemplateFunction)
  case object(any TemplateObject)
  case lazy(LazyValue)

  /// A string.
  public static func text(_ text: some StringProtocol) -> TemplateValue { .string(ByteString(text)) }

  /// A list of anything.
  public static func list(_ elements: [TemplateValue]) -> TemplateValue { .list(TemplateList(elements)) }

  /// A list of strings.
  public static func strings(_ elements: some Sequence<ByteString>) -> TemplateValue {
    .list(TemplateList(elements.map { .string($0) }, of: .string))
  }

  /// A map to anything.
  public static func map(_ entries: [ByteString: TemplateValue]) -> TemplateValue { .map(TemplateMap(entries)) }

  /// A 64-bit signed integer that is not `int`.
  public static func int64(_ value: Int64) -> TemplateValue {
    .sized(SizedInteger(.int64, bits: UInt64(bitPattern: value)))
  }

  /// A 64-bit unsigned integer.
  public static func uint64(_ value: UInt64) -> TemplateValue { .sized(SizedInteger(.uint64, bits: value)) }

  /// The value's type; nil, having none, reports `.any`.
  public var type: ValueType {
    switch self {
    case .nil: .any
    case .bool: .bool
    case .int: .int
    case .sized(let value): .sized(value.kind)
    case .float: .float
    case .complex: .complex
    case .string: .string
    case .bytes: .bytes
    case .list(let list): .list(list.elementType)
    case .map(let map): .map(map.elementType)
    case .function(let function): .function(function.typeName)
    case .object(let object): .object(object.typeName)
    case .lazy: .any
    }
  }

  /// Whether this is the absent value.
  public var isNil: Bool {
    if case .nil = self { true } else { false }
  }

  /// Truth as `if` sees it: false, zero, nil and whatever is empty are false.
  public var isTrue: Bool {
    switch self {
    case .nil: false
    case .bool(let value): value
    case .int(let value): value != 0
    case .sized(let value): value.bits != 0
    case .float(let value): value != 0
    case .complex(let real, let imaginary): real != 0 || imaginary != 0
    case .string(let value): !value.isEmpty
    case .bytes(let value): !value.isEmpty
    case .list(let list): list.count > 0
    case .map(let map): map.count > 0
    case .function, .object, .lazy: true
    }
  }

  /// The value itself, a lazy one computed. Throws what the computation throws.
  public func resolved() throws -> TemplateValue {
    var value = self
    while case .lazy(let lazy) = value { value = try lazy.value() }
    return value
  }

  /// The zero value of a type: what a map with typed elements yields for a missing key.
  static func zero(of type: ValueType) -> TemplateValue {
    switch type {
    case .any, .operand, .function, .object: .nil
    case .bool: .bool(false)
    case .int: .int(0)
    case .sized(let kind): .sized(SizedInteger(kind, bits: 0))
    case .float: .float(0)
    case .complex: .complex(real: 0, imaginary: 0)
    case .string: .string(ByteString())
    case .list(.sized(.uint8)): .bytes([])
    case .list(let element): .list(TemplateList([], of: element))
    case .map(let element): .map(TemplateMap([:], of: element))
    }
  }
}

extension TemplateValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
  ExpressibleByFloatLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral, ExpressibleByNilLiteral
{
  /// A string.
  public init(stringLiteral value: String) { self = .text(value) }
  /// An `int`.
  public init(integerLiteral value: Int) { self = .int(value) }
  /// A Boolean.
  public init(booleanLiteral value: Bool) { self = .bool(value) }
  /// A float.
  public init(floatLiteral value: Double) { self = .float(value) }
  /// A list of anything.
  public init(arrayLiteral elements: TemplateValue...) { self = .list(elements) }
  /// A map to anything; of a repeated key the last value counts.
  public init(dictionaryLiteral elements: (ByteString, TemplateValue)...) {
    self = .map(Dictionary(elements, uniquingKeysWith: { _, last in last }))
  }
  /// Nil.
  public init(nilLiteral: ()) { self = .nil }
}
