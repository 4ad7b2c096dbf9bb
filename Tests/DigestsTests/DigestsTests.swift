import BaseEncoding
import Digests
import Testing

struct DigestsTests {
  /// FIPS 180-4's and RFC 1321's examples for "abc" and for nothing.
  @Test(arguments: [
    (DigestAlgorithm.md5, "900150983cd24fb0d6963f7d28e17f72", "d41d8cd98f00b204e9800998ecf8427e"),
    (.sha1, "a9993e364706816aba3e25717850c26c9cd0d89d", "da39a3ee5e6b4b0d3255bfef95601890afd80709"),
    (
      .sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    ),
    (
      .sha512,
      "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
      "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e"
    ),
  ])
  func examplesOfTheStandards(_ algorithm: DigestAlgorithm, _ abc: String, _ nothing: String) throws {
    #expect(Base16.text(try Digest.of(Array("abc".utf8), algorithm)) == abc)
    #expect(Base16.text(try Digest.of([], algorithm)) == nothing)
    var digest = try Digest(algorithm)
    digest.add([0x61])
    digest.add([])
    digest.add([0x62, 0x63])
    #expect(Base16.text(digest.value()) == abc)
    #expect(algorithm.byteCount * 2 == abc.utf8.count)
  }

  /// RFC 4231 §4.3 and §4.7: a short key, and one longer than a block.
  @Test func codesOfRFC4231() throws {
    let short = try Digest.hmac(Array("what do ya want for nothing?".utf8), key: Array("Jefe".utf8), .sha256)
    #expect(Base16.text(short) == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
    let long = try Digest.hmac(
      Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8),
      key: [UInt8](repeating: 0xAA, count: 131), .sha256)
    #expect(Base16.text(long) == "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54")
  }

  /// A vector of the original implementation (OpenBSD's regress tests of bcrypt): the salt of `......`.
  @Test func bcryptIsTheOneThatOthersCompute() throws {
    let hash = try Bcrypt.hash(Array("U*U".utf8), salt: salt("CCCCCCCCCCCCCCCCCCCCC."), cost: 5)
    #expect(hash == "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW")
    let empty = try Bcrypt.hash([], salt: salt("CCCCCCCCCCCCCCCCCCCCC."), cost: 5)
    #expect(empty == "$2a$05$CCCCCCCCCCCCCCCCCCCCC.7uG0VCzI2bS7j6ymqJi9CdcdxiRTWNy")
  }

  @Test func bcryptRefusesWhatItWouldCutOrNotTake() {
    let salt = [UInt8](repeating: 1, count: 16)
    #expect(throws: DigestUnavailable.self) { try Bcrypt.hash([0x61, 0, 0x62], salt: salt, cost: 5) }
    #expect(throws: DigestUnavailable.self) {
      try Bcrypt.hash([UInt8](repeating: 0x61, count: 73), salt: salt, cost: 5)
    }
    #expect(throws: DigestUnavailable.self) { try Bcrypt.hash([0x61], salt: [1], cost: 5) }
    #expect(throws: DigestUnavailable.self) { try Bcrypt.hash([0x61], salt: salt, cost: 3) }
  }

  /// 16 bytes from 22 digits of bcrypt's alphabet.
  private func salt(_ text: String) -> [UInt8] {
    let alphabet = Array("./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789".utf8)
    var bytes: [UInt8] = []
    var bits = 0
    var count = 0
    for digit in text.utf8 {
      bits = (bits << 6 | (alphabet.firstIndex(of: digit) ?? 0)) & 0xFFFF
      count += 6
      if count >= 8 {
        count -= 8
        bytes.append(UInt8(bits >> count & 255))
      }
    }
    return Array(bytes.prefix(16))
  }
}
