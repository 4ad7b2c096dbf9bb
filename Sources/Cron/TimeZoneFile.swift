/// Why bytes are no file of the tz database.
public struct TimeZoneError: Error, Hashable, Sendable, CustomStringConvertible {
  /// One sentence.
  public let description: String

  init(_ description: String) { self.description = description }
}

extension TimeZone {
  /// The largest file that is read; those of the database have at most a few KiB.
  public static let largestFile = 64 << 10

  /// Reads a file of the tz database in any version of its format (RFC 8536, section 3).
  ///
  /// Work and memory are linear in the file. Leap seconds are passed over, as POSIX time has none.
  /// - Throws: `TimeZoneError` for bytes that are none.
  public init(tzif bytes: [UInt8]) throws(TimeZoneError) {
    guard bytes.count <= Self.largestFile else {
      throw TimeZoneError("a time zone's file of \(bytes.count) bytes; at most \(Self.largestFile) are read")
    }
    var reader = Reader(bytes: bytes)
    let first = try reader.header()
    guard first.version > 0 else {
      self = TimeZone(transitions: try reader.block(first, wide: false), rule: nil)
      return
    }
    // Newer versions repeat everything with 64-bit times behind the old block.
    try reader.skip(first.size(wide: false))
    let second = try reader.header()
    let transitions = try reader.block(second, wide: true)
    self = TimeZone(transitions: transitions, rule: try reader.footer())
  }

  private struct Header {
    var version = 0
    var utcIndicators = 0
    var standardIndicators = 0
    var leapSeconds = 0
    var times = 0
    var types = 0
    var characters = 0

    func size(wide: Bool) -> Int {
      let time = wide ? 8 : 4
      return times * (time + 1) + types * 6 + characters + leapSeconds * (time + 4) + standardIndicators + utcIndicators
    }
  }

  private struct Reader {
    let bytes: [UInt8]
    var position = 0

    mutating func skip(_ count: Int) throws(TimeZoneError) {
      guard count <= bytes.count - position else { throw TimeZoneError("a time zone's file is cut off") }
      position += count
    }

    /// Big-endian, signed.
    private mutating func integer(_ size: Int) throws(TimeZoneError) -> Int64 {
      let start = position
      try skip(size)
      var value: UInt64 = 0
      for byte in bytes[start..<position] { value = value << 8 | UInt64(byte) }
      let unused = Int64(64 - 8 * size)
      return Int64(bitPattern: value << UInt64(unused)) >> unused
    }

    mutating func header() throws(TimeZoneError) -> Header {
      let start = position
      try skip(20)
      guard Array(bytes[start..<start + 4]) == Array("TZif".utf8) else {
        throw TimeZoneError("a time zone's file does not begin with TZif")
      }
      var header = Header()
      switch bytes[start + 4] {
      case 0: header.version = 0
      case UInt8(ascii: "2")...UInt8(ascii: "9"): header.version = Int(bytes[start + 4] - 0x30)
      default: throw TimeZoneError("a time zone's file has an unknown version")
      }
      func count() throws(TimeZoneError) -> Int {
        let value = try integer(4)
        guard value >= 0, value <= Int64(bytes.count) else {
          throw TimeZoneError("a time zone's file has an impossible count")
        }
        return Int(value)
      }
      header.utcIndicators = try count()
      header.standardIndicators = try count()
      header.leapSeconds = try count()
      header.times = try count()
      header.types = try count()
      header.characters = try count()
      guard header.types > 0, header.types <= 256 else {
        throw TimeZoneError("a time zone's file has no local time type")
      }
      return header
    }

    mutating func block(_ header: Header, wide: Bool) throws(TimeZoneError) -> [Transition] {
      let end = position + header.size(wide: wide)
      guard end <= bytes.count else { throw TimeZoneError("a time zone's file is cut off") }
      var starts: [Int64] = []
      for _ in 0..<header.times { starts.append(try integer(wide ? 8 : 4)) }
      let indexes = bytes[position..<position + header.times]
      position += header.times
      var offsets: [Int] = []
      for _ in 0..<header.types {
        let offset = try integer(4)
        // RFC 8536: between -25 and 26 hours.
        guard (-90_000...93_600).contains(offset) else {
          throw TimeZoneError("a time zone's file has an impossible offset")
        }
        offsets.append(Int(offset))
        position += 2
      }
      position = end
      var transitions = [Transition(start: .min, offset: offsets[0])]
      for (start, index) in zip(starts, indexes) {
        guard Int(index) < offsets.count else {
          throw TimeZoneError("a time zone's file names a type that is not there")
        }
        let last = transitions[transitions.count - 1]
        guard start > last.start || start == .min else { throw TimeZoneError("a time zone's times do not ascend") }
        if start == .min {
          transitions = [Transition(start: .min, offset: offsets[Int(index)])]
        } else if offsets[Int(index)] != last.offset {
          transitions.append(Transition(start: start, offset: offsets[Int(index)]))
        }
      }
      return transitions
    }

    /// The rule for the time behind the last transition, between two newlines; an empty one says nothing.
    mutating func footer() throws(TimeZoneError) -> TimeZoneRule? {
      guard position < bytes.count, bytes[position] == 0x0A, let end = bytes[(position + 1)...].firstIndex(of: 0x0A)
      else {
        throw TimeZoneError("a time zone's file has no footer")
      }
      let text = bytes[position + 1..<end]
      if text.isEmpty { return nil }
      guard let rule = TimeZoneRule(text) else {
        throw TimeZoneError("a time zone's rule for the future can't be read")
      }
      return rule
    }
  }
}
