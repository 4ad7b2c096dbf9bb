extension StandardFunctions {
  static let formatting: [String: Function] = [
    "format": Function(
      [.init("format", .string)], variadic: .init("args", .dynamic, null: true), result: .string
    ) { a, room throws(FunctionFailure) in
      .string(try FormatString(try a.string(0)).apply(Array(a.dropFirst()), room))
    },
    "formatlist": Function(
      [.init("format", .string)], variadic: .init("args", .dynamic, null: true), result: .list(.string)
    ) { a, room throws(FunctionFailure) in
      let arguments = Array(a.dropFirst())
      var count: Int?
      for (i, argument) in arguments.enumerated() {
        guard isList(argument) else { continue }
        let own = argument.asSequence?.count ?? 0
        if let count, count != own {
          throw FunctionFailure("the lists are of different lengths: \(count) and \(own)", argument: i + 1)
        }
        count = own
      }
      if count == 0 { return .list([], of: .string) }
      try room.check(elements: count ?? 1)
      let format = try FormatString(try a.string(0))
      var out: [Value] = []
      var weight = 0
      for i in 0..<(count ?? 1) {
        var row: [Value] = []
        for argument in arguments {
          if isList(argument), let elements = argument.asSequence {
            row.append(elements[i])
          } else {
            row.append(argument)
          }
        }
        let text = try format.apply(row, room)
        weight += text.utf8.count
        try room.check(bytes: weight)
        out.append(.string(text))
      }
      return .list(out, of: .string)
    },
  ]

  private static func isList(_ value: Value) -> Bool {
    if value.isNull { return false }
    switch value.type {
    case .list, .set, .tuple: return true
    default: return false
    }
  }
}

/// A format string with verbs: `%[flags][width][.precision][[argument]]verb`.
///
/// Verbs: `v` any value, `#v` any value as JSON, `s` string, `q` string in quotes, `t` bool, `d` `b` `o` `x` `X` whole number, `e` `E`
/// `f` `F` `g` `G` number. Flags: `-` left, `0` zeros, `+` and space for signs, `#` alternative form.
struct FormatString {
  private struct Verb {
    var letter: Character = "v"
    var source = ""
    var plus = false, minus = false, space = false, zero = false, sharp = false
    var width = 0
    var precision: Int?
    /// From 1.
    var argument = 0
  }

  private enum Piece {
    case text(String)
    case verb(Verb)
  }

  private var pieces: [Piece] = []
  private var highest = 0

  init(_ format: String) throws(FunctionFailure) {
    let characters = Array(format)
    var literal = ""
    var i = 0
    var next = 1
    func at(_ k: Int) -> Character? { k < characters.count ? characters[k] : nil }
    func number() throws(FunctionFailure) -> Int? {
      var value: Int?
      while let c = at(i), c.isASCII, let digit = c.wholeNumberValue {
        value = (value ?? 0) * 10 + digit
        guard let v = value, v <= 1_000_000 else {
          throw FunctionFailure("a width or precision is over 1000000", argument: 0)
        }
        i += 1
      }
      return value
    }
    while i < characters.count {
      guard characters[i] == "%" else {
        literal.append(characters[i])
        i += 1
        continue
      }
      if at(i + 1) == "%" {
        literal.append("%")
        i += 2
        continue
      }
      if !literal.isEmpty { pieces.append(.text(literal)) }
      literal = ""
      let start = i
      var verb = Verb()
      i += 1
      flags: while let c = at(i) {
        switch c {
        case "+": verb.plus = true
        case "-": verb.minus = true
        case " ": verb.space = true
        case "0": verb.zero = true
        case "#": verb.sharp = true
        default: break flags
        }
        i += 1
      }
      verb.width = try number() ?? 0
      if at(i) == "." {
        i += 1
        verb.precision = try number() ?? 0
      }
      if at(i) == "[" {
        i += 1
        guard let index = try number(), index >= 1, at(i) == "]" else {
          throw FunctionFailure("an argument number in brackets must be 1 or more", argument: 0)
        }
        i += 1
        next = index
      }
      guard let letter = at(i) else { throw FunctionFailure("the format string ends inside of a verb", argument: 0) }
      i += 1
      verb.letter = letter
      verb.source = String(characters[start..<i])
      guard "vsqtdboxXeEfFgG".contains(letter) else {
        throw FunctionFailure(
          "\"\(verb.source)\" is no verb of format strings; for a percent sign write %%", argument: 0)
      }
      verb.argument = next
      highest = max(highest, next)
      next += 1
      pieces.append(.verb(verb))
    }
    if !literal.isEmpty { pieces.append(.text(literal)) }
  }

  func apply(_ arguments: [Value], _ room: FunctionRoom) throws(FunctionFailure) -> String {
    guard arguments.count >= highest else {
      throw FunctionFailure("the format string needs \(highest) arguments, and there are \(arguments.count)")
    }
    guard arguments.count == highest else {
      throw FunctionFailure(
        highest == 0
          ? "there are arguments and no verbs in the format string"
          : "there are \(arguments.count) arguments, and the format string uses only \(highest)", argument: highest + 1)
    }
    var out = ""
    for piece in pieces {
      switch piece {
      case .text(let text): out += text
      case .verb(let verb):
        try room.check(bytes: out.utf8.count + verb.width + (verb.precision ?? 0))
        out += try text(verb, arguments[verb.argument - 1])
      }
    }
    return out
  }

  private func text(_ verb: Verb, _ value: Value) throws(FunctionFailure) -> String {
    if verb.letter == "v" { return padded(verb, try plain(verb, value)) }
    guard !value.isNull else {
      throw FunctionFailure("\"\(verb.source)\" has no form for null", argument: verb.argument)
    }
    func converted(_ type: ValueType) throws(FunctionFailure) -> Value {
      try StandardFunctions.converted(value, type, verb.argument)
    }
    switch verb.letter {
    case "s", "q":
      var string = try converted(.string).asString ?? ""
      if let precision = verb.precision { string = String(string.prefix(precision)) }
      return padded(verb, verb.letter == "q" ? JSONText.quoted(string, escapingHTML: true) : string)
    case "t": return padded(verb, try converted(.bool).asBool == true ? "true" : "false")
    case "d", "b", "o", "x", "X": return try whole(verb, try converted(.number).asNumber ?? .zero)
    default: return try fraction(verb, try converted(.number).asNumber ?? .zero)
    }
  }

  private func plain(_ verb: Verb, _ value: Value) throws(FunctionFailure) -> String {
    if !verb.sharp, !value.isNull {
      if let string = value.asString { return string }
      if let number = value.asNumber { return number.general(precision: nil, upper: false) }
    }
    guard let json = JSONText.encode(value) else {
      throw FunctionFailure("an infinite number has no JSON", argument: verb.argument)
    }
    return json
  }

  private func padded(_ verb: Verb, _ text: String) -> String {
    let missing = verb.width - text.count
    if missing <= 0 { return text }
    if verb.minus { return text + String(repeating: " ", count: missing) }
    return String(repeating: verb.zero ? "0" : " ", count: missing) + text
  }

  /// A sign and digits brought to the width.
  private func signed(_ verb: Verb, negative: Bool, _ prefix: String, _ digits: String, zeros: Bool) -> String {
    let sign = (negative ? "-" : verb.plus ? "+" : verb.space ? " " : "") + prefix
    let missing = max(0, verb.width - sign.count - digits.count)
    if verb.minus { return sign + digits + String(repeating: " ", count: missing) }
    return zeros
      ? sign + String(repeating: "0", count: missing) + digits : String(repeating: " ", count: missing) + sign + digits
  }

  private func whole(_ verb: Verb, _ number: Number) throws(FunctionFailure) -> String {
    guard number.isInteger else {
      throw FunctionFailure("\"\(verb.source)\" needs a whole number", argument: verb.argument)
    }
    let base = ["d": 10, "b": 2, "o": 8, "x": 16, "X": 16][verb.letter] ?? 10
    var digits = number.wholeDigits(base: base)
    if verb.letter == "X" { digits = digits.uppercased() }
    var prefix = ""
    if verb.sharp { prefix = ["b": "0b", "o": "0", "x": "0x", "X": "0X"][verb.letter] ?? "" }
    if let precision = verb.precision {
      if precision == 0, number.isZero { digits = "" }
      digits = String(repeating: "0", count: max(0, precision - digits.count)) + digits
    }
    return signed(verb, negative: number.signum < 0, prefix, digits, zeros: verb.zero && verb.precision == nil)
  }

  private func fraction(_ verb: Verb, _ number: Number) throws(FunctionFailure) -> String {
    let size = number.magnitude
    let digits: String
    if size.isInfinite {
      digits = "Inf"
    } else {
      switch verb.letter {
      case "e", "E": digits = size.scientific(precision: verb.precision ?? 6, upper: verb.letter == "E")
      case "f", "F": digits = size.fixed(precision: verb.precision ?? 6)
      default: digits = size.general(precision: verb.precision, upper: verb.letter == "G")
      }
    }
    return signed(verb, negative: number.isNegative, "", digits, zeros: verb.zero && !size.isInfinite)
  }
}

extension Number {
  /// The digits of a whole number's magnitude.
  func wholeDigits(base: Int) -> String {
    let whole = mantissa << max(0, exponent)
    if whole.isZero { return "0" }
    if base == 10 { return String(decoding: whole.decimalDigits, as: UTF8.self) }
    var reversed: [UInt8] = []
    let bits = base == 2 ? 1 : base == 8 ? 3 : 4
    for place in stride(from: 0, to: whole.bitWidth, by: bits) {
      var digit: UInt8 = 0
      for k in 0..<bits where whole.bit(place + k) { digit |= 1 << UInt8(k) }
      reversed.append(digit < 10 ? 0x30 + digit : 0x61 + digit - 10)
    }
    return String(decoding: reversed.reversed(), as: UTF8.self)
  }

  /// The exact digits cut to `count`, rounded half to even.
  private static func rounded(_ exact: (digits: [UInt8], point: Int), _ count: Int) -> (digits: [UInt8], point: Int) {
    let (digits, point) = exact
    guard count < digits.count else { return exact }
    guard count >= 0 else { return ([0x30], 0) }
    let next = digits[count]
    let half = next == 0x35 && count + 1 == digits.count
    let up = half ? count > 0 && (digits[count - 1] - 0x30) % 2 == 1 : next >= 0x35
    var kept = Array(digits[..<count])
    var place = point
    if up {
      var k = count - 1
      while k >= 0, kept[k] == 0x39 {
        kept[k] = 0x30
        k -= 1
      }
      if k < 0 {
        kept.insert(0x31, at: 0)
        place += 1
      } else {
        kept[k] += 1
      }
    }
    return kept.isEmpty ? ([0x30], 0) : stripped(kept, place)
  }

  /// Digits with `precision` of them after the point.
  func fixed(precision: Int) -> String {
    let (digits, point) = Number.rounded(exactDigits, exactDigits.point + precision)
    let isZero = digits == [0x30]
    var text = isZero ? "0" : Number.plain(digits, point)
    if precision > 0 {
      let fraction = text.firstIndex(of: ".").map { text.distance(from: $0, to: text.endIndex) - 1 } ?? 0
      if fraction == 0 { text += "." }
      text += String(repeating: "0", count: precision - fraction)
    }
    return text
  }

  /// One digit, `precision` digits after the point, and an exponent of two digits or more.
  func scientific(precision: Int, upper: Bool) -> String {
    let (digits, point) = isZero ? ([0x30], 1) : Number.rounded(exactDigits, precision + 1)
    return Number.exponential(digits, point, precision, upper)
  }

  private static func exponential(_ digits: [UInt8], _ point: Int, _ precision: Int, _ upper: Bool) -> String {
    var text = String(decoding: digits.prefix(1), as: UTF8.self)
    if precision > 0 {
      text += "." + String(decoding: digits.dropFirst().prefix(precision), as: UTF8.self)
      text += String(repeating: "0", count: max(0, precision - (digits.count - 1)))
    }
    let exponent = point - 1
    let size = abs(exponent)
    return text + (upper ? "E" : "e") + (exponent < 0 ? "-" : "+") + (size < 10 ? "0" : "") + "\(size)"
  }

  /// The shorter of the two forms; `precision` significant digits, or as few as identify the number.
  func general(precision: Int?, upper: Bool) -> String {
    if isInfinite { return isNegative ? "-Inf" : "+Inf" }
    let sign = isNegative ? "-" : ""
    if mantissa.isZero { return sign + "0" }
    let significant = precision.map { max(1, $0) }
    let (digits, point) = significant.map { Number.rounded(exactDigits, $0) } ?? shortest
    var limit = significant ?? 6
    if significant != nil, limit > digits.count, digits.count >= point { limit = digits.count }
    let exponent = point - 1
    if exponent < -4 || exponent >= limit { return sign + Number.exponential(digits, point, digits.count - 1, upper) }
    return sign + Number.plain(digits, point)
  }

  /// The fewest digits that identify the number, also for whole numbers.
  private var shortest: (digits: [UInt8], point: Int) {
    exponent >= 0 && mantissa.bitWidth + exponent <= self.precision ? exactDigits : shortestDigits
  }
}
