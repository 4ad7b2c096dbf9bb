import RegularExpression
import Testing

struct PatternTests {
  /// The text that a pattern matches first, with its groups, nil where there is none.
  private func match(_ pattern: String, _ text: String) throws -> [String?]? {
    let bytes = Array(text.utf8)
    return try Pattern(pattern).firstMatch(in: bytes).map { match in
      match.groups.map { range in range.map { String(decoding: bytes[$0], as: UTF8.self) } }
    }
  }

  @Test(arguments: [
    // Leftmost, then by preference, not longest.
    ("a|ab", "ab", ["a"]), ("a+", "baaa", ["aaa"]), ("a+?", "aaa", ["a"]), ("(a*)(a+)", "aaa", ["aaa", "aa", "a"]),
    ("x{2,3}", "xxxx", ["xxx"]), ("x{2}", "xxx", ["xx"]), ("x{2,}?", "xxxx", ["xx"]), ("a{,2}", "a{,2}", ["a{,2}"]),
    ("[a-c]+", "xxabcd", ["abc"]), ("[^a-c]+", "abcd", ["d"]), ("[]a]+", "]a", ["]a"]), ("[[:digit:]]+", "a12", ["12"]),
    (#"\d+\s\w+"#, "n 42 foo", ["42 foo"]), (#"\bfoo\b"#, "a foo b", ["foo"]), (#"(?i)straße"#, "STRAßE", ["STRAßE"]),
    ("(?i)k", "\u{212A}", ["\u{212A}"]), ("(?s)a.b", "a\nb", ["a\nb"]), ("(?m)^b$", "a\nb\nc", ["b"]),
    (#"\Qa.b\E+"#, "a.bb", ["a.bb"]),
    (#"\p{Lu}\p{Ll}+"#, "été Été", ["Été"]), (#"\x41\x{1F600}"#, "A😀", ["A😀"]),
    ("(?P<x>a)(?:b)(c)", "abc", ["abc", "a", "c"]),
    ("", "abc", [""]), ("日.語", "日本語", ["日本語"]),
  ])
  func matches(pattern: String, text: String, expected: [String]) throws {
    #expect(try match(pattern, text) == expected)
  }

  @Test func absentGroupIsNil() throws {
    #expect(try match("(a)|(b)", "b") == ["b", nil, "b"])
  }

  @Test(arguments: [("^a$", "a\n"), ("a.b", "a\nb"), (#"\Bfoo"#, "a foo"), ("[^\\w]", "abc"), ("a", "")])
  func doesNotMatch(pattern: String, text: String) throws {
    #expect(try match(pattern, text) == nil)
  }

  @Test(arguments: [
    "(", "a)", "[a", "*a", "a**", "x{1001}", "x{3,2}", "\\", "(?P<1x", "(?<n>a)(?<n>b)", "\\8", "\\p{Greek}", "[b-a]",
    "(?z)",
  ])
  func isRefused(pattern: String) {
    #expect(throws: PatternError.self) { try Pattern(pattern) }
  }

  @Test func replaces() throws {
    #expect(try Pattern("(b)(?P<n>c)").replacingMatches(in: "abcabc", with: "<$2${1}$n$$$9>") == "a<cbc$>a<cbc$>")
    // An empty match right after another match does not count.
    #expect(try Pattern("b*").replacingMatches(in: "abb", with: "-") == "-a-")
  }

  /// A pattern on which backtracking takes 2^n steps, and nested repetition that multiplies.
  @Test(.timeLimit(.minutes(10))) func takesLinearTime() throws {
    let text = String(repeating: "a", count: 20_000)
    #expect(try !Pattern("(a+)+$b").matches(text))
    #expect(try Pattern("(a?){50}a{50}").matches(String(repeating: "a", count: 50)))
    #expect(throws: PatternError.self) { try Pattern("((x{1000}){1000}){1000}") }
    #expect(throws: PatternError.self) { try Pattern("(?:(?:(?:){1000}){1000}){1000}") }
    #expect(throws: PatternError.self) { try Pattern(String(repeating: "(", count: 100_000)) }
  }
}
