import Codec
import FoundationEssentials
import Testing

/// Which texts are JSON: RFC 8259 §2 to §8, rule by rule, along the lines of the public JSONTestSuite.
struct JSONGrammarTests {
  static let accepted: [String] = [
    // §2: a text is any value, with white space around every token.
    "null", "true", "false", "42", "-0.1", "\"a\"", "\"\"", "[]", "{}", " [] ", "\t[\n1\r,\n2 ]\n", "[[]   ]", "[1\n]",
    " [1]", "[2] ", "[ 4]", "{\n\"a\": \"b\"\n}", "[null, 1, \"1\", {}]", "[1,null,null,null,2]", "[true]", "[false]",
    // §4: names need not be unique, nor anything but strings.
    "{\"a\":\"b\",\"a\":\"c\"}", "{\"a\":\"b\",\"a\":\"b\"}", "{\"\":0}", "{\"a\\u0000b\": 42}", "{\"a\":[]}",
    "{\"x\":[{\"id\": \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"}], \"id\": \"xxxxxxxxxxxxxxxxxxxxxx\"}",
    "{ \"min\": -1.0e+28, \"max\": 1.0e+28 }",
    // §6: numbers.
    "[123e65]", "[0e+1]", "[0e1]", "[20e1]", "[-0]", "[-123]", "[-1]", "[1E22]", "[1E-2]", "[1E+2]", "[123e45]",
    "[123.456e78]", "[1e-2]", "[1e+2]", "[123]", "[123.456789]",
    "[-0.00000000000000000000000000000000000000000000000000000000000000000000000000000001]",
    // Larger than any machine type: still the grammar's numbers.
    "[100000000000000000000]", "[-123123123123123123123123123123]", "[123.456e-789]", "[123e-10000000]",
    // §7: strings and their escapes; every scalar of Unicode, also the noncharacters.
    #"["\"\\\/\b\f\n\r\t"]"#, #"["\\u0000"]"#, #"["\""]"#, #"["a/*b*/c/*d//e"]"#, #"["\\a"]"#, #"["\\n"]"#,
    #"["\u0012"]"#, #"["\uFFFF"]"#, #"["\u0060\u012a\u12AB"]"#, #"["\uD801\udc37"]"#, #"["\ud83d\ude39\ud83d\udc8d"]"#,
    #"["\uDBFF\uDFFF"]"#, #"["new\u00A0line"]"#, #"["\u0000"]"#, #"["\u002c"]"#, #"["\uD834\uDd1e"]"#, #"["\u0821"]"#,
    #"["\u0061\u30af\u30EA\u30b9"]"#, #"["new\u000Aline"]"#, #"["\uA66D"]"#, #"["\u005C"]"#, #"["\uDBFF\uDFFE"]"#,
    #"["\u200B"]"#, #"["\uFDD0"]"#, #"["\u0022"]"#, "[\"\u{7F}\"]", "[\"\u{10FFFF}\"]", "[\"\u{FFFF}\"]",
    "[\"\u{1BFFF}\"]", "[\"π\"]", "[\"\u{2028}\"]", "[\"€𝄞\"]", "[\" \"]", "[ \"asd\"]",
    // Surrogates without a partner have no meaning (§8.2): like Go, we read U+FFFD.
    #"["\uDADA"]"#, #"["\uD888\u1234"]"#, #"["\uDFAA"]"#, #"["\uD800\n"]"#, #"["\uDd1ea"]"#, #"["\uD800\uD800\n"]"#,
    #"["\ud800abc"]"#, #"["\uDd1e\uD834"]"#, #"{"\uDFAA":0}"#,
  ]

  static let rejected: [String] = [
    // Nothing, or more than one value.
    "", " ", "[][]", "[1]x", "[1]]", "2@", "\"\"x", "{}}", "{\"a\":\"b\"}#", "{\"a\": true} \"x\"", "123\u{0}", "1]",
    // Words.
    "[fals]", "[nul]", "[tru]", "[True]", "abc", "[x", "*", "[*]", "[a]", "TRUE", "nulls", "å", "aå", "[<null>]", "<.>",
    // Arrays.
    "[1 true]", "[\"\": 1]", "[\"\"],", "[,1]", "[1,,2]", "[\"x\",,]", "[\"x\"]]", "[\"\",]", "[\"x\"", "[3[4]]",
    "[1:2]",
    "[,]", "[   , \"\"]", "[\"a\",\n4\n,1,", "[1,]", "[1,,]", "[\"\"", "[1,", "[1,\n1\n,1", "[{}", "[", "[1", "]",
    "[\"asd]", "['", "[{", "[\"a", "[ false, nul", "[ true, fals", "[ false, tru", "[\u{2060}]", "[\u{0B}]", "[\u{0C}]",
    "[\u{0}]", "[\u{A0}1]",
    // Numbers.
    "[-]", "[++1234]", "[+1]", "[+Inf]", "[-01]", "[-1.0.]", "[-2.]", "[-NaN]", "[.-1]", "[.2e-3]", "[0.1.2]",
    "[0.3e+]",
    "[0.3e]", "[0.e1]", "[0E+]", "[0E]", "[0e+]", "[0e]", "[1.0e+]", "[1.0e-]", "[1.0e]", "[1 000.0]", "[1eE2]",
    "[2.e+3]", "[2.e-3]", "[2.e3]", "[9.e+]", "[Inf]", "[NaN]", "[１]", "[1+2]", "[0x1]", "[0x42]", "[Infinity]",
    "[0e+-1]", "[-123.123foo]", "[-Infinity]", "[-foo]", "[- 1]", "[-012]", "[-.123]", "[-1x]", "[1ea]", "[1.]",
    "[.123]", "[1.2a-3]", "[1.8011670033376514H-308]", "[012]", "[00]", "-", "1.", "1e",
    // Objects.
    "[\"x\", truth]", "{[: \"x\"}\n", "{\"x\", null}", "{\"x\"::\"b\"}", "{🇨🇭}", "{\"a\":\"a\" 123}", "{key: 'value'}",
    "{\"a\" b}", "{:\"b\"}", "{\"a\" \"b\"}", "{\"a\":", "{\"a\"", "{1:1}", "{9999E9999:1}", "{null:null,null:null}",
    "{\"id\":0,,,,,}", "{'a':0}", "{\"id\":0,}", "{\"a\":\"b\",,\"c\":\"d\"}", "{a: \"b\"}", "{\"a\":\"a",
    "{ \"foo\" : \"bar\", \"a\" }", "{", "{]", "{,", "{[", "{\"a", "{'a'", "{\"x\": true,", "{\"asd\":\"asd\"",
    "{\"\":",
    // Comments are none of JSON's.
    "{\"a\":\"b\"}/**/", "{\"a\":\"b\"}//", "{\"a\":\"b\"}/", "{\"a\":/*comment*/\"b\"}", "{\"a\":\"b\"}#{}", "// a\n1",
    // Strings.
    #"["\uD800\"]"#, #"["\uD800\u"]"#, #"["\uD800\u1"]"#, #"["\uD800\u1x"]"#, "[é]", "[\"\\\u{0}\"]", #"["\x00"]"#,
    #"["\\\"]"#, "[\"\\\t\"]", "[\"\\🌀\"]", #"["\"]"#, #"["\u00A"]"#, #"["\uD834\uDd"]"#, #"["\uD800\uD800\x"]"#,
    #"["\a"]"#, #"["\uqqqq"]"#, #"[\u0020"asd"]"#, #"[\n]"#, "\"", "['single quote']", "[\"\\", "[\"a\u{0}a\"]",
    "[\"new\nline\"]", "[\"\t\"]", "[\"\u{1F}\"]", #""\UA66D""#, #"["\{["\{["\{["\{"#, #"[\u000A""]"#, "[\"\\u\"]",
    // A byte order mark is not ours to skip (§8.1).
    "\u{FEFF}", "\u{FEFF}{}",
  ]

  /// Not UTF-8: stray and missing continuation bytes, overlong forms, surrogates, beyond U+10FFFF, other encodings.
  static let rejectedBytes: [[UInt8]] = [
    [0x5B, 0x61, 0xE5, 0x5D], [0x5B, 0xFF, 0x5D], [0x5B, 0x31, 0x32, 0xE5, 0x5D], [0x5B, 0x31, 0x65, 0x31, 0xE5, 0x5D],
    [0x7B, 0x22, 0xB9, 0x22, 0x3A, 0x30, 0x7D], [0xE5], [0xE9], [0xEF, 0xBB], [0xEF, 0xBB, 0x7B, 0x7D],
    [0x22, 0xE6, 0x97, 0xA5, 0xD1, 0x88, 0xFA, 0x22], [0x22, 0xED, 0xA0, 0x80, 0x22], [0x22, 0xFF, 0x22],
    [0x22, 0xE9, 0x22], [0x22, 0x81, 0x22], [0x22, 0xF4, 0xBF, 0xBF, 0xBF, 0x22], [0x22, 0xF4, 0x90, 0x80, 0x80, 0x22],
    [0x22, 0xC0, 0xAF, 0x22], [0x22, 0xC1, 0xBF, 0x22], [0x22, 0xE0, 0x9F, 0xBF, 0x22],
    [0x22, 0xF0, 0x8F, 0xBF, 0xBF, 0x22],
    [0x22, 0xFC, 0x83, 0xBF, 0xBF, 0xBF, 0xBF, 0x22], [0x22, 0xE0, 0xFF, 0x22], [0x22, 0xE2, 0x82, 0x22], [0x22, 0xE2],
    [0x22, 0x5C, 0xE5, 0x22], [0x22, 0x5C, 0x75, 0xE5, 0x22], [0xFF, 0xFE, 0x5B, 0x00, 0x5D, 0x00],
    [0x00, 0x5B, 0x00, 0x5D], [0x5B, 0x00, 0x5D, 0x00],
  ]

  @Test func textsThatAreJSON() {
    for text in Self.accepted { #expect(throws: Never.self, "\(text)") { try JSONDocument(Array(text.utf8)) } }
  }

  @Test func textsThatAreNot() {
    for text in Self.rejected { #expect(throws: CodecError.self, "\(text)") { try JSONDocument(Array(text.utf8)) } }
    for bytes in Self.rejectedBytes { #expect(throws: CodecError.self, "\(bytes)") { try JSONDocument(bytes) } }
  }

  @Test func everyBeginningOfATextIsRefused() {
    let text = Array(#"{"a":[1,-2.5e3,true,false,null,"x\u00e9é\n"],"b":{"c":{}}}"#.utf8)
    for count in 0..<text.count { #expect(throws: CodecError.self) { try JSONDocument(Array(text[..<count])) } }
    #expect(throws: Never.self) { try JSONDocument(text) }
  }

  @Test func nestingIsBounded() {
    func nested(_ levels: Int) -> [UInt8] {
      Array(repeating: 0x5B, count: levels) + Array(repeating: 0x5D, count: levels)
    }
    #expect(throws: Never.self) { try JSONDocument(nested(128)) }
    #expect(throws: CodecError.self) { try JSONDocument(nested(129)) }
    #expect(throws: CodecError.self) { try JSONDocument(Array(repeating: 0x5B, count: 100_000)) }
    #expect(throws: CodecError.self) {
      try JSONDocument(Array(String(repeating: "[{\"\":", count: 50_000).utf8))
    }
  }

  @Test func errorsSayWhere() {
    #expect(throws: CodecError(offset: 4, problem: "expected a value, got \"]\"")) {
      try JSONDocument(Array("[1, ]".utf8))
    }
  }

  static let suite = ProcessInfo.processInfo.environment["JSON_TEST_SUITE"]

  /// The suite itself (github.com/nst/JSONTestSuite), when `JSON_TEST_SUITE` names its `test_parsing` folder.
  @Test(.enabled(if: suite != nil, "JSON_TEST_SUITE does not name the suite's test_parsing folder"))
  func publicSuite() throws {
    let folder = try #require(Self.suite)
    var counts: [Character: Int] = [:]
    for name in try FileManager.default.contentsOfDirectory(atPath: folder).sorted() {
      let bytes = Array(try Data(contentsOf: URL(filePath: folder + "/" + name)))
      let accepted = (try? JSONDocument(bytes)) != nil
      guard let kind = name.first else { continue }
      counts[kind, default: 0] += 1
      if kind == "y" { #expect(accepted, "\(name)") }
      if kind == "n" { #expect(!accepted, "\(name)") }
    }
    #expect(counts["y"] ?? 0 > 90 && counts["n"] ?? 0 > 180, "\(counts)")
  }
}
