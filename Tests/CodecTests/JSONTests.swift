import Codec
import Testing

struct Inner: Record {
  var name = ""
  var count: Int?
  init() {}
  mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Name", &name, .diffKey)
    v.field(2, "Count", &count)
  }
}

enum Colour: String, ClosedText { case red, green }

struct Outer: Record {
  var id = Identifier.none
  var flag = false
  var number: Int64 = 0
  var ratio = 0.0
  var delay = Nanoseconds.zero
  var list: [String] = []
  var shown: [String] = []
  var map: [String: Int] = [:]
  var inner = Inner()
  @Indirect var boxed: Inner?
  var inners: [Inner] = []
  var colour = Colour.red
  var free = JSONObject()
  var hidden = ""
  var derived = ""
  var rare = ""
  var maybe: [String]?
  var nested: [String: [String]] = [:]
  var blob = Blob()
  var big: UInt64 = 0
  init() {}
  mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "ID", &id)
    v.field(2, "Flag", &flag)
    v.field(3, "Number", &number)
    v.field(4, "Ratio", &ratio)
    v.field(5, "Delay", &delay)
    v.field(6, "List", &list)
    v.field(7, "Shown", &shown, .emptyCollection)
    v.field(8, "Map", &map)
    v.field(9, "Inner", &inner)
    v.field(10, "Boxed", &_boxed)
    v.field(11, "Inners", &inners)
    v.field(12, "Colour", &colour)
    v.field(13, "Free", &free)
    v.field(14, "Hidden", &hidden, .binaryOnly)
    v.field(15, "Derived", &derived, .jsonOnly)
    v.field(16, "Rare", &rare, .omitEmpty)
    v.field(17, "Maybe", &maybe)
    v.field(18, "Nested", &nested)
    v.field(19, "Blob", &blob)
    v.field(20, "Big", &big)
  }

  static func sample() throws -> Outer {
    try JSON.decode(Outer.self, from: sampleText)
  }

  static let sampleText = """
    {"ID":"0a1b2c3d-0000-4000-8000-00000000000f","Flag":true,"Number":-9223372036854775808,"Ratio":0.25,"Delay":"1m30s",
     "List":["a","b"],"Shown":["c"],"Map":{"x":1,"y":0},"Inner":{"Name":"n","Count":0},"Boxed":{"Name":"b"},
     "Inners":[{"Name":"1"},{"Count":2},{}],"Colour":"green","Free":{"z":[1,2.5,null,true,"s"],"a":{"b":{}}},
     "Derived":"d","Rare":"r","Maybe":[],"Nested":{"k":["v","w"],"e":[]},"Blob":"AAEC/w==","Big":18446744073709551615}
    """
}

struct JSONTests {
  @Test func zeroValuesAsGoWritesThem() {
    #expect(
      JSON.text(Outer())
        == #"{"ID":"","Flag":false,"Number":0,"Ratio":0,"Delay":0,"List":null,"Shown":[],"Map":null,"#
        + #""Inner":{"Name":"","Count":null},"Boxed":null,"Inners":null,"Colour":"red","Free":null,"Derived":"","#
        + #""Maybe":null,"Nested":null,"Blob":"","Big":0}"#)
  }

  @Test func everythingSet() throws {
    #expect(
      JSON.text(try Outer.sample())
        == #"{"ID":"0a1b2c3d-0000-4000-8000-00000000000f","Flag":true,"Number":-9223372036854775808,"Ratio":0.25,"#
        + #""Delay":90000000000,"List":["a","b"],"Shown":["c"],"Map":{"x":1,"y":0},"Inner":{"Name":"n","Count":0},"#
        + #""Boxed":{"Name":"b","Count":null},"Inners":[{"Name":"1","Count":null},{"Name":"","Count":2},"#
        + #"{"Name":"","Count":null}],"Colour":"green","Free":{"z":[1,2.5,null,true,"s"],"a":{"b":{}}},"#
        + #""Derived":"d","Rare":"r","Maybe":[],"Nested":{"e":[],"k":["v","w"]},"Blob":"AAEC/w==","#
        + #""Big":18446744073709551615}"#)
  }

  @Test func prettyIsFourSpaces() throws {
    let inner: [String: JSONValue] = ["a": [1, [:], []]]
    #expect(JSON.text(inner, pretty: true) == "{\n    \"a\": [\n        1,\n        {},\n        []\n    ]\n}")
  }

  @Test func strings() {
    #expect(
      JSON.text("a\"\\/\u{8}\u{C}\n\r\t\u{1}\u{1F}\u{7F}é𝄞") == "\"a\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\u{7F}é𝄞\"")
    #expect(JSON.text("plain") == "\"plain\"")
  }

  @Test func numbers() {
    #expect(
      [0, 9, 10, 99, 100, 1234567890].map { JSON.text($0 as Int64) } == ["0", "9", "10", "99", "100", "1234567890"])
    #expect(JSON.text(Int64.min) == "-9223372036854775808")
    #expect(JSON.text(UInt64.max) == "18446744073709551615")
    #expect(
      [0.1, 5, -2, 1e-7, 1.5e300, 1e15].map { JSON.text($0 as Double) } == [
        "0.1", "5", "-2", "1e-07", "1.5e+300", "1000000000000000",
      ])
    #expect([Double.nan, .infinity].map { JSON.text($0) } == ["null", "null"])
  }

  @Test func readingNumbers() throws {
    #expect(try JSON.decode(JSONValue.self, from: "9223372036854775807") == .int(.max))
    #expect(try JSON.decode(JSONValue.self, from: "9223372036854775808") == .double(9_223_372_036_854_775_808))
    #expect(try JSON.decode(JSONValue.self, from: "-0") == .int(0))
    #expect(try JSON.decode(JSONValue.self, from: "1e2") == .double(100))
    #expect(try JSON.decode(Int.self, from: "1e2") == 100)
    #expect(try JSON.decode(Int.self, from: "5.0") == 5)
    #expect(throws: CodecError(offset: 0, problem: "expected a whole number, got 5.5")) {
      try JSON.decode(Int.self, from: "5.5")
    }
    #expect(throws: CodecError.self) { try JSON.decode(Int.self, from: "9223372036854775808") }
    #expect(throws: CodecError.self) { try JSON.decode(JSONValue.self, from: "1e400") }
    #expect(throws: CodecError.self) { try JSON.decode(UInt64.self, from: "-1") }
  }

  @Test func readingStrings() throws {
    #expect(try JSON.decode(String.self, from: #""\"\\\/\b\f\n\r\t\u00e9\uD834\uDd1e""#) == "\"\\/\u{8}\u{C}\n\r\té𝄞")
    #expect(try JSON.decode(String.self, from: #""a\uD800b\uDFAA""#) == "a\u{FFFD}b\u{FFFD}")
    #expect(try JSON.decode(String.self, from: #""\uD800\u0041""#) == "\u{FFFD}A")
  }

  @Test func keysAreMatchedWithoutRegardToCase() throws {
    #expect(
      try JSON.decode(Inner.self, from: #"{"NAME":"a","count":2}"#)
        == JSON.decode(Inner.self, from: #"{"Name":"a","Count":2}"#))
    #expect(try JSON.decode(Inner.self, from: #"{"N\u0061me":"a"}"#).name == "a")
    // Characters that differ by the bit of case and are no letters are different.
    #expect(try JSON.decode(Inner.self, from: #"{"[ame":"a","N\u0041ME":"b"}"#).name == "b")
  }

  @Test func theLastOfEqualKeysCounts() throws {
    #expect(try JSON.decode(Inner.self, from: #"{"Name":"a","name":"b"}"#).name == "b")
    #expect(try JSON.decode(JSONObject.self, from: #"{"a":1,"b":2,"a":3}"#) == ["a": 3, "b": 2])
  }

  @Test func nullLeavesTheDefault() throws {
    #expect(
      try JSON.decode(Outer.self, from: #"{"Flag":null,"Inner":null,"List":null,"Colour":null,"ID":null}"#) == Outer())
  }

  @Test func unknownKeysArePassedOverOrGathered() throws {
    var unknown: [String]? = []
    let text = #"{"Nope":1,"Inner":{"Name":"x","Nmae":2},"Inners":[{},{"Z":[]}],"flag":true}"#
    let value = try JSON.decode(Outer.self, from: Array(text.utf8), unknownKeys: &unknown)
    #expect(value.inner.name == "x" && value.flag)
    #expect(unknown?.sorted() == ["Inner.Nmae", "Inners[1].Z", "Nope"])
    #expect(try JSON.decode(Outer.self, from: text) == value)
  }

  @Test(arguments: [
    (#"{"Inners":[{"Name":"a"},{"Count":"b"}]}"#, "Inners[1].Count: expected a number, got a string (at byte 33)"),
    (#"{"Map":{"k":true}}"#, "Map[k]: expected a number, got a boolean (at byte 12)"),
    (#"{"Boxed":[]}"#, "Boxed: expected an object, got a list (at byte 9)"),
    (#"{"List":"a"}"#, "List: expected a list, got a string (at byte 8)"),
    (#"{"Colour":"blue"}"#, #"Colour: expected one of "red", "green", got "blue" (at byte 10)"#),
    (#"{"ID":"12"}"#, #"ID: expected a UUID, got "12" (at byte 6)"#),
    (#"{"Delay":"5 s"}"#, #"Delay: expected nanoseconds or a duration such as "1m30s", got "5 s" (at byte 9)"#),
    (#"{"Nested":{"k":["a",1]}}"#, "Nested[k][1]: expected a string, got a number (at byte 20)"),
    (#"[]"#, "expected an object, got a list (at byte 0)"),
    (#"{"Flag":}"#, "expected a value, got \"}\" (at byte 8)"),
  ])
  func errorsNameTheField(_ text: String, _ expected: String) {
    let error = #expect(throws: CodecError.self) { try JSON.decode(Outer.self, from: text) }
    #expect(error?.description == expected)
  }

  /// Any bytes at all: an error or a value, never a trap, and what is read is written and read again the same.
  @Test func damagedTexts() throws {
    let text = Array(Outer.sampleText.utf8)
    let pieces: [[UInt8]] = ["\"", "\\", "{", "}", "[", "]", ",", ":", "-", "e", "\\u", "\\uD800", "null", "1"].map {
      Array($0.utf8)
    }
    var generator = SplitMix(state: 2)
    var read = 0
    for _ in 0..<20_000 {
      var damaged = text
      for _ in 0...Int(generator.next() % 3) where !damaged.isEmpty {
        let index = Int(generator.next() % UInt64(damaged.count))
        switch generator.next() % 4 {
        case 0: damaged[index] = UInt8(truncatingIfNeeded: generator.next())
        case 1: damaged.remove(at: index)
        case 2: damaged.removeLast(damaged.count - index - 1)
        default: damaged.insert(contentsOf: pieces[Int(generator.next() % UInt64(pieces.count))], at: index)
        }
      }
      guard let value = try? JSON.decode(Outer.self, from: damaged) else { continue }
      read += 1
      let again = JSON.encode(value)
      #expect(try JSON.encode(JSON.decode(Outer.self, from: again)) == again)
      #expect(throws: Never.self) { try JSON.decode(JSONValue.self, from: damaged) }
    }
    #expect(read > 1000)
  }
}
