internal import BaseEncoding
internal import Digests

// JSON, base 64 and 32, digests.
extension FunctionSets {
  static func addSprigEncoding(_ table: inout FunctionTable) {
    table.add("fromJson", [.string]) { call in
      try call.rendering.charge(bytes: call.text(0).count)
      return (try? TemplateValue(json: call.text(0), numbers: .floats)) ?? .nil
    }
    table.add("mustFromJson", [.string]) { call in
      try call.rendering.charge(bytes: call.text(0).count)
      return try TemplateValue(json: call.text(0), numbers: .floats)
    }
    for (name, must, style): (ByteString, ByteString, TemplateValue.JSONStyle) in [
      ("toJson", "mustToJson", .init()), ("toPrettyJson", "mustToPrettyJson", .init(indent: "  ")),
      ("toRawJson", "mustToRawJson", .init(escapesHTML: false)),
    ] {
      table.add(must, [.any], result: .string) { call in
        .string(try call.value(0).json(style, limits: call.rendering.limits))
      }
      table.add(name, [.any], result: .string) { call in
        do {
          return .string(try call.value(0).json(style, limits: call.rendering.limits))
        } catch let failure as FunctionFailure {
          // The raw form has always failed loudly, the others silently.
          if !style.escapesHTML { throw failure }
          return .string("")
        }
      }
    }
    func silent(
      _ name: String, _ body: @escaping @Sendable ([UInt8]) throws(IllegalDigit) -> [UInt8]
    ) -> @Sendable ([[UInt8]]) throws -> [UInt8] {
      { text in
        do throws(IllegalDigit) {
          return try body(text[0])
        } catch {
          return FunctionFailure(error, name).message.bytes
        }
      }
    }
    table.text("b64enc") { Base64.encode($0[0]) }
    table.text("b64dec", 1, silent("base64") { text throws(IllegalDigit) in try Base64.decode(text) })
    table.text("b32enc") { Base32.encode($0[0]) }
    table.text("b32dec", 1, silent("base32") { text throws(IllegalDigit) in try Base32.decode(text) })
    table.text("sha1sum") { Base16.encode(try Digest.of($0[0], .sha1)) }
    table.text("sha256sum") { Base16.encode(try Digest.of($0[0], .sha256)) }
    table.text("adler32sum") { Array(String(adler32($0[0])).utf8) }
  }

  /// RFC 1950's checksum.
  private static func adler32(_ message: [UInt8]) -> UInt32 {
    var (low, high): (UInt32, UInt32) = (1, 0)
    for byte in message {
      low = (low + UInt32(byte)) % 65521
      high = (high + low) % 65521
    }
    return high << 16 | low
  }
}

extension FunctionFailure {
  /// What template authors know of a text that is not in its encoding.
  init(_ illegal: IllegalDigit, _ encoding: String) {
    self.init("illegal \(encoding) data at input byte \(illegal.offset)")
  }
}
