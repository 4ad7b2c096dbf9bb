internal import BaseEncoding
internal import Digests

// Writing values as text, and digests.
extension FunctionSets {
  static func addEncoding(_ table: inout FunctionTable) {
    func json(_ name: ByteString, _ style: TemplateValue.JSONStyle) {
      table.add(name, [.any], result: .string) { call in
        .string(try call.value(0).json(style, limits: call.rendering.limits))
      }
    }
    json("toJSON", .init())
    json("toJSONPretty", .init(indent: "  "))
    json("toUnescapedJSON", .init(escapesHTML: false))
    json("toUnescapedJSONPretty", .init(escapesHTML: false, indent: "  "))
    table.add("toYAML", [.any], result: .string) { call in
      .string(ByteString(bytes: ByteText.trimSpace(try YAMLWriter.write(call.value(0), call.rendering.limits))))
    }
    table.add("toTOML", [.any], result: .string) { call in
      .string(ByteString(bytes: ByteText.trimSpace(try TOMLWriter.write(call.value(0), call.rendering.limits))))
    }
    table.text("base64Encode") { Base64.encode($0[0]) }
    table.text("base64URLEncode") { Base64.encode($0[0], .url) }
    table.text("base64Decode") { try decoded("base64Decode", $0[0], .standard) }
    table.text("base64URLDecode") { try decoded("base64URLDecode", $0[0], .url) }
    table.text("md5sum") { Base16.encode(try Digest.of($0[0], .md5)) }
    table.text("sha256Hex") { Base16.encode(try Digest.of($0[0], .sha256)) }
    table.text("hmacSHA256Hex", 2) { Base16.encode(try Digest.hmac($0[0], key: $0[1], .sha256)) }
  }

  private static func decoded(_ name: String, _ text: [UInt8], _ alphabet: Base64.Alphabet) throws -> [UInt8] {
    do throws(IllegalDigit) {
      return try Base64.decode(text, alphabet)
    } catch {
      throw FunctionFailure(ByteString("\(name): ") + FunctionFailure(error, "base64").message)
    }
  }
}
