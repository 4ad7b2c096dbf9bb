internal import BaseEncoding

// What comes from the host: the environment and randomness.
extension FunctionSets {
  static func addSprigHost(_ table: inout FunctionTable) {
    table.add("env", [.string], result: .string) { call in
      .string(call.rendering.host.environmentVariable(ByteString(bytes: call.text(0))) ?? "")
    }
    table.add("expandenv", [.string], result: .string) { call in
      .string(ByteString(bytes: try expanded(call.text(0), call)))
    }
    let digits = Array("0123456789".utf8)
    let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8)
    func random(_ name: ByteString, _ alphabet: [UInt8]) {
      table.add(name, [.int], result: .string) { call in
        let count = call.int(0)
        guard count > 0 else { return .string("") }
        try call.rendering.charge(bytes: count)
        // Bytes beyond the last multiple of the alphabet's size are thrown away, so that no letter is favoured.
        let limit = 256 - 256 % alphabet.count
        var text: [UInt8] = []
        var rounds = 0
        while text.count < count {
          rounds += 1
          guard rounds < 64 else { throw FunctionFailure("\(call.name): the host's random bytes are not random") }
          for byte in call.rendering.host.randomBytes(count - text.count + 16) where Int(byte) < limit {
            if text.count < count { text.append(alphabet[Int(byte) % alphabet.count]) }
          }
        }
        return .string(ByteString(bytes: text))
      }
    }
    random("randAlphaNum", letters + digits)
    random("randAlpha", letters)
    random("randNumeric", digits)
    random("randAscii", Array(0x20...0x7E))
    table.add("randBytes", [.int], result: .string) { call in
      let count = call.int(0)
      guard count >= 0 else { throw FunctionFailure("randBytes: negative count") }
      try call.rendering.charge(bytes: count)
      return .string(ByteString(bytes: Base64.encode(call.rendering.host.randomBytes(count))))
    }
    table.add("randInt", [.int, .int], result: .int) { call in
      let (low, high) = (call.int(0), call.int(1))
      let (width, overflow) = high.subtractingReportingOverflow(low)
      guard !overflow, width > 0 else { throw FunctionFailure("invalid argument to Intn") }
      let bits = call.rendering.host.randomBytes(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
      return .int(low + Int(bits.multipliedFullWidth(by: UInt64(width)).high))
    }
    table.add("uuidv4", [], result: .string) { call in
      var bytes = Array(call.rendering.host.randomBytes(16).prefix(16))
      guard bytes.count == 16 else { throw FunctionFailure("uuidv4: the host gave too few random bytes") }
      bytes[6] = bytes[6] & 0x0F | 0x40
      bytes[8] = bytes[8] & 0x3F | 0x80
      var text = Base16.encode(bytes)
      for position in [8, 13, 18, 23] { text.insert(UInt8(ascii: "-"), at: position) }
      return .string(ByteString(bytes: text))
    }
  }

  /// `$NAME` and `${NAME}` replaced; an unset variable is empty.
  private static func expanded(_ text: [UInt8], _ call: TemplateCall) throws -> [UInt8] {
    func isName(_ byte: UInt8) -> Bool {
      byte == 0x5F || (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte | 0x20)
    }
    var out: [UInt8] = []
    var index = 0
    while index < text.count {
      guard text[index] == UInt8(ascii: "$"), index + 1 < text.count else {
        out.append(text[index])
        index += 1
        continue
      }
      index += 1
      var name: ArraySlice<UInt8>
      if text[index] == UInt8(ascii: "{") {
        guard let close = text[index...].firstIndex(of: UInt8(ascii: "}")) else {
          // A brace without its end is dropped with its dollar.
          index += 1
          continue
        }
        name = text[(index + 1)..<close]
        index = close + 1
      } else {
        name = text[index...].prefix(while: isName)
        if name.isEmpty {
          out.append(UInt8(ascii: "$"))
          continue
        }
        if (0x30...0x39).contains(name[name.startIndex]) { name = name.prefix(1) }
        index += name.count
      }
      out += call.rendering.host.environmentVariable(ByteString(bytes: Array(name)))?.bytes ?? []
      try call.rendering.charge(bytes: out.count)
    }
    return out
  }
}
