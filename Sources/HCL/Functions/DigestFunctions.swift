internal import BaseEncoding
internal import Digests

extension StandardFunctions {
  static let digests: [String: Function] = [
    "md5": text { s, _ throws(FunctionFailure) in Base16.text(try digest(s.utf8, .md5)) },
    "sha1": text { s, _ throws(FunctionFailure) in Base16.text(try digest(s.utf8, .sha1)) },
    "sha256": text { s, _ throws(FunctionFailure) in Base16.text(try digest(s.utf8, .sha256)) },
    "sha512": text { s, _ throws(FunctionFailure) in Base16.text(try digest(s.utf8, .sha512)) },
  ]

  private static func digest(
    _ message: some Sequence<UInt8>, _ algorithm: DigestAlgorithm
  ) throws(FunctionFailure) -> [UInt8] {
    do throws(DigestUnavailable) {
      return try Digest.of(Array(message), algorithm)
    } catch {
      throw FunctionFailure("\(error)")
    }
  }

  static func passwords(_ host: FunctionHost) -> [String: Function] {
    [
      "bcrypt": Function(
        [.init("str", .string)], variadic: .init("cost", .number), result: .string
      ) { a, _ throws(FunctionFailure) in
        guard a.count <= 2 else { throw FunctionFailure("a string and one cost at most are needed", argument: 2) }
        let cost = a.count == 2 ? try a.int(1) : 10
        // Each step doubles the time: 14 takes about a second, and a server must not be kept busy for minutes.
        guard (4...14).contains(cost) else { throw FunctionFailure("the cost must be from 4 to 14", argument: 1) }
        let password = Array(try a.string(0).utf8)
        guard password.count <= Bcrypt.maximumPasswordBytes, !password.contains(0) else {
          throw FunctionFailure(
            "a password may have \(Bcrypt.maximumPasswordBytes) bytes at most, none of them NUL", argument: 0)
        }
        guard let random = host.random else { throw FunctionFailure("no source of randomness is given") }
        let salt = random(16)
        guard salt.count == 16 else { throw FunctionFailure("the source of randomness failed") }
        do throws(DigestUnavailable) {
          return .string(try Bcrypt.hash(password, salt: salt, cost: cost))
        } catch {
          throw FunctionFailure("\(error)")
        }
      }
    ]
  }

  static func identifiers(_ host: FunctionHost) -> [String: Function] {
    [
      "uuidv4": Function([], result: .string) { _, _ throws(FunctionFailure) in
        guard let random = host.random else { throw FunctionFailure("no source of randomness is given") }
        let bytes = random(16)
        guard bytes.count == 16 else { throw FunctionFailure("the source of randomness failed") }
        return .string(uuid(bytes, version: 4))
      },
      "uuidv5": Function([.init("namespace", .string), .init("name", .string)], result: .string) {
        a, _ throws(FunctionFailure) in
        let namespace = try a.string(0)
        let known = ["dns": "10", "url": "11", "oid": "12", "x500": "14"]
        let full = known[namespace].map { "6ba7b8\($0)-9dad-11d1-80b4-00c04fd430c8" } ?? namespace
        guard let prefix = uuidBytes(full) else {
          throw FunctionFailure("the namespace must be a UUID or one of dns, url, oid, x500", argument: 0)
        }
        let name = try digest(prefix + Array(try a.string(1).utf8), .sha1)
        return .string(uuid(Array(name.prefix(16)), version: 5))
      },
    ]
  }

  /// RFC 9562: version and variant put into 16 bytes, as text.
  private static func uuid(_ bytes: [UInt8], version: UInt8) -> String {
    var bytes = bytes
    bytes[6] = bytes[6] & 0x0F | version << 4
    bytes[8] = bytes[8] & 0x3F | 0x80
    let digits = Base16.encode(bytes)
    var out: [UInt8] = []
    for (i, digit) in digits.enumerated() {
      if [8, 12, 16, 20].contains(i) { out.append(UInt8(ascii: "-")) }
      out.append(digit)
    }
    return String(decoding: out, as: UTF8.self)
  }

  /// The forms that people write: plain, in braces, with `urn:uuid:` before, or without hyphens.
  private static func uuidBytes(_ text: String) -> [UInt8]? {
    var body = text.lowercased()
    if body.hasPrefix("urn:uuid:") { body.removeFirst(9) }
    if body.hasPrefix("{"), body.hasSuffix("}") { body = String(body.dropFirst().dropLast()) }
    let digits = Array(body.utf8)
    if digits.count == 36 {
      for i in [8, 13, 18, 23] where digits[i] != UInt8(ascii: "-") { return nil }
      return Base16.decode(digits.filter { $0 != UInt8(ascii: "-") })
    }
    return digits.count == 32 ? Base16.decode(digits) : nil
  }
}
