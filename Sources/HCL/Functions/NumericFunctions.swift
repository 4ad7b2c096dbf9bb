import Glibc

extension StandardFunctions {
  static let numeric: [String: Function] = [
    "abs": Function([.init("num", .number)], result: .number) { a, _ throws(FunctionFailure) in
      .number(try a.number(0).magnitude)
    },
    "ceil": Function([.init("num", .number)], result: .number) { a, _ throws(FunctionFailure) in
      .number(try a.number(0).ceiling)
    },
    "floor": Function([.init("num", .number)], result: .number) { a, _ throws(FunctionFailure) in
      .number(try a.number(0).floor)
    },
    "log": Function([.init("num", .number), .init("base", .number)], result: .number) { a, _ throws(FunctionFailure) in
      try double(Glibc.log(try a.number(0).asDouble) / Glibc.log(try a.number(1).asDouble))
    },
    "pow": Function([.init("num", .number), .init("power", .number)], result: .number) { a, _ throws(FunctionFailure) in
      try double(Glibc.pow(try a.number(0).asDouble, try a.number(1).asDouble))
    },
    "max": Function([], variadic: .init("numbers", .number), result: .number) { a, _ throws(FunctionFailure) in
      try extreme(a) { $0 < $1 }
    },
    "min": Function([], variadic: .init("numbers", .number), result: .number) { a, _ throws(FunctionFailure) in
      try extreme(a) { $1 < $0 }
    },
    "signum": Function([.init("num", .number)], result: .number) { a, _ throws(FunctionFailure) in
      // Whole numbers only, as users of the language know it.
      .number(try a.int(0).signum())
    },
    "parseint": Function([.init("number", .dynamic), .init("base", .number)], result: .number) {
      a, _ throws(FunctionFailure) in
      guard let text = a[0].asString else {
        throw FunctionFailure("a string is needed, not \(a[0].type.friendlyName)", argument: 0)
      }
      let base = try a.int(1)
      guard (2...62).contains(base) else { throw FunctionFailure("the base must be from 2 to 62", argument: 1) }
      guard let number = base <= 36 ? Number(integer: text, base: base) : wide(text, base) else {
        throw FunctionFailure("\"\(text)\" is no whole number in base \(base)", argument: 0)
      }
      return .number(number)
    },
  ]

  private static func double(_ value: Double) throws(FunctionFailure) -> Value {
    guard let number = Number(value) else { throw FunctionFailure("the result is not a number") }
    return .number(number)
  }

  private static func extreme(_ arguments: [Value], _ replaces: (Number, Number) -> Bool) throws(FunctionFailure)
    -> Value
  {
    guard var best = arguments.first?.asNumber else { throw FunctionFailure("at least one number is needed") }
    for i in 1..<max(1, arguments.count) {
      let number = try arguments.number(i)
      if replaces(best, number) { best = number }
    }
    return .number(best)
  }

  /// Bases over 36 tell upper from lower case: 0-9, a-z, A-Z.
  private static func wide(_ text: String, _ base: Int) -> Number? {
    var bytes = Array(text.utf8)[...]
    let negative = bytes.first == UInt8(ascii: "-")
    if negative || bytes.first == UInt8(ascii: "+") { bytes = bytes.dropFirst() }
    guard !bytes.isEmpty, bytes.count <= 1_000 else { return nil }
    var value = Number.zero
    for byte in bytes {
      let digit: Int
      switch byte {
      case 0x30...0x39: digit = Int(byte) - 0x30
      case 0x61...0x7A: digit = Int(byte) - 0x61 + 10
      case 0x41...0x5A: digit = Int(byte) - 0x41 + 36
      default: return nil
      }
      guard digit < base else { return nil }
      value = value * Number(base) + Number("\(digit)").unsafelyOrZero
    }
    return negative ? value.negated : value
  }
}

extension Number? {
  fileprivate var unsafelyOrZero: Number { self ?? .zero }
}
