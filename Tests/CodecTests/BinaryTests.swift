import Codec
import Testing

/// A newer version of `Inner`.
struct Newer: Record {
  var name = ""
  var count: Int?
  var note = ""
  var more: [Inner] = []
  var ratio = 0.0
  init() {}
  mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Name", &name)
    v.field(2, "Count", &count)
    v.field(3, "Note", &note)
    v.field(4, "More", &more)
    v.field(5, "Ratio", &ratio)
  }
}

struct BinaryTests {
  /// The bytes by hand: key = tag << 3 | wire type; -1 is zigzag 1, 300 is zigzag 600 = 0xD8 0x04.
  @Test func theBytes() {
    var inner = Inner()
    inner.name = "ab"
    inner.count = 300
    #expect(Binary.encode(inner) == [0x0A, 0x02, 0x61, 0x62, 0x10, 0xD8, 0x04])
    inner.count = -1
    inner.name = ""
    #expect(Binary.encode(inner) == [0x10, 0x01])
    #expect(Binary.encode(Inner()) == [])
    var outer = Outer()
    outer.map = ["b": 1, "a": 0]
    outer.ratio = 1
    outer.inners = [Inner()]
    outer.hidden = "h"
    outer.derived = "not in binary"
    #expect(
      Binary.encode(outer) == [
        0x21, 0, 0, 0, 0, 0, 0, 0xF0, 0x3F, 0x42, 3, 0x0A, 1, 0x61, 0x42, 5, 0x0A, 1, 0x62, 0x10, 2, 0x5A, 0, 0x72, 1,
        0x68,
      ])
  }

  @Test func thereAndBack() throws {
    var value = try Outer.sample()
    value.hidden = "h"
    value.derived = ""
    value.list = (0..<300).map(String.init)
    let bytes = Binary.encode(value)
    #expect(try Binary.decode(Outer.self, from: bytes) == value)
    #expect(try Binary.decode(Outer.self, from: [9, 9] + bytes + [9], range: 2..<2 + bytes.count) == value)
    #expect(try Binary.decode(Outer.self, from: []) == Outer())
  }

  @Test func anEmptyListAndNoListDiffer() throws {
    var value = Outer()
    #expect(try Binary.decode(Outer.self, from: Binary.encode(value)).maybe == nil)
    value.maybe = []
    #expect(try Binary.decode(Outer.self, from: Binary.encode(value)).maybe == [])
  }

  @Test func anOlderReaderPassesOverNewFields() throws {
    var newer = Newer()
    newer.name = "a"
    newer.count = 3
    newer.note = "n"
    newer.more = [Inner(), Inner()]
    newer.ratio = 2
    let older = try Binary.decode(Inner.self, from: Binary.encode(newer))
    #expect(older.name == "a" && older.count == 3)
    var partial = Newer()
    partial.ratio = 2
    #expect(try Binary.decode(Inner.self, from: Binary.encode(partial)) == Inner())
  }

  @Test(
    arguments: [
      ([0x0A], "Name: the bytes end within a number (at byte 1)"),
      ([0x0A, 5, 0x61], "Name: a length of 5 bytes where 1 are left (at byte 2)"),
      ([0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1], "Name: a length of"),
      ([0x0A, 1, 0xFF], "Name: a string is not valid UTF-8 (at byte 3)"),
      ([0x08, 1], "Name: wire type 0 where 2 was expected (at byte 1)"),
      ([0x10, 2, 0x0A, 0], "field 1 after field 2"),
      ([0x07], "no such field key: 7 (at byte 1)"),
      ([0x02], "no such field key: 2 (at byte 1)"),
      ([0x10, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 2], "Count: a number of more than 64 bits"),
      ([0x79, 0], "the bytes end within a number"),
    ] as [([UInt8], String)])
  func badBytes(_ bytes: [UInt8], _ expected: String) {
    let error = #expect(throws: CodecError.self) { try Binary.decode(Inner.self, from: bytes) }
    #expect(error?.description.hasPrefix(expected) == true, "\(error.debugDescription)")
  }

  struct Deep: Record {
    @Indirect var next: Inner?
    var deeper: [Deep] = []
    init() {}
    mutating func visit<V: FieldVisitor>(_ v: inout V) {
      v.field(1, "Next", &_next)
      v.field(2, "Deeper", &deeper)
    }
  }

  @Test func nestingIsBounded() {
    var deep = Deep()
    for _ in 0..<200 {
      var outer = Deep()
      outer.deeper = [deep]
      deep = outer
    }
    #expect(throws: CodecError.self) { try Binary.decode(Deep.self, from: Binary.encode(deep)) }
  }

  /// Any bytes at all: an error or a value, never a trap, and what is read is written and read again the same.
  @Test func damagedBytes() throws {
    var value = try Outer.sample()
    value.hidden = "h"
    let bytes = Binary.encode(value)
    var generator = SplitMix(state: 1)
    for _ in 0..<20_000 {
      var damaged = bytes
      for _ in 0...Int(generator.next() % 3) where !damaged.isEmpty {
        let index = Int(generator.next() % UInt64(damaged.count))
        switch generator.next() % 3 {
        case 0: damaged[index] = UInt8(truncatingIfNeeded: generator.next())
        case 1: damaged.remove(at: index)
        default: damaged.insert(UInt8(truncatingIfNeeded: generator.next()), at: index)
        }
      }
      guard let read = try? Binary.decode(Outer.self, from: damaged) else { continue }
      let again = Binary.encode(read)
      #expect(try Binary.encode(Binary.decode(Outer.self, from: again)) == again)
    }
  }
}

/// Random bits that are the same in every run (splitmix64).
struct SplitMix: RandomNumberGenerator {
  var state: UInt64
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
