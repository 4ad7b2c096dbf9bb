internal import BaseEncoding

extension StandardFunctions {
  static let encoding: [String: Function] = [
    "base64encode": text { s, _ throws(FunctionFailure) in Base64.text(s.utf8) },
    "base64decode": text { s, _ throws(FunctionFailure) in
      guard let bytes = try? Base64.decode(s.utf8) else {
        throw FunctionFailure("the string is no valid base64", argument: 0)
      }
      guard let text = String(validating: bytes, as: UTF8.self) else {
        throw FunctionFailure("the decoded bytes are no UTF-8 text", argument: 0)
      }
      return text
    },
    "urlencode": text { s, _ throws(FunctionFailure) in queryEscaped(s) },
    "jsonencode": Function([.init("value", .dynamic, null: true)], result: .string) { a, _ throws(FunctionFailure) in
      guard let text = JSONText.encode(a[0]) else {
        throw FunctionFailure("an infinite number has no JSON", argument: 0)
      }
      return .string(text)
    },
    "jsondecode": Function([.init("str", .string)]) { a, _ throws(FunctionFailure) in
      do throws(Diagnostic) {
        return try JSONReader.value(of: a.textOrEmpty(0))
      } catch {
        let place = error.subject.map { " (line \($0.start.line), column \($0.start.column))" } ?? ""
        throw FunctionFailure(
          "the string is no valid JSON: " + error.detail.prefix { $0 != "." } + place, argument: 0)
      }
    },
    "csvdecode": Function([.init("str", .string)]) { a, _ throws(FunctionFailure) in try CSV.decode(try a.string(0)) },
    "yamldecode": Function([.init("src", .string)]) { a, room throws(FunctionFailure) in
      try YAMLValue.decode(try a.string(0), room)
    },
    "yamlencode": Function([.init("value", .dynamic, null: true)], result: .string) { a, _ throws(FunctionFailure) in
      .string(YAMLText.encode(a[0]))
    },
  ]
}

extension StandardFunctions {
  /// Percent-encoding for a query component: letters, digits and `-_.~` stay, a space becomes `+`.
  fileprivate static func queryEscaped(_ text: String) -> String {
    var out: [UInt8] = []
    for byte in text.utf8 {
      switch byte {
      case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."),
        UInt8(ascii: "~"):
        out.append(byte)
      case 0x20: out.append(UInt8(ascii: "+"))
      default: out += "%\(Base16.text([byte]).uppercased())".utf8
      }
    }
    return String(decoding: out, as: UTF8.self)
  }
}

extension [Value] {
  fileprivate func textOrEmpty(_ index: Int) -> String { index < count ? self[index].asString ?? "" : "" }
}

/// Comma-separated values (RFC 4180), the first record naming the columns.
enum CSV {
  static func decode(_ text: String) throws(FunctionFailure) -> Value {
    var rows = try records(Array(text.utf8))
    guard !rows.isEmpty else { throw FunctionFailure("a header line is needed", argument: 0) }
    let header = rows.removeFirst()
    guard Set(header).count == header.count else {
      throw FunctionFailure("two columns have the same name", argument: 0)
    }
    var out: [Value] = []
    for (i, row) in rows.enumerated() {
      guard row.count == header.count else {
        throw FunctionFailure("record \(i + 2) has \(row.count) fields, the header has \(header.count)", argument: 0)
      }
      out.append(.object(Dictionary(zip(header, row.map { Value.string($0) }), uniquingKeysWith: { $1 })))
    }
    let type = ValueType.object(Dictionary(header.map { ($0, ValueType.string) }, uniquingKeysWith: { $1 }))
    return .list(out, of: type)
  }

  private static func records(_ source: [UInt8]) throws(FunctionFailure) -> [[String]] {
    // Line ends are LF from here on.
    var bytes: [UInt8] = []
    for (i, byte) in source.enumerated() {
      if byte == 0x0D, i + 1 == source.count || source[i + 1] == 0x0A { continue }
      bytes.append(byte)
    }
    let quote = UInt8(ascii: "\"")
    var rows: [[String]] = []
    var i = 0
    while i < bytes.count {
      if bytes[i] == 0x0A {
        i += 1
        continue
      }
      var row: [String] = []
      while true {
        var field: [UInt8] = []
        if i < bytes.count, bytes[i] == quote {
          i += 1
          while true {
            guard i < bytes.count else { throw FunctionFailure("a quoted field is not closed", argument: 0) }
            if bytes[i] != quote {
              field.append(bytes[i])
            } else if i + 1 < bytes.count, bytes[i + 1] == quote {
              field.append(quote)
              i += 1
            } else {
              i += 1
              break
            }
            i += 1
          }
          if i < bytes.count, bytes[i] != UInt8(ascii: ","), bytes[i] != 0x0A {
            throw FunctionFailure(
              "a comma is needed after a quoted field; quotes inside of it are doubled", argument: 0)
          }
        } else {
          while i < bytes.count, bytes[i] != UInt8(ascii: ","), bytes[i] != 0x0A {
            if bytes[i] == quote { throw FunctionFailure("a field with a quote in it must be quoted", argument: 0) }
            field.append(bytes[i])
            i += 1
          }
        }
        row.append(String(decoding: field, as: UTF8.self))
        guard i < bytes.count, bytes[i] == UInt8(ascii: ",") else { break }
        i += 1
      }
      rows.append(row)
      if i < bytes.count { i += 1 }
    }
    return rows
  }
}
