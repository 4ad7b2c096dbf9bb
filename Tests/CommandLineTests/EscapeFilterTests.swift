import Testing

@testable import CommandLine

@Suite struct EscapeFilterTests {
  private func filtered(_ pieces: String..., character: String = "~") throws -> (text: String, ends: Bool) {
    var filter = try EscapeFilter(character: character)
    var text = ""
    for piece in pieces {
      let (bytes, ends) = filter.filter(Array(piece.utf8))
      text += String(decoding: bytes, as: UTF8.self)
      if ends { return (text, true) }
    }
    return (text, false)
  }

  @Test func atTheBeginningOfALineItEndsTheSession() throws {
    for pieces in [["~."], ["ls\r~."], ["ls\n", "~", "."], ["ls\r", "~.rest"]] {
      var filter = try EscapeFilter(character: "~")
      let results = pieces.map { filter.filter(Array($0.utf8)) }
      #expect(results.last?.ends == true, "\(pieces)")
    }
    #expect(try filtered("ls\r~.rest").text == "ls\r")
  }

  @Test func elsewhereItIsACharacter() throws {
    #expect(try filtered("cd ~.\r") == ("cd ~.\r", false))
    #expect(try filtered("~~.\r") == ("~.\r", false))
    #expect(try filtered("~x\r") == ("~x\r", false))
    #expect(try filtered("#.", character: "#").ends)
    #expect(try filtered("~.", character: "none") == ("~.", false))
    #expect(throws: UsageError.self) { try EscapeFilter(character: "ab") }
  }
}
