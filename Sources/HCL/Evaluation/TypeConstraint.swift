/// Type constraints as `variable` blocks have them: `list(object({ name = string, port = optional(number) }))`.
public enum TypeConstraint {
  /// The type that an expression describes. Nil result when it describes none.
  public static func parse(_ expression: Expression) -> Parsed<ValueType?> {
    do throws(Diagnostic) {
      return Parsed(result: try type(expression), diagnostics: [])
    } catch {
      return Parsed(result: nil, diagnostics: [error])
    }
  }

  private static let primitives: [String: ValueType] = [
    "string": .string, "number": .number, "bool": .bool, "any": .dynamic,
  ]
  private static let constructors = ["list", "set", "map", "object", "tuple"]

  private static func type(_ expression: Expression) throws(Diagnostic) -> ValueType {
    if case .parenthesized = expression.kind { throw invalid(expression) }
    if let word = expression.keyword {
      if let primitive = primitives[word] { return primitive }
      if constructors.contains(word) {
        throw Diagnostic(
          .error, "Invalid type specification",
          "The type constructor \"\(word)\" needs an argument: \(word)(…).", subject: expression.range)
      }
      throw Diagnostic(
        .error, "Invalid type specification",
        "\"\(word)\" is no type." + Suggestion.sentence(for: word, among: primitives.keys + constructors),
        subject: expression.range)
    }
    guard case .call(let call) = expression.kind else { throw invalid(expression) }
    if let primitive = primitives[call.name] {
      throw Diagnostic(
        .error, "Invalid type specification",
        "The type \"\(primitive == .dynamic ? "any" : call.name)\" takes no arguments.",
        subject: call.argumentsRange, context: expression.range)
    }
    guard constructors.contains(call.name) else {
      throw Diagnostic(
        .error, "Invalid type specification",
        "\"\(call.name)\" is no type constructor." + Suggestion.sentence(for: call.name, among: constructors),
        subject: call.nameRange)
    }
    guard call.arguments.count == 1, !call.expandsLast else {
      throw Diagnostic(
        .error, "Invalid type specification", "The type constructor \"\(call.name)\" takes exactly one argument.",
        subject: call.argumentsRange, context: expression.range)
    }
    let argument = call.arguments[0]
    switch call.name {
    case "list": return .list(try type(argument))
    case "set": return .set(try type(argument))
    case "map": return .map(try type(argument))
    case "tuple":
      guard case .tuple(let elements) = argument.kind else {
        throw Diagnostic(
          .error, "Invalid type specification", "A tuple's argument is a list of types: tuple([string, number]).",
          subject: argument.range)
      }
      var types: [ValueType] = []
      for element in elements { types.append(try type(element)) }
      return .tuple(types)
    default:
      guard case .object(let items) = argument.kind else {
        throw Diagnostic(
          .error, "Invalid type specification", "An object's argument maps names to types: object({ name = string }).",
          subject: argument.range)
      }
      var types: [String: ValueType] = [:]
      var optional = Set<String>()
      for item in items {
        guard let name = item.bareName else {
          throw Diagnostic(
            .error, "Invalid type specification", "The name of an attribute must be a fixed word.",
            subject: item.key.range)
        }
        if case .call(let marker) = item.value.kind, marker.name == "optional", marker.arguments.count == 1 {
          optional.insert(name)
          types[name] = try type(marker.arguments[0])
        } else {
          types[name] = try type(item.value)
        }
      }
      return .object(types, optional: optional)
    }
  }

  private static func invalid(_ expression: Expression) -> Diagnostic {
    Diagnostic(
      .error, "Invalid type specification",
      "A type is needed here: string, number, bool, any, list(…), set(…), map(…), object({…}), tuple([…]).",
      subject: expression.range)
  }
}
