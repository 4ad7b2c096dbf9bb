import Testing

@testable import BaseEncoding

struct BaseEncodingTests {
  /// RFC 4648 §10.
  static let vectors: [(text: String, base64: String, base32: String, base16: String)] = [
    ("", "", "", ""), ("f", "Zg==", "MY======", "66"), ("fo", "Zm8=", "MZXQ====", "666f"),
    ("foo", "Zm9v", "MZXW6===", "666f6f"), ("foob", "Zm9vYg==", "MZXW6YQ=", "666f6f62"),
    ("fooba", "Zm9vYmE=", "MZXW6YTB", "666f6f6261"), ("foobar", "Zm9vYmFy", "MZXW6YTBOI======", "666f6f626172"),
  ]

  @Test(arguments: vectors) func vectorsOfTheRFC(_ row: (text: String, base64: String, base32: String, base16: String))
    throws
  {
    let bytes = Array(row.text.utf8)
    #expect(Base64.text(bytes) == row.base64)
    #expect(try Base64.decode(row.base64.utf8) == bytes)
    #expect(Base32.encode(bytes) == Array(row.base32.utf8))
    #expect(try Base32.decode(row.base32.utf8) == bytes)
    #expect(Base16.text(bytes) == row.base16)
    #expect(Base16.decode(row.base16.uppercased().utf8) == bytes)
    let bare = row.base64.filter { $0 != "=" }
    #expect(Base64.text(bytes, padded: false) == bare)
    #expect(try Base64.decode(bare.utf8, padded: false) == bytes)
  }

  @Test func theTwoAlphabetsDifferInTwoDigits() throws {
    let bytes: [UInt8] = [0xFB, 0xFF, 0xBF]
    #expect(Base64.text(bytes) == "+/+/")
    #expect(Base64.text(bytes, .url) == "-_-_")
    #expect(throws: IllegalDigit(offset: 0)) { try Base64.decode("-_-_".utf8) }
    #expect(throws: IllegalDigit(offset: 1)) { try Base64.decode("A/AA".utf8, .url) }
  }

  /// The place is that of the first byte that can't be there, or where the missing ones would have to begin.
  @Test(arguments: [
    ("Zg=", 3), ("Zg", 0), ("Z", 0), ("Zm9v=", 4), ("Zg==Zg==", 4), ("Zg==\n=", 5), ("Z===", 1), ("Zm!v", 2),
    ("Zm9vZg", 4), ("=", 0), ("Zg=A", 3),
  ])
  func whatIsNoBase64IsRefusedWithItsPlace(_ text: String, _ offset: Int) {
    #expect(throws: IllegalDigit(offset: offset)) { try Base64.decode(text.utf8) }
  }

  @Test func lineEndsArePassedOver() throws {
    #expect(try Base64.decode("Zm9v\r\nYm\nFy\n".utf8) == Array("foobar".utf8))
  }

  @Test func unpaddedTextMayHaveNoPaddingAndNoSingleDigit() {
    #expect(throws: IllegalDigit(offset: 2)) { try Base64.decode("Zg==".utf8, padded: false) }
    #expect(throws: IllegalDigit(offset: 5)) { try Base64.decode("Zm9vZ".utf8, padded: false) }
  }

  @Test func everyByteComesBack() throws {
    let bytes = (0...255).map { UInt8($0) }
    #expect(try Base64.decode(Base64.encode(bytes)) == bytes)
    #expect(try Base32.decode(Base32.encode(bytes)) == bytes)
    #expect(Base16.decode(Base16.encode(bytes)) == bytes)
  }

  @Test(arguments: ["a", "0g", "abc", "+1", " 1"]) func whatIsNoBase16IsRefused(_ text: String) {
    #expect(Base16.decode(text.utf8) == nil)
  }
}
