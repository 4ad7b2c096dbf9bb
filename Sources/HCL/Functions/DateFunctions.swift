extension StandardFunctions {
  static func dates(_ host: FunctionHost) -> [String: Function] {
    [
      "timestamp": Function([], result: .string) { _, _ throws(FunctionFailure) in
        guard let now = host.now else { throw FunctionFailure("no clock is given") }
        return .string(Timestamp(seconds: now() / 1_000_000_000, nanoseconds: 0, offset: 0).text)
      },
      "timeadd": Function([.init("timestamp", .string), .init("duration", .string)], result: .string) {
        a, _ throws(FunctionFailure) in
        var time = try Timestamp(parsing: try a.string(0))
        time.add(nanoseconds: try duration(try a.string(1)))
        return .string(time.text)
      },
      "formatdate": Function([.init("format", .string), .init("time", .string)], result: .string) {
        a, _ throws(FunctionFailure) in
        .string(try Timestamp(parsing: try a.string(1), argument: 1).formatted(try a.string(0)))
      },
    ]
  }

  /// A duration as `1h30m`, `-1.5s`, `300ms`, in nanoseconds.
  static func duration(_ text: String) throws(FunctionFailure) -> Int64 {
    let failure = FunctionFailure(
      "\"\(text)\" is no duration; write a number and a unit, such as 90s, 1h30m, 500ms", argument: 1)
    var bytes = Array(text.utf8)[...]
    let negative = bytes.first == UInt8(ascii: "-")
    if negative || bytes.first == UInt8(ascii: "+") { bytes = bytes.dropFirst() }
    if Array(bytes) == [0x30] { return 0 }
    guard !bytes.isEmpty else { throw failure }
    let units: [String: Int64] = [
      "ns": 1, "us": 1_000, "µs": 1_000, "μs": 1_000, "ms": 1_000_000, "s": 1_000_000_000, "m": 60_000_000_000,
      "h": 3_600_000_000_000,
    ]
    var total = Number.zero
    while !bytes.isEmpty {
      let digits = bytes.prefix { (0x30...0x39).contains($0) || $0 == UInt8(ascii: ".") }
      bytes = bytes.dropFirst(digits.count)
      let unit = bytes.prefix { !(0x30...0x39).contains($0) && $0 != UInt8(ascii: ".") }
      bytes = bytes.dropFirst(unit.count)
      guard digits.count < 40, let value = Number(String(decoding: digits, as: UTF8.self)),
        let factor = units[String(decoding: unit, as: UTF8.self)]
      else { throw failure }
      total = total + (value * Number(Int(factor))).truncated
    }
    guard let nanoseconds = (negative ? total.negated : total).asInt else { throw failure }
    return Int64(nanoseconds)
  }
}

/// A time of RFC 3339 with its own offset from UTC.
struct Timestamp {
  /// Since 1970-01-01T00:00:00Z.
  var seconds: Int64
  /// 0 to 999,999,999.
  var nanoseconds: Int64
  /// Seconds east of UTC.
  var offset: Int64

  init(seconds: Int64, nanoseconds: Int64, offset: Int64) {
    self.seconds = seconds
    self.nanoseconds = nanoseconds
    self.offset = offset
  }

  init(parsing text: String, argument: Int = 0) throws(FunctionFailure) {
    let bytes = Array(text.utf8)
    func fail(_ what: String) -> FunctionFailure {
      FunctionFailure("\"\(text)\" is no time in the form 2006-01-02T15:04:05Z: \(what)", argument: argument)
    }
    func number(_ at: Int, _ count: Int, _ what: String) throws(FunctionFailure) -> Int64 {
      guard at + count <= bytes.count else { throw fail("it ends before the \(what)") }
      var value: Int64 = 0
      for byte in bytes[at..<at + count] {
        guard (0x30...0x39).contains(byte) else { throw fail("the \(what) must have \(count) digits") }
        value = value * 10 + Int64(byte - 0x30)
      }
      return value
    }
    func expect(_ at: Int, _ character: Character) throws(FunctionFailure) {
      guard at < bytes.count, bytes[at] == character.asciiValue else { throw fail("\"\(character)\" is missing") }
    }
    let year = try number(0, 4, "year")
    try expect(4, "-")
    let month = try number(5, 2, "month")
    try expect(7, "-")
    let day = try number(8, 2, "day")
    try expect(10, "T")
    let hour = try number(11, 2, "hour")
    try expect(13, ":")
    let minute = try number(14, 2, "minute")
    try expect(16, ":")
    let second = try number(17, 2, "second")
    var at = 19
    nanoseconds = 0
    if at < bytes.count, bytes[at] == UInt8(ascii: ".") {
      var scale: Int64 = 100_000_000
      at += 1
      let start = at
      while at < bytes.count, (0x30...0x39).contains(bytes[at]) {
        nanoseconds += Int64(bytes[at] - 0x30) * scale
        scale /= 10
        at += 1
      }
      if at == start { throw fail("digits are missing after the point") }
    }
    guard at < bytes.count else { throw fail("the offset is missing: Z, or hours and minutes as +02:00") }
    offset = 0
    if bytes[at] == UInt8(ascii: "Z") {
      at += 1
    } else {
      guard bytes[at] == UInt8(ascii: "+") || bytes[at] == UInt8(ascii: "-") else {
        throw fail("the offset must be Z or as +02:00")
      }
      let (hours, minutes) = (try number(at + 1, 2, "offset"), try number(at + 4, 2, "offset"))
      try expect(at + 3, ":")
      guard hours < 24, minutes < 60 else { throw fail("the offset is out of range") }
      offset = (hours * 3_600 + minutes * 60) * (bytes[at] == UInt8(ascii: "-") ? -1 : 1)
      at += 6
    }
    guard at == bytes.count else { throw fail("something follows the time") }
    guard (1...12).contains(month) else { throw fail("the month is out of range") }
    guard day >= 1, day <= Timestamp.days(year, month) else { throw fail("the day is out of range") }
    guard hour < 24, minute < 60, second < 60 else { throw fail("the time of day is out of range") }
    seconds = Timestamp.days(since1970: year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second - offset
  }

  mutating func add(nanoseconds amount: Int64) {
    var total = nanoseconds + amount % 1_000_000_000
    seconds += amount / 1_000_000_000
    if total < 0 {
      total += 1_000_000_000
      seconds -= 1
    }
    seconds += total / 1_000_000_000
    nanoseconds = total % 1_000_000_000
  }

  // MARK: Calendar

  private static func days(_ year: Int64, _ month: Int64) -> Int64 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    return [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][Int(month) - 1]
  }

  /// Days from 1970-01-01 in the Gregorian calendar, counted in years that begin in March.
  private static func days(since1970 year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
    let y = month <= 2 ? year - 1 : year
    let era = (y >= 0 ? y : y - 399) / 400
    let yearOfEra = y - era * 400
    let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }

  private struct Fields {
    var year, month, day, hour, minute, second, weekday: Int64
  }

  private var fields: Fields {
    let local = seconds + offset
    var days = local / 86_400
    var rest = local % 86_400
    if rest < 0 {
      rest += 86_400
      days -= 1
    }
    let z = days + 719_468
    let era = (z >= 0 ? z : z - 146_096) / 146_097
    let dayOfEra = z - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shifted = (5 * dayOfYear + 2) / 153
    let month = shifted < 10 ? shifted + 3 : shifted - 9
    return Fields(
      year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month: month, day: dayOfYear - (153 * shifted + 2) / 5 + 1,
      hour: rest / 3_600, minute: rest / 60 % 60, second: rest % 60, weekday: ((days + 4) % 7 + 7) % 7)
  }

  // MARK: Text

  private static func digits(_ value: Int64, _ count: Int) -> String {
    let text = String(value.magnitude)
    return (value < 0 ? "-" : "") + String(repeating: "0", count: max(0, count - text.count)) + text
  }

  private func zone(colon: Bool) -> String {
    let minutes = abs(offset) / 60
    return (offset < 0 ? "-" : "+") + Timestamp.digits(minutes / 60, 2) + (colon ? ":" : "")
      + Timestamp.digits(minutes % 60, 2)
  }

  /// RFC 3339 without a fraction of the second.
  var text: String {
    let f = fields
    let d = Timestamp.digits
    return "\(d(f.year, 4))-\(d(f.month, 2))-\(d(f.day, 2))T\(d(f.hour, 2)):\(d(f.minute, 2)):\(d(f.second, 2))"
      + (offset == 0 ? "Z" : zone(colon: true))
  }

  private static let months = [
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
  ]
  private static let weekdays = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"]

  /// The time in a format of letter sequences (`YYYY-MM-DD'T'hh:mm`); text in single quotes and all that is no letter stays.
  func formatted(_ format: String) throws(FunctionFailure) -> String {
    let bytes = Array(format.utf8)
    var out: [UInt8] = []
    var i = 0
    while i < bytes.count {
      let c = bytes[i]
      if c == UInt8(ascii: "'") {
        i += 1
        while true {
          guard i < bytes.count else { throw FunctionFailure("a quote in the format is not closed", argument: 0) }
          if bytes[i] == c {
            guard i + 1 < bytes.count, bytes[i + 1] == c else { break }
            i += 1
          }
          out.append(bytes[i])
          i += 1
        }
        i += 1
        continue
      }
      guard (0x61...0x7A).contains(c | 0x20) else {
        out.append(c)
        i += 1
        continue
      }
      let start = i
      while i < bytes.count, bytes[i] == c { i += 1 }
      out += try field(String(decoding: bytes[start..<i], as: UTF8.self)).utf8
    }
    return String(decoding: out, as: UTF8.self)
  }

  private func field(_ verb: String) throws(FunctionFailure) -> String {
    let f = fields
    let d = Timestamp.digits
    let half = f.hour % 12 == 0 ? 12 : f.hour % 12
    switch verb {
    case "YYYY": return d(f.year, 4)
    case "YY": return d(f.year % 100, 2)
    case "MMMM": return Timestamp.months[Int(f.month) - 1]
    case "MMM": return String(Timestamp.months[Int(f.month) - 1].prefix(3))
    case "MM": return d(f.month, 2)
    case "M": return d(f.month, 1)
    case "DD": return d(f.day, 2)
    case "D": return d(f.day, 1)
    case "EEEE": return Timestamp.weekdays[Int(f.weekday)]
    case "EEE": return String(Timestamp.weekdays[Int(f.weekday)].prefix(3))
    case "hh": return d(f.hour, 2)
    case "h": return d(f.hour, 1)
    case "HH": return d(half, 2)
    case "H": return d(half, 1)
    case "AA": return f.hour < 12 ? "AM" : "PM"
    case "aa": return f.hour < 12 ? "am" : "pm"
    case "mm": return d(f.minute, 2)
    case "m": return d(f.minute, 1)
    case "ss": return d(f.second, 2)
    case "s": return d(f.second, 1)
    case "ZZZZZ": return zone(colon: true)
    case "ZZZZ": return zone(colon: false)
    case "ZZZ": return offset == 0 ? "UTC" : zone(colon: false)
    case "Z": return offset == 0 ? "Z" : zone(colon: true)
    default:
      throw FunctionFailure("\"\(verb)\" is no field of date formats; text is written in single quotes", argument: 0)
    }
  }
}
