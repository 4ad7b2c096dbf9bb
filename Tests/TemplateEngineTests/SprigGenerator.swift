import TemplateEngine

/// Makes random calls of sprig functions for the oracle.
struct SprigGenerator {
  var random: SeededGenerator

  init(seed: UInt64) { random = SeededGenerator(seed: seed) }

  private static let texts = [
    "\"\"", "\"hello world\"", "\"HelloWorld\"", "\"foo_bar-baz\"", "\"a,b,,c\"", "\"http2Server\"", "\"  pad  \"",
    "\"Some99Numbers4You\"", "\"MixedCASEWord\"", "\"a/b/../c.txt\"", "\"/x//y/\"", "\"..\"", "\"12\"", "\"3.50\"",
    "\"0x1f\"",
    "\"-7\"", "\"line1\\nline2\\n\"", "\"the quick brown fox jumps over\"", "\"aGVsbG8=\"", "\"!!\"",
    "\"{\\\"a\\\":[1,2.5,null]}\"",
    "\"1h30m\"", "\"90s\"", "\"é ü\"", "\"__init__\"", "\"ABC\"", "\"x\"", "\"a\"", "\"o\"", "\",\"", "\" \"",
    "\"2021-03-04\"",
    "\"UTC\"", "\"int\"", "\"string\"", "\"slice\"", "\"_2006 Jan _2 15:04:05.000 Monday\"",
    "\"Mon, 02 Jan 2006 03:04PM MST -0700\"",
  ]
  private static let integers = ["0", "1", "2", "3", "5", "-1", "-3", "10", "100"]
  private static let anything = [
    ".c", ".d", ".e", ".g", ".m", ".mix", ".l", ".b", ".a", ".f", ".h", ".i", ".n", ".z", ".neg", ".big", ".words",
    ".missing",
    "1.5", "0.1", "0.2", "-2.5", "true", "nil", "\"12\"", "\"\"", "\"abc\"", "0", "3", "7", "(sprig_list 1 \"a\" nil)",
    "(sprig_dict \"k\" 1 \"x\" .c)", "(sprig_list \"b\" \"a\" \"b\")", "(sprig_int64 5)",
  ]
  private static let lists = [
    ".c", ".e", ".mix", ".l", ".words", "(sprig_list 1 \"a\" nil)", "(sprig_list 3 1 2 3 1)",
    "(sprig_splitList \",\" \"q,r,s\")",
    "(sprig_until 4)", "(sprig_list)",
  ]
  private static let maps = [
    ".d", ".g", ".m", "(sprig_dict \"k\" 1 \"x\" .c)", "(sprig_dict \"k\" \"\" \"y\" (sprig_dict \"z\" 0))",
    "(sprig_dict)",
    "(sprig_fromJson \"{\\\"y\\\":{\\\"z\\\":5,\\\"q\\\":[1]},\\\"k\\\":2}\")",
  ]
  /// Names with their parameters: t text, i int, e moment, b bool, a anything, l list, m map, f float; an upper-case letter at the end
  /// repeats. Functions whose answers are random, depend on the time or on the order of Go's maps are not here.
  private static let functions: [(name: String, parameters: String)] = [
    ("trim", "t"), ("upper", "t"), ("lower", "t"), ("title", "t"), ("untitle", "t"), ("substr", "iit"),
    ("repeat", "it"),
    ("trimAll", "tt"), ("trimall", "tt"), ("trimSuffix", "tt"), ("trimPrefix", "tt"), ("nospace", "t"),
    ("initials", "t"),
    ("swapcase", "t"), ("snakecase", "t"), ("camelcase", "t"), ("kebabcase", "t"), ("wrap", "it"), ("wrapWith", "itt"),
    ("contains", "tt"), ("hasPrefix", "tt"), ("hasSuffix", "tt"), ("quote", "A"), ("squote", "A"), ("cat", "A"),
    ("indent", "it"), ("nindent", "it"), ("replace", "ttt"), ("plural", "tti"), ("sha1sum", "t"), ("sha256sum", "t"),
    ("adler32sum", "t"), ("toString", "a"), ("atoi", "t"), ("int64", "a"), ("int", "a"), ("float64", "a"), ("seq", "I"),
    ("toDecimal", "a"), ("split", "tt"), ("splitList", "tt"), ("splitn", "tit"), ("toStrings", "a"), ("until", "i"),
    ("untilStep", "iii"), ("add1", "a"), ("add", "A"), ("sub", "aa"), ("div", "aa"), ("mod", "aa"), ("mul", "aA"),
    ("add1f", "a"), ("addf", "A"), ("subf", "aA"), ("divf", "aA"), ("mulf", "aA"), ("biggest", "aA"), ("max", "aA"),
    ("min", "aA"), ("maxf", "aA"), ("minf", "aA"), ("ceil", "a"), ("floor", "a"), ("round", "ai"), ("join", "ta"),
    ("sortAlpha", "a"), ("default", "aA"), ("empty", "a"), ("coalesce", "A"), ("all", "A"), ("any", "A"),
    ("compact", "l"),
    ("mustCompact", "a"), ("fromJson", "t"), ("mustFromJson", "t"), ("toJson", "a"), ("toPrettyJson", "a"),
    ("toRawJson", "a"),
    ("mustToJson", "a"), ("ternary", "aab"), ("deepCopy", "m"), ("typeOf", "a"), ("typeIs", "ta"), ("typeIsLike", "ta"),
    ("kindOf", "a"), ("kindIs", "ta"), ("deepEqual", "aa"), ("base", "t"), ("dir", "t"), ("clean", "t"), ("ext", "t"),
    ("isAbs", "t"), ("osBase", "t"), ("osClean", "t"), ("b64enc", "t"), ("b64dec", "t"), ("b32enc", "t"),
    ("b32dec", "t"),
    ("tuple", "A"), ("list", "A"), ("dict", "A"), ("get", "mt"), ("set", "mtv"), ("unset", "mt"), ("hasKey", "mt"),
    ("pluck", "tM"), ("pick", "mT"), ("omit", "mT"), ("append", "la"), ("push", "la"), ("mustAppend", "aa"),
    ("prepend", "la"),
    ("first", "l"), ("rest", "l"), ("last", "l"), ("initial", "l"), ("reverse", "l"), ("uniq", "l"), ("mustFirst", "a"),
    ("without", "lA"), ("has", "al"), ("slice", "lI"), ("concat", "L"), ("chunk", "Pl"), ("merge", "mM"),
    ("mergeOverwrite", "mM"), ("abbrev", "it"), ("abbrevboth", "iit"), ("trunc", "it"), ("date", "te"),
    ("dateInZone", "te\""),
    ("htmlDate", "e"), ("htmlDateInZone", "e\""), ("duration", "a"), ("durationRound", "t"), ("hello", ""),
    ("fail", "t"),
    ("regexMatch", "rt"), ("mustRegexMatch", "rt"), ("regexFind", "rt"), ("regexFindAll", "rti"),
    ("regexReplaceAll", "rtt"),
    ("regexReplaceAllLiteral", "rtt"), ("regexSplit", "rti"), ("regexQuoteMeta", "t"), ("mustRegexSplit", "rti"),
    ("regexReplaceAll", "rtR"), ("unixEpoch", "d"), ("dateModify", "td"), ("toDate", "D"), ("sortAlpha", "l"),
    ("join", "tl"),
  ]

  private mutating func argument(_ kind: Character) -> String {
    switch kind {
    case "t": random.chance(95) ? random.pick(Self.texts) : random.pick(Self.anything)
    case "i": random.chance(95) ? random.pick(Self.integers) : random.pick(Self.anything)
    case "e": random.pick(["0", "1614834000", "-1", "951782399", "4102444800", "(sprig_int64 \"1709164800\")"])
    // Never a map of the data: stored inside itself it would make Go overflow its stack.
    case "v": random.pick(["1", "\"s\"", "nil", ".c", ".f", "(sprig_dict \"in\" 1)", "(sprig_list 1 2)"])
    case "r":
      random.pick([
        "\"[a-z]+\"", "\"o\"", "\"(\\\\w)(\\\\d*)\"", "\"^|$\"", "\"x*\"", "\"(?i)WORLD\"", "\",\"", "\"\\\\s+\"",
        "\"(?P<n>[A-Z])\"", "\"\"",
      ])
    case "R": random.pick(["\"<$1>\"", "\"${1}x\"", "\"$n-\"", "\"$$1\"", "\"$1x\"", "\"$\""])
    case "b": random.pick(["true", "false", ".h", ".i"])
    case "l": random.chance(95) ? random.pick(Self.lists) : random.pick(Self.anything)
    case "m": random.chance(95) ? random.pick(Self.maps) : random.pick(Self.anything)
    case "P": random.pick(["1", "2", "3"])
    case "\"": "\"UTC\""
    case "d":
      random.pick([
        "(sprig_toDate \"2006-01-02\" \"2021-03-04\")", "(sprig_toDate \"15:04 02/01/06\" \"17:05 09/11/99\")",
      ])
    default: random.pick(Self.anything)
    }
  }

  mutating func request() -> [UInt8] {
    let (name, parameters) = random.pick(Self.functions)
    var call = "sprig_" + name
    for kind in parameters {
      switch kind {
      case "D":
        call += random.pick([
          " \"2006-01-02\" \"2021-03-04\"", " \"2006-01-02 15:04:05\" \"2021-03-04 05:06:07.25\"",
          " \"2006-01-02\" \"x\"",
          " \"Jan 2, 2006 at 3:04pm (MST)\" \"Feb 3, 2013 at 7:54pm (UTC)\"",
          " \"2006-01-02T15:04:05Z07:00\" \"2021-02-29T00:00:00Z\"",
          " \"2006-01-02T15:04:05Z07:00\" \"2024-02-29T23:59:59Z\"",
        ])
      case "A", "I", "T", "M", "L":
        for _ in 0..<random.below(4) { call += " " + argument(Character(kind.lowercased())) }
      default: call += " " + argument(kind)
      }
    }
    let source =
      switch random.below(3) {
      // Go syntax shows types, but times in it are Go expressions.
      case 0 where !name.lowercased().contains("date"): "{{printf \"%T %#v\" (\(call)) (\(call))}}"
      case 1: "{{range sprig_list (\(call))}}[{{.}}]{{end}}"
      default: "{{\(call)}}"
      }
    var data = TemplateGenerator.data
    data.removeLast()
    while data.last?.isWhitespace ?? false || data.last == "}" { data.removeLast() }
    data += ",\"words\":[\"pear\",\"apple\",\"fig\"]}"
    var fields: [ByteString: TemplateValue] = ["op": "exec", "sprig": true, "src": .text(source)]
    fields["data"] = try? TemplateValue(json: data.utf8)
    return (try? TemplateValue.map(fields).json().bytes) ?? []
  }
}
