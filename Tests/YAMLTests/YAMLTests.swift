import Testing
import YAML

struct YAMLTests {
  private func read(_ text: String, _ limits: YAMLLimits = YAMLLimits()) throws -> YAMLNode? {
    try YAMLDocument.read(Array(text.utf8), limits: limits)
  }

  /// A node as one line, for comparing.
  private func text(_ node: YAMLNode?) -> String {
    guard let node else { return "nothing" }
    let tag = node.tag.map { "<\($0)>" } ?? ""
    switch node.content {
    case .scalar(let text, .plain): return tag + text
    case .scalar(let text, .quoted): return tag + "'\(text)'"
    case .scalar(let text, .block): return tag + "|\(text)|"
    case .sequence(let elements): return tag + "[" + elements.map { self.text($0) }.joined(separator: ",") + "]"
    case .mapping(let entries):
      return tag + "{" + entries.map { "\(self.text($0.key)):\(self.text($0.value))" }.joined(separator: ",") + "}"
    }
  }

  @Test(arguments: [
    ("", "nothing"), ("# only this\n", "nothing"), ("---\n", ""), ("a", "a"), ("'a'", "'a'"), ("\"a\\tb\"", "'a\tb'"),
    ("a: 1\nb:\n- x\n- y: z\n", "{a:1,b:[x,{y:z}]}"), ("{a: [1, 2], 'b c': }", "{a:[1,2],'b c':}"),
    ("a: |\n  x\n   y\n\nb: >-\n  x\n  y\n", "{a:|x\n y\n|,b:|x y|}"),
    ("? [a, b]\n: c\n", "{[a,b]:c}"), ("a: 1\na: 2\n", "{a:1,a:2}"),
    ("!!str 1", "<tag:yaml.org,2002:str>1"), ("!own {a: !!int 1}", "<!own>{a:<tag:yaml.org,2002:int>1}"),
    ("%TAG !e! tag:example.com,2000:\n---\n!e!x a\n", "<tag:example.com,2000:x>a"),
    ("a: &x [1]\nb: *x\n<<: {c: d}\n", "{a:[1],b:[1],<<:{c:d}}"), ("a\n...\n", "a"), ("\u{FEFF}a: ü\n", "{a:ü}"),
  ])
  func documents(_ source: String, _ expected: String) throws {
    #expect(text(try read(source)) == expected)
  }

  @Test(arguments: [
    ("a: b: c", 1), ("a:\n\t- b\n", 2), ("[a", 1), ("'a", 1), ("a: *none\n", 1), ("&x [*x]", 1), ("a\n---\nb\n", 2),
    ("a: 1\n b: 2\n", 2), ("@a", 1), ("\"\\q\"", 1), ("a: |x\n", 1), ("- a\nb: c\n", 2),
  ])
  func mistakesAreErrorsWithTheirLine(_ source: String, _ line: Int) {
    let error = #expect(throws: YAMLError.self) { try read(source) }
    // libyaml may only notice on the line after.
    #expect(((error?.line ?? 0) == line || error?.line == line + 1) && error?.problem.isEmpty == false, "\(source)")
  }

  @Test func invalidUTF8AndControlCharactersAreErrors() {
    #expect(throws: YAMLError.self) { try YAMLDocument.read([0x61, 0xFF, 0x62]) }
    #expect(throws: YAMLError.self) { try YAMLDocument.read([0x61, 0x01]) }
    // Taken for UTF-16 if nobody said what it is.
    #expect(throws: YAMLError.self) { try YAMLDocument.read([0xFF, 0xFE, 0x61, 0x00]) }
  }

  @Test func nodesKnowTheirPlacesAndTags() throws {
    let node = try read("a:\n  - !!float 1\n")
    guard case .mapping(let entries)? = node?.content, case .sequence(let elements) = entries[0].value.content else {
      Issue.record("not the tree that was written")
      return
    }
    #expect(elements[0].line == 2 && elements[0].column == 5)
    #expect(elements[0].standardTag == "float" && entries[0].key.standardTag == nil)
    #expect(!entries[0].key.isMergeKey)
    guard case .mapping(let merge)? = try read("<<: {}\n'<<': {}\n")?.content else {
      Issue.record("not the tree that was written")
      return
    }
    #expect(merge[0].key.isMergeKey && !merge[1].key.isMergeKey)
  }

  @Test func nestingIsBounded() throws {
    let deep = String(repeating: "[", count: 50) + String(repeating: "]", count: 50)
    #expect(try read(deep, YAMLLimits(nesting: 50)) != nil)
    let error = #expect(throws: YAMLError.self) { try read(deep, YAMLLimits(nesting: 49)) }
    #expect(error?.column == 50)
    #expect(throws: YAMLError.self) { try read(String(repeating: "- ", count: 100_000)) }
  }

  @Test func aliasesCountAsWhatTheyStandFor() throws {
    // Nine levels of nine: 387,420,489 scalars in a text of a few lines.
    var text = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n"
    for level in 1..<9 {
      let alias = "*a\(level - 1)"
      text += "a\(level): &a\(level) [\(Array(repeating: alias, count: 9).joined(separator: ","))]\n"
    }
    let error = #expect(throws: YAMLError.self) { try read(text) }
    #expect(error?.problem.contains("aliases") == true)
    #expect(try read("[&a [x, y], *a]")?.weight == 7)
    #expect(throws: YAMLError.self) { try read("[&a [x, y], *a]", YAMLLimits(nodes: 6)) }
  }
}
