/// Ready-made sets of functions for `Template.functions`.
public enum FunctionSets {}

/// Collects functions under their names.
struct FunctionTable {
  private(set) var functions: [ByteString: TemplateFunction] = [:]
  /// Put before each name.
  let prefix: ByteString

  init(prefix: ByteString = "") {
    self.prefix = prefix
  }

  mutating func add(
    _ name: ByteString, _ parameters: [ValueType] = [], variadic: ValueType? = nil, result: ValueType = .any,
    _ body: @escaping @Sendable (inout TemplateCall) throws -> TemplateValue
  ) {
    functions[prefix + name] = TemplateFunction(parameters, variadic: variadic, result: result, body)
  }

  /// A function from strings to a string.
  mutating func text(
    _ name: ByteString, _ count: Int = 1, _ body: @escaping @Sendable ([[UInt8]]) throws -> [UInt8]
  ) {
    add(name, Array(repeating: .string, count: count), result: .string) { call in
      .string(ByteString(bytes: try body((0..<count).map { call.text($0) })))
    }
  }

  /// A second name for a function.
  mutating func alias(_ name: ByteString, of original: ByteString) {
    functions[prefix + name] = functions[prefix + original]
  }

  /// Two names for a list function: the plain one panics in its origin, the `must` one returns its error. Here both fail.
  mutating func both(
    _ name: ByteString, must: ByteString, _ parameters: [ValueType], variadic: ValueType? = nil,
    result: ValueType = .any, _ body: @escaping @Sendable (inout TemplateCall) throws -> TemplateValue
  ) {
    add(name, parameters, variadic: variadic, result: result, body)
    add(must, parameters, variadic: variadic, result: result, body)
  }
}

extension TemplateCall {
  /// The argument, nil when there are fewer.
  func value(_ index: Int) -> TemplateValue { index < arguments.count ? arguments[index] : .nil }

  /// A string argument; empty for what the engine would not have let through.
  func text(_ index: Int) -> [UInt8] {
    if case .string(let text) = value(index) { text.bytes } else { [] }
  }

  /// An `int` argument.
  func int(_ index: Int) -> Int {
    if case .int(let int) = value(index) { int } else { 0 }
  }

  /// A map argument.
  func map(_ index: Int) -> TemplateMap {
    if case .map(let map) = value(index) { map } else { TemplateMap() }
  }

  /// `%v` of a value.
  func printed(_ value: TemplateValue) throws -> [UInt8] {
    try Formatter.format(Array("%v".utf8), [value], rendering.limits)
  }

  /// The text of a value: strings and bytes as they are, others printed.
  func textValue(_ value: TemplateValue) throws -> [UInt8] {
    switch value {
    case .string(let text): return text.bytes
    case .bytes(let bytes): return bytes
    default: return try printed(value)
    }
  }
}
