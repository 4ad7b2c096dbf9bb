/// How a zone goes on for ever: the `TZ` variable of POSIX, with the extension of RFC 8536 (hours from -167 to 167).
struct TimeZoneRule: Sendable, Equatable {
  /// When in a year clocks change, on the local clock before the change.
  enum Day: Sendable, Equatable {
    /// `Jn`: 1 to 365, February 29 is never counted.
    case julian(Int)
    /// `n`: 0 to 365, leap days count.
    case ordinal(Int)
    /// `Mm.w.d`: weekday d (0 is Sunday) of week w of month m; week 5 is the last.
    case weekday(month: Int, week: Int, day: Int)
  }

  struct Change: Sendable, Equatable {
    let day: Day
    /// Seconds after midnight; may be negative or beyond a day.
    let time: Int
  }

  let standardOffset: Int
  /// Nil where clocks never change.
  let summer: Summer?

  struct Summer: Sendable, Equatable {
    let offset: Int
    let start: Change
    let end: Change
  }

  func stretch(at moment: Int64) -> TimeZone.Stretch {
    guard let summer else { return TimeZone.Stretch(offset: standardOffset, end: .max) }
    let year = Calendar.date(days: floorDivide(moment, Calendar.secondsPerDay)).year
    // A change may lie days outside of its year, so the years beside this one count, and one more for the next change.
    var changes: [(at: Int64, offset: Int)] = []
    for year in (year - 2)...(year + 2) {
      changes.append((Self.moment(summer.start, year, offset: standardOffset), summer.offset))
      changes.append((Self.moment(summer.end, year, offset: summer.offset), standardOffset))
    }
    changes.sort { $0.at < $1.at }
    let next = changes.firstIndex { $0.at > moment } ?? changes.count - 1
    let current = next > 0 ? changes[next - 1].offset : standardOffset
    return TimeZone.Stretch(offset: current, end: max(changes[next].at, moment + 1))
  }

  private static func moment(_ change: Change, _ year: Int, offset: Int) -> Int64 {
    let day: Int64
    switch change.day {
    case .julian(let number):
      let leap = Calendar.isLeap(year) && number >= 60 ? 1 : 0
      day = Calendar.days(year: year, month: 1, day: 1) + Int64(number - 1 + leap)
    case .ordinal(let number): day = Calendar.days(year: year, month: 1, day: 1) + Int64(number)
    case .weekday(let month, let week, let weekday):
      let first = Calendar.days(year: year, month: month, day: 1)
      var date = (weekday - Calendar.weekday(days: first) + 7) % 7 + (week - 1) * 7
      while date >= Calendar.length(ofMonth: month, year: year) { date -= 7 }
      day = first + Int64(date)
    }
    return day * Calendar.secondsPerDay + Int64(change.time) - Int64(offset)
  }
}

func floorDivide(_ value: Int64, _ divisor: Int64) -> Int64 {
  value >= 0 ? value / divisor : (value - divisor + 1) / divisor
}

extension TimeZoneRule {
  /// Reads `EST5EDT,M3.2.0,M11.1.0` and its like; nil for a text that is no such rule.
  init?(_ text: some Sequence<UInt8>) {
    var scanner = Scanner(bytes: Array(text))
    guard scanner.name(), let west = scanner.time(hours: 24) else { return nil }
    standardOffset = -west
    if scanner.isAtEnd {
      summer = nil
      return
    }
    guard scanner.name() else { return nil }
    var summerOffset = standardOffset + 3600
    if scanner.peek != UInt8(ascii: ",") {
      guard let west = scanner.time(hours: 24) else { return nil }
      summerOffset = -west
    }
    guard scanner.take(","), let start = scanner.change(), scanner.take(","), let end = scanner.change(),
      scanner.isAtEnd
    else { return nil }
    summer = Summer(offset: summerOffset, start: start, end: end)
  }

  private struct Scanner {
    let bytes: [UInt8]
    var position = 0

    var isAtEnd: Bool { position == bytes.count }
    var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

    mutating func take(_ character: Unicode.Scalar) -> Bool {
      guard peek == UInt8(ascii: character) else { return false }
      position += 1
      return true
    }

    /// Three or more letters, or anything in angle brackets.
    mutating func name() -> Bool {
      if take("<") {
        while let byte = peek, byte != UInt8(ascii: ">") {
          guard (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte | 0x20) || byte == 0x2B || byte == 0x2D
          else { return false }
          position += 1
        }
        return take(">")
      }
      let start = position
      while let byte = peek, (0x61...0x7A).contains(byte | 0x20) { position += 1 }
      return position - start >= 3
    }

    mutating func number(_ range: ClosedRange<Int>) -> Int? {
      var value = 0
      let start = position
      while let byte = peek, (0x30...0x39).contains(byte), position - start < 3 {
        value = value * 10 + Int(byte - 0x30)
        position += 1
      }
      return position > start && range.contains(value) ? value : nil
    }

    /// `[+-]hh[:mm[:ss]]` in seconds.
    mutating func time(hours: Int) -> Int? {
      let sign = take("-") ? -1 : 1
      if sign == 1 { _ = take("+") }
      guard let hour = number(0...hours) else { return nil }
      var seconds = hour * 3600
      if take(":") {
        guard let minute = number(0...59) else { return nil }
        seconds += minute * 60
        if take(":") {
          guard let second = number(0...59) else { return nil }
          seconds += second
        }
      }
      return sign * seconds
    }

    mutating func change() -> Change? {
      let day: Day
      if take("J") {
        guard let number = number(1...365) else { return nil }
        day = .julian(number)
      } else if take("M") {
        guard let month = number(1...12), take("."), let week = number(1...5), take("."), let weekday = number(0...6)
        else {
          return nil
        }
        day = .weekday(month: month, week: week, day: weekday)
      } else {
        guard let number = number(0...365) else { return nil }
        day = .ordinal(number)
      }
      var time = 2 * 3600
      if take("/") {
        guard let given = self.time(hours: 167) else { return nil }
        time = given
      }
      return Change(day: day, time: time)
    }
  }
}
