/// A function that expressions can call.
public struct Function: Sendable {
  /// What a function takes at one place.
  public struct Parameter: Sendable {
    /// Its name, for messages.
    public var name: String
    /// Arguments are converted to this; `dynamic` takes any.
    public var type: ValueType
    /// Otherwise a call with a null argument is an error without the function being asked.
    public var allowsNull: Bool
    /// Otherwise a call with an unknown argument gives an unknown result without the function being asked.
    public var allowsUnknown: Bool

    /// A parameter that takes neither null nor unknown arguments unless said so.
    public init(_ name: String, _ type: ValueType, null: Bool = false, unknown: Bool = false) {
      self.name = name
      self.type = type
      allowsNull = null
      allowsUnknown = unknown
    }
  }

  /// The function itself: arguments already converted, and how large the result may get.
  public typealias Body = @Sendable ([Value], FunctionRoom) throws(FunctionFailure) -> Value

  struct Signature: Sendable {
    var parameters: [Parameter]
    var variadic: Parameter?
    /// What unknown results are of.
    var result: ValueType
    var body: Body
  }

  enum Implementation: Sendable {
    case ordinary(Signature)
    /// `try`: the first argument that evaluates without errors.
    case attempt
    /// `can`: whether the argument evaluates without errors.
    case can
    /// `convert`: its second argument is a type, not a value.
    case convert
  }

  let implementation: Implementation

  /// - Parameters:
  ///   - parameters: the arguments that must be given, in order.
  ///   - variadic: any number of further arguments.
  ///   - result: the type of results, `dynamic` when it depends on the arguments.
  ///   - body: gets arguments that are converted, known unless allowed otherwise, and not null unless allowed.
  public init(_ parameters: [Parameter], variadic: Parameter? = nil, result: ValueType = .dynamic, body: @escaping Body)
  {
    implementation = .ordinary(Signature(parameters: parameters, variadic: variadic, result: result, body: body))
  }

  init(_ implementation: Implementation) {
    self.implementation = implementation
  }
}

/// Why a function can't answer.
public struct FunctionFailure: Error, Sendable {
  /// Without a full stop at the end; the function's name is put before it.
  public var message: String
  /// The argument at fault, from 0.
  public var argument: Int?

  /// A failure because of `argument`, or of no single one.
  public init(_ message: String, argument: Int? = nil) {
    self.message = message
    self.argument = argument
  }
}

/// How large the result of a function may get. Functions whose result can be much larger than their arguments ask before they
/// build it.
public struct FunctionRoom: Sendable {
  let weight: Int

  init(_ weight: Int) {
    self.weight = weight
  }

  func check(elements: Int) throws(FunctionFailure) {
    if elements > weight {
      throw FunctionFailure("the result would have \(elements) elements, more than the \(weight) that a value may")
    }
  }

  func check(bytes: Int) throws(FunctionFailure) {
    if bytes / 16 > weight {
      throw FunctionFailure("the result would have \(bytes) bytes, more than the \(weight * 16) that a value may")
    }
  }
}
