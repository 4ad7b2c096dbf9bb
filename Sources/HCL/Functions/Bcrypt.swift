/// The bcrypt password hash (Provos and Mazières, "A Future-Adaptable Password Scheme", 1999), version 2a.
enum Bcrypt {
  /// - Parameters:
  ///   - password: at most 72 bytes count.
  ///   - salt: 16 bytes.
  ///   - cost: the logarithm of the number of rounds.
  static func hash(_ password: [UInt8], salt: [UInt8], cost: Int) -> String {
    var cipher = Blowfish()
    let key = Array((password + [0]).prefix(72))
    cipher.expand(key: key, salt: salt)
    for _ in 0..<(1 << cost) {
      cipher.expand(key: key, salt: nil)
      cipher.expand(key: salt, salt: nil)
    }
    var words: [UInt32] = stride(from: 0, to: 24, by: 4).map { i in
      Array("OrpheanBeholderScryDoubt".utf8)[i..<i + 4].reduce(0) { $0 << 8 | UInt32($1) }
    }
    for i in stride(from: 0, to: 6, by: 2) {
      for _ in 0..<64 { (words[i], words[i + 1]) = cipher.encrypt(words[i], words[i + 1]) }
    }
    // The last byte is left out, by tradition.
    let bytes = words.flatMap { w in [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: w >> UInt32($0)) } }.dropLast()
    return "$2a$\(cost < 10 ? "0" : "")\(cost)$" + encode(salt) + encode(Array(bytes))
  }

  /// Base 64 with an alphabet of its own and without padding.
  private static func encode(_ bytes: [UInt8]) -> String {
    let alphabet = Array("./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789".utf8)
    var out: [UInt8] = []
    var bits: UInt32 = 0
    var count = 0
    for byte in bytes {
      bits = bits << 8 | UInt32(byte)
      count += 8
      while count >= 6 {
        count -= 6
        out.append(alphabet[Int(bits >> UInt32(count) & 63)])
      }
    }
    if count > 0 { out.append(alphabet[Int(bits << UInt32(6 - count) & 63)]) }
    return String(decoding: out, as: UTF8.self)
  }
}

/// The block cipher under bcrypt (Schneier, 1993). Its tables start as the binary digits of π, which are computed.
private struct Blowfish {
  private var p: [UInt32]
  private var s: [UInt32]

  init() {
    p = Array(Blowfish.digits[0..<18])
    s = Array(Blowfish.digits[18...])
  }

  func encrypt(_ left: UInt32, _ right: UInt32) -> (UInt32, UInt32) {
    var (l, r) = (left, right)
    s.withUnsafeBufferPointer { s in
      for i in 0..<16 {
        l ^= p[i]
        let a = s[Int(l >> 24)] &+ s[256 + Int(l >> 16 & 0xFF)]
        r ^= (a ^ s[512 + Int(l >> 8 & 0xFF)]) &+ s[768 + Int(l & 0xFF)]
        swap(&l, &r)
      }
    }
    swap(&l, &r)
    return (l ^ p[17], r ^ p[16])
  }

  /// Mixes the key, and the salt where there is one, into the tables.
  mutating func expand(key: [UInt8], salt: [UInt8]?) {
    func word(_ bytes: [UInt8], _ at: inout Int) -> UInt32 {
      var out: UInt32 = 0
      for _ in 0..<4 {
        out = out << 8 | UInt32(bytes[at])
        at = (at + 1) % bytes.count
      }
      return out
    }
    var at = 0
    for i in 0..<18 { p[i] ^= word(key, &at) }
    var (l, r): (UInt32, UInt32) = (0, 0)
    var saltAt = 0
    func next(_ l: inout UInt32, _ r: inout UInt32) {
      if let salt {
        l ^= word(salt, &saltAt)
        r ^= word(salt, &saltAt)
      }
      (l, r) = encrypt(l, r)
    }
    for i in stride(from: 0, to: 18, by: 2) {
      next(&l, &r)
      (p[i], p[i + 1]) = (l, r)
    }
    for i in stride(from: 0, to: 1_024, by: 2) {
      next(&l, &r)
      (s[i], s[i + 1]) = (l, r)
    }
  }

  /// The fraction of π in words of 32 bits: 18 for P, 1,024 for S, by Machin's formula π = 16 arctan(1/5) − 4 arctan(1/239).
  private static let digits: [UInt32] = {
    let count = 18 + 1_024
    let guardBits = 64
    let bits = count * 32 + guardBits
    func arctangent(_ x: UInt64) -> BigUnsigned {
      var power = (BigUnsigned(1) << bits).dividedBySmall(x).quotient
      var (positive, negative) = (power, BigUnsigned.zero)
      var n: UInt64 = 1
      while !power.isZero {
        power = power.dividedBySmall(x * x).quotient
        n += 2
        let term = power.dividedBySmall(n).quotient
        if n % 4 == 1 { positive = positive + term } else { negative = negative + term }
      }
      return positive - negative
    }
    let pi = arctangent(5) << 4 - arctangent(239) << 2
    let fraction = (pi - BigUnsigned(3) << bits) >> guardBits
    return (0..<count).map { i in
      let shifted = fraction >> ((count - 1 - i) * 32)
      return UInt32(truncatingIfNeeded: shifted.limbs.first ?? 0)
    }
  }()
}
