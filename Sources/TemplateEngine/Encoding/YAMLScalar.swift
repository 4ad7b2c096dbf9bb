/// What a plain YAML scalar means (YAML 1.1, as yaml.v2 reads it).
enum YAMLScalar {
  private static let words: [String: TemplateValue] = {
    var words: [String: TemplateValue] = ["~": .nil, ".nan": .float(.nan), ".NaN": .float(.nan), ".NAN": .float(.nan)]
    for text in ["null", "Null", "NULL"] { words[text] = .nil }
    for text in ["true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON", "y", "Y"] { words[text] = .bool(true) }
    for text in ["false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF", "n", "N"] {
      words[text] = .bool(false)
    }
    for text in [".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"] { words[text] = .float(.infinity) }
    for text in ["-.inf", "-.Inf", "-.INF"] { words[text] = .float(-.infinity) }
    return words
  }()

  /// The value of a plain scalar.
  static func value(_ bytes: [UInt8]) -> TemplateValue {
    if bytes.isEmpty { return .nil }
    let text = ByteString(bytes: bytes)
    if let word = words[text.description] {
      // One-letter Booleans are written quoted but read as text.
      return text.count == 1 && text != "~" ? .string(text) : word
    }
    guard let first = bytes.first, (0x30...0x39).contains(first) || ".+-".utf8.contains(first) else {
      return .string(text)
    }
    let plain = bytes.filter { $0 != 0x5F }
    if let integer = NumberSyntax.integer(plain) { return .int(Int(integer)) }
    if let unsigned = NumberSyntax.unsigned(plain) { return .uint64(unsigned) }
    if plain.allSatisfy({ (0x30...0x39).contains($0) || "+-.eE".utf8.contains($0) }),
      plain.contains(where: { (0x30...0x39).contains($0) }), let float = NumberSyntax.float(plain)
    {
      return .float(float)
    }
    return .string(text)
  }

  /// Whether a plain scalar of these bytes would be read as something that is no string.
  static func resolvesToOther(_ bytes: [UInt8]) -> Bool {
    if words[ByteString(bytes: bytes).description] != nil { return true }
    if case .string = value(bytes) { return isTimestamp(bytes) || isBase60(bytes) }
    return true
  }

  private static func isTimestamp(_ bytes: [UInt8]) -> Bool {
    bytes.count >= 8 && bytes.prefix(4).allSatisfy { (0x30...0x39).contains($0) } && bytes[4] == 0x2D
      && (TemplateTime(bytes, layout: Array("2006-1-2".utf8)) != nil
        || TemplateTime(bytes, layout: Array("2006-1-2T15:4:5.999999999Z07:00".utf8)) != nil
        || TemplateTime(bytes, layout: Array("2006-1-2 15:4:5.999999999".utf8)) != nil)
  }

  /// `1:30` is a number in YAML 1.1.
  private static func isBase60(_ bytes: [UInt8]) -> Bool {
    guard let first = bytes.first, (0x30...0x39).contains(first) || first == 0x2B || first == 0x2D,
      bytes.contains(UInt8(ascii: ":"))
    else { return false }
    let parts = ByteText.split(bytes, by: [UInt8(ascii: ":")])
    return parts.dropFirst().allSatisfy { part in
      let digits = part.prefix { (0x30...0x39).contains($0) }
      return (1...2).contains(digits.count) && (digits.count == part.count || part[digits.count] == 0x2E)
    }
  }

  /// Whether a text without line ends may stand unquoted in block style.
  static func canBePlain(_ bytes: [UInt8]) -> Bool {
    guard let first = bytes.first, let last = bytes.last else { return false }
    if first == 0x20 || last == 0x20 { return false }
    if ",[]{}#&*!|>'\"%@`".utf8.contains(first) { return false }
    if "-?:".utf8.contains(first), bytes.count == 1 || bytes[1] == 0x20 { return false }
    if bytes.starts(with: "---".utf8) || bytes.starts(with: "...".utf8) { return false }
    if first == UInt8(ascii: "=") && bytes.count == 1 || bytes == Array("<<".utf8) { return false }
    for index in bytes.indices {
      if bytes[index] == UInt8(ascii: ":"), index + 1 == bytes.count || bytes[index + 1] == 0x20 { return false }
      if bytes[index] == UInt8(ascii: "#"), index > 0, bytes[index - 1] == 0x20 { return false }
    }
    return true
  }
}
