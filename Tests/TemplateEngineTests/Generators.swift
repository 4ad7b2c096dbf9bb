import TemplateEngine

/// Makes random requests for the oracle: most templates are well formed, a share is damaged afterwards.
struct TemplateGenerator {
  var random: SeededGenerator
  private var variables: [String] = ["$"]
  private var loops = 0

  init(seed: UInt64) { random = SeededGenerator(seed: seed) }

  static let data = #"""
    {"a":1,"b":"two","c":[1,2,3],"d":{"x":1,"y":"z","n":null},"e":[],"f":1.5,"g":{},"h":true,"i":false,"n":null,
    "l":[{"id":"a1","n":3,"tags":["p","q"]},{"id":"b2","n":0,"tags":[]}],"s":"<a href=\"x\">&'é\u0001","z":0,
    "m":{"k2":{"v":2},"k1":{"v":1}},"neg":-7,"big":1e21,"small":2.5e-7,"uni":"héllo wörld","mix":[1,"a",null,true,[1]]}
    """#

  private static let fields = [
    ".", ".a", ".b", ".c", ".d", ".d.x", ".d.y", ".d.n", ".e", ".f", ".g", ".h", ".i", ".n", ".l", ".s", ".z", ".m",
    ".m.k1", ".m.k1.v", ".neg", ".big", ".small", ".uni", ".mix", ".missing", ".missing.deep", ".d.missing", ".b.c",
    ".n.x", ".id", ".tags", ".v", "$", "$.a", "$.l", "$.d.y", "$.missing",
  ]
  private static let literals = [
    "1", "0", "-1", "3", "0x1F", "1e3", "1.5", "'a'", "'\\n'", "\"s\"", "\"\"", "`raw`", "\"a\\tb\"", "true", "false",
    "nil", "2i", "1_000", "\"k1\"", "\"x\"", "\"%d|%s\"", "\"%v\"", "0b11", "0o17", "017", "1e30",
    "9223372036854775807",
  ]

  mutating func request() -> [UInt8] {
    variables = ["$"]
    loops = 0
    var source = block(depth: 3)
    if random.chance(25) {
      source += "{{define \"T\"}}\(block(depth: 1))[{{.}}]{{end}}"
      source += "{{template \"T\"\(random.chance(70) ? " " + operand() : "")}}"
    }
    if random.chance(12) { source = damaged(source) }
    var fields: [ByteString: TemplateValue] = ["op": "exec", "src": .text(source)]
    fields["data"] = try? TemplateValue(json: Self.data.utf8)
    if random.chance(30) { fields["missingkey"] = .text(random.pick(["error", "zero", "default"])) }
    if random.chance(10) {
      fields["left"] = "<<"
      fields["right"] = ">>"
      let swapped = source.split(separator: "{{", omittingEmptySubsequences: false).joined(separator: "<<")
      fields["src"] = .text(swapped.split(separator: "}}", omittingEmptySubsequences: false).joined(separator: ">>"))
    }
    if random.chance(20) { fields["op"] = "parse" }
    return (try? TemplateValue.map(fields).json().bytes) ?? []
  }

  private mutating func damaged(_ source: String) -> String {
    var characters = Array(source)
    for _ in 0..<(1 + random.below(2)) where !characters.isEmpty {
      let at = random.below(characters.count)
      switch random.below(3) {
      case 0: characters.remove(at: at)
      case 1: characters.insert(random.pick(Array("{}()|.$\"'`:=,-+/ \n@x9é")), at: at)
      default: characters.swapAt(at, random.below(characters.count))
      }
    }
    return String(characters)
  }

  private mutating func block(depth: Int) -> String {
    let mark = variables.count
    var text = ""
    for _ in 0..<(1 + random.below(3)) { text += statement(depth: depth) }
    variables.removeSubrange(mark...)
    return text
  }

  private mutating func open() -> String { random.chance(15) ? " \n {{- " : "{{" }
  private mutating func close() -> String { random.chance(15) ? " -}} \n" : "}}" }

  private mutating func statement(depth: Int) -> String {
    switch random.below(depth > 0 ? 14 : 6) {
    case 0: return random.pick(["text ", "a\nb", "é ", "}} ", "{ ", "", "  "])
    case 1, 2, 3: return open() + pipeline() + close()
    case 4: return open() + declaration() + close()
    case 5: return random.chance(40) ? "{{/* note */}}" : open() + pipeline() + close()
    case 6, 7:
      var text = open() + "if " + pipeline() + close() + block(depth: depth - 1)
      while random.chance(25) { text += open() + "else if " + pipeline() + close() + block(depth: depth - 1) }
      if random.chance(40) { text += "{{else}}" + block(depth: depth - 1) }
      return text + "{{end}}"
    case 8, 9:
      return open() + "with " + pipeline() + close() + block(depth: depth - 1)
        + (random.chance(40) ? "{{else}}" + block(depth: depth - 1) : "") + "{{end}}"
    default: return loop(depth: depth)
    }
  }

  private mutating func loop(depth: Int) -> String {
    let mark = variables.count
    var head = "range "
    let subject =
      random.chance(85) ? random.pick([".c", ".l", ".d", ".m", ".e", ".g", ".mix", "$.l", "$.c"]) : pipeline()
    switch random.below(3) {
    case 0: head += subject
    case 1:
      head += "$v\(mark) := " + subject
      variables.append("$v\(mark)")
    default:
      head += "$k\(mark), $v\(mark) := " + subject
      variables += ["$k\(mark)", "$v\(mark)"]
    }
    loops += 1
    var body = block(depth: depth - 1)
    if random.chance(25) { body += "{{if " + pipeline() + "}}{{" + random.pick(["break", "continue"]) + "}}{{end}}" }
    loops -= 1
    if random.chance(3) { body += "{{break}}" }
    variables.removeSubrange(mark...)
    let otherwise = random.chance(30) ? "{{else}}" + block(depth: depth - 1) : ""
    return open() + head + close() + body + otherwise + "{{end}}"
  }

  private mutating func declaration() -> String {
    if random.chance(30), variables.count > 1 { return random.pick(variables) + " = " + pipeline() }
    let name = "$x\(variables.count)"
    let text = name + " := " + pipeline()
    variables.append(name)
    return text
  }

  private mutating func pipeline() -> String {
    var text = command()
    while random.chance(25) { text += " | " + function(piped: true) }
    return text
  }

  private mutating func command() -> String {
    random.chance(50) ? operand() : function(piped: false)
  }

  private mutating func operand(depth: Int = 2) -> String {
    switch random.below(12) {
    case 0...6: return random.pick(Self.fields)
    case 7: return random.pick(variables) + (random.chance(30) ? random.pick([".x", ".id", ".v", ".a"]) : "")
    case 8 where depth > 0:
      let inner = "(" + function(piped: false, depth: depth - 1) + ")"
      return inner + (random.chance(25) ? random.pick([".x", ".id", ".v"]) : "")
    default: return random.pick(Self.literals)
    }
  }

  private mutating func function(piped: Bool, depth: Int = 2) -> String {
    let less = piped ? 1 : 0
    let (name, least, most) = random.pick([
      ("and", 1, 3), ("or", 1, 3), ("not", 1, 1), ("len", 1, 1), ("index", 1, 3), ("slice", 1, 2), ("print", 1, 3),
      ("printf", 1, 3), ("println", 0, 2), ("html", 1, 2), ("js", 1, 2), ("urlquery", 1, 2), ("eq", 2, 3), ("ne", 2, 2),
      ("lt", 2, 2), ("le", 2, 2), ("gt", 2, 2), ("ge", 2, 2), ("call", 1, 2),
    ])
    var count = max(least + random.below(most - least + 1) - less, 0)
    if random.chance(4) { count += 1 }
    var text = name
    for position in 0..<count {
      if name == "printf", position == 0, random.chance(85) {
        text +=
          " "
          + random.pick([
            "\"%d\"", "\"%v|%v\"", "\"%q\"", "\"%T\"", "\"%5.2f|%x\"", "\"%#v\"", "\"%+v\"", "\"%s\"", "\"%08d\"",
            "\"%-6s|\"",
          ])
      } else if name == "index" || name == "slice", position == 0, random.chance(70) {
        text += " " + random.pick([".c", ".d", ".m", ".l", ".b", ".uni", "$.m", ".mix"])
      } else if name == "index" || name == "slice", position > 0, random.chance(70) {
        text += " " + random.pick(["0", "1", "2", "\"k1\"", "\"v\"", "\"x\""])
      } else {
        text += " " + operand(depth: depth)
      }
    }
    return text
  }
}

/// Makes random `Sprintf` requests.
struct FormatGenerator {
  var random: SeededGenerator

  init(seed: UInt64) { random = SeededGenerator(seed: seed) }

  private static let values = [
    "0", "1", "-1", "42", "255", "65", "128512", "9223372036854775807", "-9223372036854775808", "1.5", "-0.25", "0.1",
    "3.0", "1e100", "1e21", "123456789.0", "1e-7", "2.5", "0.5", "1e6", "1e20", "5e-324", "1.7976931348623157e308",
    "100.0",
    "\"hi\"", "\"\"", "\"é\\n\\\"q\\\"\"", "\"a\\u0000b\"", "\"日本\"", "\"`tick`\"", "\"tab\\t\"", "true", "false",
    "null",
    "[]", "[1,\"a\",null,2.5]", "{}", "{\"b\":1,\"a\":\"x\"}", "{\"k\":[1,{\"z\":null}]}", "[[1],[2,3]]", "1.0",
    "12345.678",
    "99999.5", "0.000123456", "1e15", "123456.0", "1234567.0",
  ]
  private static let verbs = Array("vdsqxXtfFeEgGbcoOUTzw%!")

  mutating func request() -> [UInt8] {
    var format = ""
    for _ in 0..<(1 + random.below(3)) {
      format += random.pick(["", "a", " ", "é", "|", "%%"])
      format += "%"
      while random.chance(30) { format += random.pick(["+", "-", "#", "0", " "]) }
      if random.chance(6) { format += "[\(random.pick(["1", "2", "3", "9", "0", "x", ""]))]" }
      if random.chance(30) { format += random.chance(15) ? "*" : String(random.below(14)) }
      if random.chance(25) {
        format += "."
        if random.chance(85) { format += random.chance(12) ? "*" : String(random.below(12)) }
      }
      if random.chance(97) { format += String(random.pick(Self.verbs)) }
    }
    let count = random.below(4)
    let arguments = (0..<count).map { _ in random.pick(Self.values) }.joined(separator: ",")
    let quoted = (try? TemplateValue.text(format).json().description) ?? "\"\""
    return Array("{\"op\":\"fmt\",\"verb\":\(quoted),\"args\":[\(arguments)]}".utf8)
  }
}
