/// A function that templates can call.
public struct TemplateFunction: Sendable {
  /// Types of the fixed parameters.
  public let parameters: [ValueType]
  /// Type of each further argument, nil when there may be none.
  public let variadic: ValueType?
  /// The declared result: `.any` where it varies.
  public let result: ValueType
  let body: @Sendable (inout TemplateCall) throws -> TemplateValue

  /// A function.
  ///
  /// The engine checks number and types of the arguments before it calls `body`, with the language's messages. Throw
  /// `FunctionFailure` for an error that is the template's fault; any error ends the rendering and appears as
  /// `error calling NAME: …`.
  public init(
    _ parameters: [ValueType] = [],
    variadic: ValueType? = nil,
    result: ValueType = .any,
    _ body: @escaping @Sendable (inout TemplateCall) throws -> TemplateValue
  ) {
    self.parameters = parameters
    self.variadic = variadic
    self.result = result
    self.body = body
  }

  /// The Go type.
  var typeName: String {
    let fixed = parameters.map(\.description)
    let all = fixed + (variadic.map { ["...\($0)"] } ?? [])
    return "func(\(all.joined(separator: ", "))) \(result)"
  }
}

/// One call of a function: its arguments and what it may use of the rendering around it.
public struct TemplateCall {
  /// The name by which the template called it.
  public let name: ByteString
  /// The arguments, checked against the parameters, lazy values computed.
  public let arguments: [TemplateValue]
  /// The rendering: its budget, its host, its scratch space.
  public let rendering: Rendering
}

/// An error of a function; its text follows `error calling NAME: `.
public struct FunctionFailure: Error, CustomStringConvertible {
  /// What went wrong, to be read by the template's author.
  public let message: ByteString

  /// An error with a text.
  public init(_ message: some StringProtocol) { self.message = ByteString(message) }

  /// An error whose text quotes data that may not be UTF-8.
  public init(_ message: ByteString) { self.message = message }

  /// The text.
  public var description: String { message.description }
}
