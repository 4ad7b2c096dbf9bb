import Codec
import Testing

/// Durations as Go's time package reads and prints them.
struct NanosecondsTests {
  @Test(
    arguments: [
      ("0", 0), ("0s", 0), ("5s", 5_000_000_000), ("1m30s", 90_000_000_000), ("1h0m0s", 3_600_000_000_000),
      ("1.5h", 5_400_000_000_000), ("-1.5s", -1_500_000_000), ("+5s", 5_000_000_000), ("300ms", 300_000_000),
      ("1us", 1_000), ("1µs", 1_000), ("1μs", 1_000), ("1ns", 1), (".5s", 500_000_000), ("1.s", 1_000_000_000),
      ("3h15m30.918273645s", 11_730_918_273_645), ("0.100000000000000000000h", 360_000_000_000),
      ("9223372036854775807ns", Int64.max), ("-9223372036854775808ns", Int64.min),
      ("0.9223372036854775807h", 3_320_413_933_267),
      ("1.9ns", 1),
    ] as [(String, Int64)])
  func parsing(_ text: String, _ count: Int64) { #expect(Nanoseconds(parsing: text) == Nanoseconds(count)) }

  @Test(arguments: [
    "", "3", "-", "s", ".", "-.", ".s", "+.s", "1d", "5 s", "\u{85}85", "hello\u{ffff} world", "1h2", "10ss",
    "9223372036854775808ns", "9223372036854775.808us", "3000000h", "1..5s", "--1s",
  ])
  func notDurations(_ text: String) { #expect(Nanoseconds(parsing: text) == nil) }

  @Test(
    arguments: [
      (0, "0s"), (1, "1ns"), (1_100, "1.1µs"), (2_200_000, "2.2ms"), (3_300_000_000, "3.3s"), (245_000_000_000, "4m5s"),
      (245_001_000_000, "4m5.001s"), (18_367_001_000_000, "5h6m7.001s"), (480_000_000_001, "8m0.000000001s"),
      (-5_000_000_000, "-5s"), (Int64.max, "2562047h47m16.854775807s"), (Int64.min, "-2562047h47m16.854775808s"),
      (3_600_000_000_000, "1h0m0s"),
    ] as [(Int64, String)])
  func printing(_ count: Int64, _ text: String) {
    #expect(Nanoseconds(count).description == text)
    #expect(Nanoseconds(parsing: text) == Nanoseconds(count))
  }

  @Test func sumsStayInRange() {
    #expect(Nanoseconds(.max) + .seconds(1) == Nanoseconds(.max))
    #expect(Nanoseconds(.min) - .seconds(1) == Nanoseconds(.min))
    #expect(Nanoseconds.hours(.max) == Nanoseconds(.max))
    #expect(Nanoseconds.minutes(2) == .seconds(120))
  }
}

struct TimestampTests {
  @Test(
    arguments: [
      ("0001-01-01T00:00:00Z", 0), ("1970-01-01T00:00:00.000000001Z", 1),
      ("2017-07-25T23:36:26.106431265Z", 1_501_025_786_106_431_265),
      ("2000-02-29T12:00:00Z", 951_825_600_000_000_000), ("1969-12-31T23:59:59.5Z", -500_000_000),
      ("1678-01-01T00:00:00Z", -9_214_560_000_000_000_000),
    ] as [(String, Int64)])
  func thereAndBack(_ text: String, _ nanoseconds: Int64) {
    #expect(Timestamp(parsing: text) == Timestamp(nanoseconds: nanoseconds))
    #expect(Timestamp(nanoseconds: nanoseconds).description == text)
  }

  @Test func offsets() {
    #expect(Timestamp(parsing: "2020-01-01T01:00:00+01:00") == Timestamp(parsing: "2020-01-01T00:00:00Z"))
    #expect(Timestamp(parsing: "2019-12-31T18:30:00-05:30") == Timestamp(parsing: "2020-01-01T00:00:00Z"))
  }

  @Test(arguments: [
    "", "2020", "2020-13-01T00:00:00Z", "2020-02-30T00:00:00Z", "2019-02-29T00:00:00Z", "2020-01-01T24:00:00Z",
    "2020-01-01T00:00:00", "2020-01-01T00:00:00.Z", "2020-01-01T00:00:00+1:00", "2020-01-01T00:00:00ZZ",
    "9999-01-01T00:00:00Z",
  ])
  func notTimes(_ text: String) { #expect(Timestamp(parsing: text) == nil) }

  @Test func everyDayOfFiveCenturies() {
    var last: (year: Int64, month: Int64, day: Int64) = (1699, 12, 31)
    for days in Timestamp.daysFromCivil(1700, 1, 1)...Timestamp.daysFromCivil(2200, 12, 31) {
      let date = Timestamp.civilFromDays(days)
      #expect(Timestamp.daysFromCivil(date.year, date.month, date.day) == days)
      #expect((date.year, date.month, date.day) > (last.year, last.month, last.day))
      last = date
    }
    #expect(Timestamp.daysFromCivil(1970, 1, 1) == 0 && Timestamp.daysFromCivil(2000, 3, 1) == 11_017)
  }
}

struct IdentifierTests {
  static let text = "0a1b2c3d-4e5f-4a6b-8c7d-8e9fa0b1c2d3"

  @Test func texts() throws {
    let identifier = try #require(Identifier(Self.text))
    #expect(identifier.description == Self.text)
    #expect(identifier.short == "0a1b2c3d")
    #expect(Identifier(Self.text.uppercased()) == identifier)
    #expect(Identifier("") == Identifier.none && Identifier.none.description == "")
    for bad in ["0a1b2c3d", Self.text + "0", Self.text.replacing("-", with: ""), "g" + Self.text.dropFirst()] {
      #expect(Identifier(bad) == nil)
    }
  }

  @Test func randomOnesAreVersion4() throws {
    #expect(Identifier(random: .max, .max).description == "ffffffff-ffff-4fff-bfff-ffffffffffff")
    #expect(Identifier(random: 0, 0).description == "00000000-0000-4000-8000-000000000000")
  }

  @Test func orderIsTheOrderOfTheTexts() {
    var generator = SplitMix(state: 7)
    let identifiers = (0..<200).map { _ in Identifier(using: &generator) }
    #expect(identifiers.sorted().map(\.description) == identifiers.map(\.description).sorted())
  }

  @Test func prefixes() throws {
    let identifier = try #require(Identifier(Self.text))
    for count in 0...36 {
      let prefix = String(Self.text.prefix(count))
      #expect(identifier.hasPrefix(prefix))
      #expect(identifier.hasPrefix(prefix.uppercased()))
    }
    #expect(!identifier.hasPrefix("0a1b2c3e"))
    for bad in ["x", "0a1b2c3d4", "0a1b-", Self.text + "0"] { #expect(IdentifierPrefix(bad) == nil) }
    let prefix = try #require(IdentifierPrefix("0a1b2c3d-4e5f-4a6b-8"))
    #expect(prefix.lower.description == "0a1b2c3d-4e5f-4a6b-8000-000000000000")
    #expect(prefix.upper.description == "0a1b2c3d-4e5f-4a6b-8fff-ffffffffffff")
  }
}

struct BlobTests {
  /// RFC 4648 §10.
  @Test(arguments: [
    ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
    ("foobar", "Zm9vYmFy"),
  ])
  func vectors(_ text: String, _ base64: String) {
    #expect(Blob(Array(text.utf8)).base64 == base64)
    #expect(Blob(base64: base64) == Blob(Array(text.utf8)))
  }

  @Test(arguments: ["Z", "Zg=", "Z===", "====", "Zg==Zg==", "Z-8=", "Zm8 "])
  func notBase64(_ text: String) { #expect(Blob(base64: text) == nil) }
}

struct FieldListCheckTests {
  struct Wrong: Record {
    var a = 0
    var b = 0
    init() {}
    mutating func visit<V: FieldVisitor>(_ v: inout V) {
      v.field(2, "A", &a)
      v.field(2, "a", &b)
    }
  }

  @Test func itCanFail() {
    #expect(FieldListCheck(Wrong.self).problems == ["field a has tag 2 after 2", "field a is there twice"])
    #expect(FieldListCheck(Outer.self).problems == [])
  }
}
