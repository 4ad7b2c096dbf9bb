import HCL

/// Makes random requests, the same ones for the same seed: mostly valid text of every construct of the language, some of it
/// broken on purpose.
package struct RequestGenerator {
  private var state: UInt64
  private var variables: [String] = []

  package init(seed: UInt64) {
    state = seed
  }

  // MARK: Randomness (SplitMix64)

  private mutating func bits() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
    return z ^ z >> 31
  }

  private mutating func below(_ n: Int) -> Int { Int(bits() % UInt64(max(1, n))) }
  private mutating func chance(_ percent: Int) -> Bool { below(100) < percent }
  private mutating func pick<T>(_ items: [T]) -> T { items[below(items.count)] }

  // MARK: Requests

  package mutating func next() -> String {
    variables = ["s", "n", "b", "l", "m", "o", "t", "z", "e", "objs", "u"]
    let dice = below(100)
    switch dice {
    case 0..<62: return request("expr", broken(expression(3)))
    case 62..<72: return request("template", broken(template(2, quoted: false)))
    case 72..<82: return request("body", broken(body(2)))
    case 82..<87: return request("dynamic", dynamicBody())
    case 87..<91: return request("tokens", broken(chance(50) ? body(2) : expression(3), 70))
    case 91..<94: return request("fmt", squeezed(body(2)))
    case 94..<97: return request("type", broken(type(3), 5))
    case 97..<98: return request("json", json(3, top: true))
    default: return request("vars", expression(3))
    }
  }

  private func request(_ op: String, _ source: String) -> String {
    let values =
      #"{"s":"\"hello\"","n":"42","b":"true","l":"[1, 2, 3]","m":"convert({a = \"x\", b = \"y\"}, map(string))","#
      + #""o":"{a = 1, b = {c = [true, null]}}","t":"[1, \"two\", false]","z":"null","e":"[]","#
      + #""objs":"[{id = 1, name = \"p\"}, {id = 2, name = \"q\"}]","u":"\"é🇦🇹x\""}"#
    return "{\"op\":\"\(op)\",\"src\":\(JSONText.quoted(source, escapingHTML: false)),\"vars_hcl\":\(values)}"
  }

  /// The text, in a share of cases with one character lost, doubled or replaced.
  private mutating func broken(_ text: String, _ percent: Int = 8) -> String {
    guard chance(percent), !text.isEmpty else { return text }
    var characters = Array(text)
    let i = below(characters.count)
    switch below(4) {
    case 0: characters.remove(at: i)
    case 1: characters.insert(characters[i], at: i)
    case 2: characters[i] = pick(Array("{}[]()\"$%\\~.,:=?*&|!<>-+/ \nax0'`;@é\t#"))
    default: characters.removeSubrange(i..<min(characters.count, i + 1 + below(4)))
    }
    return String(characters)
  }

  private mutating func squeezed(_ text: String) -> String {
    var out = ""
    for character in text {
      if character == " ", chance(40) { continue }
      out.append(character)
      if character == " ", chance(20) { out += "  " }
      if "=,([".contains(character), chance(20) { out += " " }
    }
    return out
  }

  // MARK: Expressions

  private mutating func expression(_ depth: Int) -> String {
    if depth <= 0 { return leaf() }
    switch below(24) {
    case 0...3: return leaf()
    case 4...6:
      let op = pick(["+", "-", "*", "/", "%", "==", "!=", "<", "<=", ">", ">=", "&&", "||"])
      return "\(operand(depth - 1, op)) \(op) \(operand(depth - 1, op))"
    case 7: return "(\(expression(depth - 1)))"
    case 8: return pick(["-", "!"]) + expression(depth - 1)
    case 9: return "\(boolean(depth - 1)) ? \(expression(depth - 1)) : \(expression(depth - 1))"
    case 10: return list(depth)
    case 11: return object(depth)
    case 12: return forTuple(depth)
    case 13: return forObject(depth)
    case 14: return "\"" + template(depth - 1, quoted: true) + "\""
    case 15: return splat(depth)
    case 16: return "\(collection(depth - 1))[\(expression(depth - 2))]"
    case 17: return heredoc(depth - 1)
    default: return call(depth)
    }
  }

  private mutating func operand(_ depth: Int, _ op: String) -> String {
    if chance(15) { return expression(depth) }
    switch op {
    case "&&", "||": return boolean(depth)
    case "==", "!=": return expression(depth)
    default: return numeric(depth)
    }
  }

  private mutating func boolean(_ depth: Int) -> String {
    switch below(6) {
    case 0: return pick(["true", "false", "b", "\"true\""])
    case 1: return "\(numeric(depth - 1)) \(pick(["<", ">", ">=", "=="])) \(numeric(depth - 1))"
    case 2: return "!" + pick(["true", "false", "b"])
    case 3: return "can(\(expression(depth - 1)))"
    case 4: return "contains(\(list(depth)), \(leaf()))"
    default: return pick(["true", "false"])
    }
  }

  private mutating func numeric(_ depth: Int) -> String {
    switch below(depth > 0 ? 8 : 5) {
    case 0: return "n"
    case 1: return "\"\(below(50))\""
    case 2...4: return number()
    case 5: return "length(\(collection(depth - 1)))"
    case 6: return "(\(numeric(depth - 1)) \(pick(["+", "-", "*", "/", "%"])) \(numeric(depth - 1)))"
    default: return pick(["abs", "ceil", "floor", "signum"]) + "(\(numeric(depth - 1)))"
    }
  }

  private mutating func number() -> String {
    switch below(10) {
    case 0: return "0"
    case 1: return "\(below(10)).\(below(1000))"
    case 2: return "\(bits())\(bits())"
    case 3: return "\(below(100))e\(below(12))"
    case 4: return "\(1 + below(9)).\(below(100))e-\(below(20))"
    case 5: return "-\(below(100))"
    case 6: return "0.\(below(10))"
    default: return "\(below(20))"
    }
  }

  private mutating func leaf() -> String {
    switch below(12) {
    case 0...2: return number()
    case 3...5: return "\"\(plainText())\""
    case 6: return pick(["true", "false", "null"])
    case 7: return "o." + pick(["a", "b", "b.c", "b.c[0]", "x", "b.c.0"])
    case 8: return "m." + pick(["a", "b", "zz"])
    case 9: return pick(["l[0]", "t[1]", "l[7]", "objs[0].name", "objs.1.id", "m[\"a\"]", "t[-1]", "nope"])
    default: return pick(variables)
    }
  }

  private mutating func collection(_ depth: Int) -> String {
    switch below(6) {
    case 0: return pick(["l", "t", "m", "o", "e", "objs"])
    case 1: return object(depth)
    case 2: return "convert(\(list(depth)), \(pick(["list(string)", "set(string)", "list(any)", "set(any)"])))"
    case 3: return "convert(\(object(depth)), map(\(pick(["string", "any"]))))"
    default: return list(depth)
    }
  }

  private mutating func list(_ depth: Int) -> String {
    let count = below(4)
    let uniform = chance(60)
    let kind = below(3)
    var items: [String] = []
    for _ in 0..<count {
      if uniform {
        items.append(kind == 0 ? number() : kind == 1 ? "\"\(plainText())\"" : pick(["true", "false"]))
      } else {
        items.append(expression(depth - 2))
      }
    }
    return "[" + items.joined(separator: ", ") + (count > 0 && chance(10) ? "," : "") + "]"
  }

  private mutating func object(_ depth: Int) -> String {
    var items: [String] = []
    for _ in 0..<below(4) {
      let key = pick(["a", "b", "c", "\"k y\"", "(s)", "\"x${n}\"", "1", "true"])
      items.append("\(key) \(pick(["=", ":"])) \(expression(depth - 1))")
    }
    return chance(20) && !items.isEmpty
      ? "{\n" + items.map { "  " + $0 + "\n" }.joined() + "}" : "{" + items.joined(separator: ", ") + "}"
  }

  private mutating func forTuple(_ depth: Int) -> String {
    let (head, names) = forHead(depth)
    variables += names
    let value = expression(depth - 1)
    let condition = chance(30) ? " if \(boolean(depth - 1))" : ""
    variables.removeLast(names.count)
    return "[for \(head) : \(value)\(condition)]"
  }

  private mutating func forObject(_ depth: Int) -> String {
    let (head, names) = forHead(depth)
    variables += names
    let key = chance(70) ? pick(names) : "\"${\(pick(names))}\""
    let value = expression(depth - 1)
    let condition = chance(30) ? " if \(boolean(depth - 1))" : ""
    variables.removeLast(names.count)
    return "{for \(head) : \(key) => \(value)\(chance(30) ? "..." : "")\(condition)}"
  }

  private mutating func forHead(_ depth: Int) -> (String, [String]) {
    let collection = collection(depth - 1)
    return chance(50) ? ("x in \(collection)", ["x"]) : ("k, v in \(collection)", ["k", "v"])
  }

  private mutating func splat(_ depth: Int) -> String {
    let source = pick([
      "objs", "[{a = 1}, {a = 2}]", "l", "z", "s", "o", "[]", "[[1, 2], [3]]", "convert([\"a\"], set(string))",
    ])
    return source + pick(["[*]", ".*", "[*].a", ".*.name", "[*].id", "[*][0]", ".*.id[0]", "[*].name[*]", "[*][*]"])
  }

  private mutating func heredoc(_ depth: Int) -> String {
    var lines: [String] = []
    let flush = chance(60)
    for _ in 0..<(1 + below(4)) {
      let indent = String(repeating: pick([" ", " ", " ", "\t"]), count: below(6))
      let content =
        switch below(6) {
        case 0: ""
        case 1: "${\(leaf())}"
        case 2: "%{ if \(pick(["true", "false", "b"])) ~}yes%{ else }no%{ endif }"
        case 3: "text ${~ n ~} more"
        case 4: "$${x} %%{y} \\n"
        default: plainText()
        }
      lines.append(indent + content + "\n")
    }
    return "<<\(flush ? "-" : "")EOT\n" + lines.joined() + String(repeating: " ", count: below(4)) + "EOT\n"
  }

  private mutating func template(_ depth: Int, quoted: Bool) -> String {
    var out = ""
    for _ in 0..<below(4) {
      switch below(9) {
      case 0...2: out += plainText()
      case 3...4: out += "${\(chance(15) ? "~" : "") \(templateValue(depth)) \(chance(15) ? "~" : "")}"
      case 5: out += "%{ if \(boolean(1)) \(chance(20) ? "~" : "")}\(plainText())%{ else }b%{ endif }"
      case 6: out += "%{ for x in \(pick(["l", "t", "[\"p\", \"q\"]", "m"])) }${x}, %{ endfor \(chance(30) ? "~" : "")}"
      case 7: out += pick(["$${a}", "%%{b}", "$", "%", "$$", "{", "}"])
      default:
        out += quoted ? pick(["\\n", "\\t", "\\\"", "\\\\", "\\u00e9", "\\U0001F600"]) : pick([" \n ", "\n", "\t"])
      }
    }
    return out
  }

  private mutating func templateValue(_ depth: Int) -> String {
    chance(70) ? pick(["s", "n", "b", "u", "o.a", "l[0]", "upper(s)", "n + 1"]) : expression(depth - 1)
  }

  private mutating func plainText() -> String {
    pick([
      "", "a", "b", "hello", "Hello World", "x-y_z", "12", "é", "日本", "a,b,c", "  pad  ", "true", "0x1F", "foo.bar",
      "ÄÖ", "e\u{301}",
    ])
  }

  // MARK: Calls

  /// Arguments by kind: s string, n number, l list, m map or object, v any value, S list of strings.
  private static let signatures: [(String, [String])] = [
    ("abs", ["n"]), ("ceil", ["n"]), ("floor", ["n"]), ("signum", ["n"]), ("max", ["nnn", "n", "l..."]),
    ("min", ["nnn", "l..."]),
    ("parseint", ["in"]), ("upper", ["s"]), ("lower", ["s"]), ("title", ["s"]), ("reverse", ["s"]), ("strlen", ["s"]),
    ("substr", ["sii"]), ("chomp", ["s"]), ("trim", ["ss"]), ("trimprefix", ["ss"]), ("trimsuffix", ["ss"]),
    ("trimspace", ["s"]),
    ("indent", ["is"]), ("join", ["sS", "sSS"]), ("split", ["ss"]), ("replace", ["sss"]), ("regex_replace", ["srs"]),
    ("sort", ["S"]),
    ("chunklist", ["li"]), ("coalesce", ["vv", "nn", "sv"]), ("coalescelist", ["ll"]), ("compact", ["S"]),
    ("concat", ["ll", "lll"]),
    ("contains", ["lv"]), ("distinct", ["l"]), ("element", ["li"]), ("flatten", ["l"]), ("index", ["li", "ms"]),
    ("keys", ["m"]),
    ("length", ["l", "m", "v"]), ("lookup", ["mss", "msv"]), ("merge", ["mm", "mmm"]), ("range", ["i", "ii", "iii"]),
    ("setintersection", ["ll"]), ("setunion", ["ll", "lll"]), ("setproduct", ["ll"]), ("slice", ["lii"]),
    ("values", ["m"]),
    ("zipmap", ["Sl"]), ("base64encode", ["s"]), ("base64decode", ["B"]), ("urlencode", ["s"]), ("jsonencode", ["v"]),
    ("jsondecode", ["s"]), ("csvdecode", ["s"]), ("md5", ["s"]), ("sha1", ["s"]), ("sha256", ["s"]), ("sha512", ["s"]),
    ("try", ["vv", "v"]), ("can", ["v"]), ("format", ["fv", "fvv", "f"]), ("formatlist", ["fl", "flv"]),
    ("yamlencode", ["v"]),
    ("formatdate", ["dT"]), ("timeadd", ["Tt"]), ("cidrhost", ["ci"]), ("cidrsubnet", ["cii"]), ("cidrnetmask", ["c"]),
    ("uuidv5", ["us"]),
  ]

  private mutating func call(_ depth: Int) -> String {
    let (name, shapes) = pick(RequestGenerator.signatures)
    var shape = pick(shapes)
    var arguments: [String] = []
    let expands = shape.hasSuffix("...")
    if expands { shape.removeLast(3) }
    for kind in shape { arguments.append(argument(kind, depth - 1)) }
    if chance(3) { arguments.append(leaf()) }
    if chance(3), !arguments.isEmpty { arguments.removeLast() }
    return "\(name)(\(arguments.joined(separator: ", "))\(expands ? "..." : ""))"
  }

  private mutating func argument(_ kind: Character, _ depth: Int) -> String {
    if chance(6), kind != "B" { return expression(depth) }
    switch kind {
    case "s": return chance(80) ? "\"\(plainText())\"" : pick(["s", "u", "n", "m.a"])
    case "n": return numeric(depth)
    case "i": return pick(["0", "1", "2", "3", "-1", "10", "n", "\"2\"", "1.5"])
    case "l": return chance(50) ? collection(depth) : list(depth)
    case "S":
      var items: [String] = []
      for _ in 0..<below(4) { items.append("\"\(plainText())\"") }
      return "[" + items.joined(separator: ", ") + "]"
    case "m": return chance(50) ? pick(["m", "o"]) : object(depth)
    case "r":
      return "\""
        + pick([
          "a", "l+", "[aeiou]", "(.)(.)", "^h", "o$", "\\\\d+", "(?i)H", "x*", "(?P<q>l)", "b|c", "(", ".", "\\\\w{2}",
        ]) + "\""
    case "f":
      return "\""
        + pick([
          "%s", "%d", "%v", "%5s|", "%-6v|", "%05d", "%.2f", "%x", "%q", "%%", "%s-%s", "%[1]s %[1]v", "%t", "%e", "%g",
          "%+d", "%#v", "%b",
          "%08.3f", "%X", "%.3s", "%o", "a", "%z",
        ]) + "\""
    case "d":
      return "\"" + pick(["YYYY-MM-DD", "hh:mm:ss", "EEE, D MMM YY", "HH AA", "'x' ZZZ", "MMMM Z", "q", "ZZZZZ"]) + "\""
    case "T":
      return "\""
        + pick([
          "2018-01-02T23:12:01Z", "2020-02-29T00:00:00+05:30", "1999-12-31T23:59:59.9-08:00", "2018-13-01T00:00:00Z",
          "x",
        ]) + "\""
    case "t": return "\"" + pick(["1h", "-30m", "1.5s", "24h10m", "1d", "0", "100ms"]) + "\""
    case "c":
      return "\"" + pick(["10.0.0.0/8", "192.168.1.7/24", "fd00:1::/48", "10.1.2.3/32", "::/0", "x", "1.2.3.4"]) + "\""
    case "B": return "\"" + pick(["", "aGVsbG8=", "w6k=", "5pel5pys", "aGVsbG8", "a===", "YQ==", "!"]) + "\""
    case "u": return "\"" + pick(["dns", "url", "oid", "x500", "6ba7b810-9dad-11d1-80b4-00c04fd430c8", "no"]) + "\""
    default: return expression(depth)
    }
  }

  // MARK: Bodies, types, JSON

  private mutating func body(_ depth: Int) -> String {
    var out = ""
    for i in 0..<(1 + below(4)) {
      switch below(8) {
      case 0: out += pick(["# note\n", "// note\n", "/* a\n b */\n", "\n", "\n\n"])
      case 1...2 where depth > 0:
        let labels = pick(["", " \"x\"", " y \"z\"", " \"a b\""])
        out +=
          chance(20)
          ? "blk\(labels) { v = \(leaf()) }\n"
          : "blk\(labels) {\n"
            + body(depth - 1).split(separator: "\n", omittingEmptySubsequences: false).joined(separator: "\n  ")
            + "\n}\n"
      default:
        out += "name\(i)\(pick(["", "_long", "x"])) = \(expression(2))" + (chance(15) ? " # why" : "")
        if out.utf8.last != 0x0A { out += "\n" }
      }
    }
    return out
  }

  private mutating func dynamicBody() -> String {
    var out = ""
    for _ in 0..<(1 + below(2)) {
      if chance(30) { out += "blk {\n  a = \(leaf())\n}\n" }
      let iterator = chance(40) ? "  iterator = it\n" : ""
      let name = iterator.isEmpty ? "blk" : "it"
      out +=
        "dynamic \"blk\" {\n  for_each = \(pick(["l", "m", "t", "e", "objs", "[\"p\", \"q\"]", "z", "s", "{x = 1}"]))\n\(iterator)"
        + "  content {\n    k = \(name).key\n    v = \(name).value\n    w = \(leaf())\n  }\n}\n"
    }
    return out
  }

  private mutating func type(_ depth: Int) -> String {
    if depth <= 0 || chance(40) { return pick(["string", "number", "bool", "any", "strin", "\"string\""]) }
    switch below(5) {
    case 0: return "list(\(type(depth - 1)))"
    case 1: return "set(\(type(depth - 1)))"
    case 2: return "map(\(type(depth - 1)))"
    case 3: return "tuple([\(type(depth - 1)), \(type(depth - 1))])"
    default: return "object({a = \(type(depth - 1)), b = \(type(depth - 1))})"
    }
  }

  private mutating func json(_ depth: Int, top: Bool = false) -> String {
    if !top, depth <= 0 || chance(40) {
      return pick([
        "1", "-2.5e3", "true", "null", "\"x\"", "\"${n}\"", "\"a ${s} b\"", "\"%{if b}y%{endif}\"", "\"$${q}\"",
        "\"é\\u00e9\"",
      ])
    }
    if !top, chance(50) { return "[\(json(depth - 1)), \(json(depth - 1))]" }
    return "{\"a\": \(json(depth - 1)), \"b${n}\": \(json(depth - 1))}"
  }
}
