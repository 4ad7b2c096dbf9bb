/// The functions of the language, by the names that Nomad documents for jobspecs.
///
/// Left out: `rsadecrypt`, which needs a library for private keys.
public enum StandardFunctions {
  /// - Parameter host: clock, randomness and files for the functions that need them.
  public static func table(host: FunctionHost) -> [String: Function] {
    var table: [String: Function] = [
      "try": Function(.attempt),
      "can": Function(.can),
      "convert": Function(.convert),
    ]
    for part in [
      numeric, strings, patterns, collections, sets, formatting, encoding, digests, dates(host), identifiers(host),
      networks,
      fileSystem(host), passwords(host),
    ] {
      table.merge(part) { $1 }
    }
    return table
  }

  /// A function of one string that gives a string.
  static func text(
    _ name: String = "str", _ body: @escaping @Sendable (String, FunctionRoom) throws(FunctionFailure) -> String
  ) -> Function {
    Function([.init(name, .string)], result: .string) { arguments, room throws(FunctionFailure) in
      .string(try body(try arguments.string(0), room))
    }
  }

  /// The element type that all of `types` convert to, for functions that make one list of several.
  static func unified(_ types: [ValueType], _ what: String) throws(FunctionFailure) -> ValueType {
    guard let type = Unification.unify(types, unsafe: true), type != .dynamic || types.allSatisfy({ $0 == .dynamic })
    else {
      throw FunctionFailure("\(what) must be of types that convert to one")
    }
    return type
  }

  static func converted(_ value: Value, _ type: ValueType, _ argument: Int? = nil) throws(FunctionFailure) -> Value {
    do throws(Conversion.Failure) {
      return try Conversion.convert(value, to: type)
    } catch {
      throw FunctionFailure(error.description, argument: argument)
    }
  }
}

extension [Value] {
  /// Arguments arrive converted; these say what they are.
  func string(_ index: Int) throws(FunctionFailure) -> String {
    guard index < count, let string = self[index].asString else {
      throw FunctionFailure("a string is needed", argument: index)
    }
    return string
  }

  func number(_ index: Int) throws(FunctionFailure) -> Number {
    guard index < count, let number = self[index].asNumber else {
      throw FunctionFailure("a number is needed", argument: index)
    }
    return number
  }

  /// A whole number that fits.
  func int(_ index: Int) throws(FunctionFailure) -> Int {
    let value = try number(index)
    guard value.isInteger else { throw FunctionFailure("a whole number is needed", argument: index) }
    guard let int = value.asInt else { throw FunctionFailure("the number is too large", argument: index) }
    return int
  }

  func elements(_ index: Int) throws(FunctionFailure) -> [Value] {
    guard index < count, let elements = self[index].asSequence else {
      throw FunctionFailure(
        "a list is needed, not \(index < count ? self[index].type.friendlyName : "nothing")", argument: index)
    }
    return elements
  }

  /// Elements that are strings, none of them null.
  func strings(_ index: Int) throws(FunctionFailure) -> [String] {
    var out: [String] = []
    for (i, element) in try elements(index).enumerated() {
      guard let text = element.asString else { throw FunctionFailure("element \(i) is null", argument: index) }
      out.append(text)
    }
    return out
  }
}
