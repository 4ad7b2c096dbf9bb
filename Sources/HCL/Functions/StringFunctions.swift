extension StandardFunctions {
  static let strings: [String: Function] = [
    "upper": text { s, _ throws(FunctionFailure) in s.mapScalars(\.properties.uppercaseMapping) },
    "lower": text { s, _ throws(FunctionFailure) in s.mapScalars(\.properties.lowercaseMapping) },
    "title": text { s, _ throws(FunctionFailure) in titled(s) },
    "reverse": text { s, _ throws(FunctionFailure) in String(s.reversed()) },
    "strrev": text { s, _ throws(FunctionFailure) in String(s.reversed()) },
    "strlen": Function([.init("str", .string)], result: .number) { a, _ throws(FunctionFailure) in
      .number(try a.string(0).count)
    },
    "chomp": text { s, _ throws(FunctionFailure) in
      var scalars = s.unicodeScalars
      while let last = scalars.last, last == "\n" || last == "\r" { scalars.removeLast() }
      return String(scalars)
    },
    "trimspace": text { s, _ throws(FunctionFailure) in
      trimmed(s, left: true, right: true) { $0.properties.isWhitespace }
    },
    "trim": Function([.init("str", .string), .init("cutset", .string)], result: .string) {
      a, _ throws(FunctionFailure) in
      let cut = Set(try a.string(1).unicodeScalars)
      return .string(trimmed(try a.string(0), left: true, right: true) { cut.contains($0) })
    },
    "trimprefix": Function([.init("str", .string), .init("prefix", .string)], result: .string) {
      a, _ throws(FunctionFailure) in
      let (text, prefix) = (Array(try a.string(0).utf8), Array(try a.string(1).utf8))
      return .string(String(decoding: text.starts(with: prefix) ? text[prefix.count...] : text[...], as: UTF8.self))
    },
    "trimsuffix": Function([.init("str", .string), .init("suffix", .string)], result: .string) {
      a, _ throws(FunctionFailure) in
      let (text, suffix) = (Array(try a.string(0).utf8), Array(try a.string(1).utf8))
      let ends = text.reversed().starts(with: suffix.reversed())
      return .string(String(decoding: ends ? text[..<(text.count - suffix.count)] : text[...], as: UTF8.self))
    },
    "substr": Function(
      [.init("str", .string), .init("offset", .number), .init("length", .number)], result: .string
    ) { a, _ throws(FunctionFailure) in
      let characters = Array(try a.string(0))
      var offset = try a.int(1)
      let length = try a.int(2)
      let fromEnd = offset < 0
      if fromEnd { offset += characters.count }
      let rest = characters.dropFirst(max(0, offset))
      // From the end, no length means all.
      let takesAll = length < 0 || (length == 0 && fromEnd)
      return .string(String(takesAll ? rest : rest.prefix(length)))
    },
    "indent": Function([.init("spaces", .number), .init("str", .string)], result: .string) {
      a, room throws(FunctionFailure) in
      let text = try a.string(1)
      let spaces = try a.int(0)
      guard spaces >= 0 else { throw FunctionFailure("the number of spaces is negative", argument: 0) }
      let lines = text.utf8.split(separator: 0x0A, omittingEmptySubsequences: false)
      try room.check(bytes: lines.count.multipliedReportingOverflow(by: spaces).overflow ? .max : lines.count * spaces)
      let separator = Array("\n".utf8) + [UInt8](repeating: 0x20, count: spaces)
      return .string(String(decoding: Array(lines.joined(separator: separator)), as: UTF8.self))
    },
    "join": Function(
      [.init("separator", .string)], variadic: .init("lists", .list(.string)), result: .string
    ) { a, room throws(FunctionFailure) in
      guard a.count > 1 else { throw FunctionFailure("at least one list is needed") }
      var all: [String] = []
      for i in 1..<a.count { all += try a.strings(i) }
      let separator = try a.string(0)
      try room.check(
        bytes: all.reduce(0) { $0.saturatingAdd($1.utf8.count) }.saturatingAdd(
          all.count.multipliedReportingOverflow(by: separator.utf8.count).overflow
            ? .max : all.count * separator.utf8.count))
      return .string(all.joined(separator: separator))
    },
    "split": Function(
      [.init("separator", .string), .init("str", .string)], result: .list(.string)
    ) { a, _ throws(FunctionFailure) in
      let (separator, text) = (Array(try a.string(0).utf8), try a.string(1))
      if separator.isEmpty { return .list(text.unicodeScalars.map { .string(String($0)) }, of: .string) }
      let bytes = Array(text.utf8)
      return .list(pieces(bytes, separator).map { .string(String(decoding: $0, as: UTF8.self)) }, of: .string)
    },
    "replace": Function(
      [.init("str", .string), .init("substring", .string), .init("replace", .string)], result: .string
    ) { a, room throws(FunctionFailure) in
      let text = try a.string(0)
      let (old, new) = (Array(try a.string(1).utf8), Array(try a.string(2).utf8))
      if old.isEmpty {
        // Before every character, and at the end.
        try room.check(bytes: (text.unicodeScalars.count + 1).saturatingMultiply(new.count))
        var out: [UInt8] = []
        for scalar in text.unicodeScalars { out += new + Array(String(scalar).utf8) }
        return .string(String(decoding: out + new, as: UTF8.self))
      }
      let parts = pieces(Array(text.utf8), old)
      try room.check(bytes: parts.count.saturatingMultiply(new.count).saturatingAdd(text.utf8.count))
      return .string(String(decoding: Array(parts.joined(separator: new)), as: UTF8.self))
    },
    "sort": Function([.init("list", .list(.string))], result: .list(.string)) { a, _ throws(FunctionFailure) in
      .list(try a.strings(0).sorted().map { .string($0) }, of: .string)
    },
  ]

  /// `bytes` cut at every `separator`, which must not be empty.
  private static func pieces(_ bytes: [UInt8], _ separator: [UInt8]) -> [ArraySlice<UInt8>] {
    var out: [ArraySlice<UInt8>] = []
    var start = 0
    var i = 0
    // Where the search goes on after a partial match (Knuth, Morris, Pratt): linear whatever the texts.
    var fallback = [0]
    var k = 0
    for j in 1..<max(1, separator.count) {
      while k > 0, separator[j] != separator[k] { k = fallback[k - 1] }
      if separator[j] == separator[k] { k += 1 }
      fallback.append(k)
    }
    k = 0
    while i < bytes.count {
      while k > 0, bytes[i] != separator[k] { k = fallback[k - 1] }
      if bytes[i] == separator[k] { k += 1 }
      i += 1
      if k == separator.count {
        out.append(bytes[start..<(i - k)])
        start = i
        k = 0
      }
    }
    out.append(bytes[start...])
    return out
  }

  private static func trimmed(_ text: String, left: Bool, right: Bool, _ drop: (Unicode.Scalar) -> Bool) -> String {
    var scalars = text.unicodeScalars[...]
    if left { scalars = scalars.drop(while: drop) }
    if right { while let last = scalars.last, drop(last) { scalars.removeLast() } }
    return String(String.UnicodeScalarView(scalars))
  }

  /// The first letter of each word in title case. Letters, digits and underscores continue a word; other ASCII characters and
  /// white space end it.
  private static func titled(_ text: String) -> String {
    var out = String.UnicodeScalarView()
    var wordStart = true
    for scalar in text.unicodeScalars {
      if wordStart {
        out.append(contentsOf: scalar.single(scalar.properties.titlecaseMapping).unicodeScalars)
      } else {
        out.append(scalar)
      }
      if scalar.isASCII {
        wordStart = !(scalar == "_" || (0x30...0x39).contains(scalar.value) || scalar.properties.isAlphabetic)
      } else {
        let isWord = scalar.properties.isAlphabetic || scalar.properties.numericType == .decimal
        wordStart = isWord ? false : scalar.properties.isWhitespace
      }
    }
    return String(out)
  }
}

extension Int {
  func saturatingMultiply(_ other: Int) -> Int {
    let (product, overflow) = multipliedReportingOverflow(by: other)
    return overflow ? .max : product
  }
}

extension Unicode.Scalar {
  /// The mapping when it is one scalar; case changes here never lengthen a text.
  fileprivate func single(_ mapping: String) -> String {
    if mapping.unicodeScalars.count == 1 { return mapping }
    // The one letter with a simple lower-case mapping beside its full one.
    return self == "\u{130}" && mapping.unicodeScalars.first == "i" ? "i" : String(self)
  }
}

extension String {
  fileprivate func mapScalars(_ mapping: (Unicode.Scalar) -> String) -> String {
    var out = String.UnicodeScalarView()
    for scalar in unicodeScalars { out.append(contentsOf: scalar.single(mapping(scalar)).unicodeScalars) }
    return String(out)
  }
}
