// Civil dates, and Go's layouts: the reference moment "Mon Jan 2 15:04:05 -0700 MST 2006" shows how to write another.

/// A moment as a calendar and a clock show it.
struct CivilTime {
  var year = 1
  var month = 1
  var day = 1
  var hour = 0
  var minute = 0
  var second = 0
  var weekday = 0

  static let months = [
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
  ]
  static let days = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"]

  init() {}

  init(_ time: TemplateTime) {
    let local = time.seconds &+ Int64(time.offset)
    let days = Int(local / 86_400) - (local % 86_400 < 0 ? 1 : 0)
    let rest = Int(local &- Int64(days) &* 86_400)
    (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60)
    weekday = ((days + 4) % 7 + 7) % 7
    // Days since 1 March of year 0, whose leap day comes last.
    let shifted = days + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let ofEra = shifted - era * 146_097
    let yearOfEra = (ofEra - ofEra / 1460 + ofEra / 36_524 - ofEra / 146_096) / 365
    let ofYear = ofEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * ofYear + 2) / 153
    day = ofYear - (153 * shiftedMonth + 2) / 5 + 1
    month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
    year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
  }

  /// Days of the month.
  static func length(of month: Int, in year: Int) -> Int {
    let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    return [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1]
  }

  /// Seconds since 1970 as if the time were UTC.
  var seconds: Int64 {
    let shiftedYear = month <= 2 ? year - 1 : year
    let era = (shiftedYear >= 0 ? shiftedYear : shiftedYear - 399) / 400
    let yearOfEra = shiftedYear - era * 400
    let ofYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    let ofEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + ofYear
    let days = era * 146_097 + ofEra - 719_468
    return Int64(days) * 86_400 + Int64(hour * 3600 + minute * 60 + second)
  }

  /// 1 for 1 January.
  var dayOfYear: Int { (1..<month).reduce(day) { $0 + Self.length(of: $1, in: year) } }
}

extension TemplateTime {
  /// `2006-01-02T15:04:05Z07:00`.
  static let rfc3339 = Array("2006-01-02T15:04:05Z07:00".utf8)

  private enum Element: Equatable {
    case month, monthName, monthDigit, monthTwo, weekday, weekdayName, day, daySpaced, dayTwo, dayOfYear
    case hour, hour12, hour12Two, minute, minuteTwo, second, secondTwo, longYear, year, upperPM, lowerPM, zone
    case offset(colon: Bool, seconds: Bool, short: Bool, z: Bool)
    case fraction(digits: Int, trimmed: Bool)
  }

  private static let written: [(text: String, element: Element)] = [
    ("January", .month), ("Jan", .monthName), ("Monday", .weekday), ("Mon", .weekdayName), ("MST", .zone),
    ("2006", .longYear), ("-07:00:00", .offset(colon: true, seconds: true, short: false, z: false)),
    ("-070000", .offset(colon: false, seconds: true, short: false, z: false)),
    ("-07:00", .offset(colon: true, seconds: false, short: false, z: false)),
    ("-0700", .offset(colon: false, seconds: false, short: false, z: false)),
    ("-07", .offset(colon: false, seconds: false, short: true, z: false)),
    ("Z07:00:00", .offset(colon: true, seconds: true, short: false, z: true)),
    ("Z070000", .offset(colon: false, seconds: true, short: false, z: true)),
    ("Z07:00", .offset(colon: true, seconds: false, short: false, z: true)),
    ("Z0700", .offset(colon: false, seconds: false, short: false, z: true)),
    ("Z07", .offset(colon: false, seconds: false, short: true, z: true)),
    ("002", .dayOfYear), ("01", .monthTwo), ("02", .dayTwo), ("03", .hour12Two), ("04", .minuteTwo),
    ("05", .secondTwo), ("06", .year), ("15", .hour), ("_2", .daySpaced), ("1", .monthDigit), ("2", .day),
    ("3", .hour12), ("4", .minute), ("5", .second), ("PM", .upperPM), ("pm", .lowerPM),
  ]
  private static let elements = written.map { (text: Array($0.text.utf8), element: $0.element) }

  /// Splits off the next element of a layout: the text before it, the element, where the rest begins.
  private static func next(_ layout: [UInt8], _ start: Int) -> (before: Range<Int>, element: Element?, end: Int) {
    var index = start
    while index < layout.count {
      if layout[index] == UInt8(ascii: ".") || layout[index] == UInt8(ascii: ","), index + 1 < layout.count,
        layout[index + 1] == 0x30 || layout[index + 1] == 0x39
      {
        let digit = layout[index + 1]
        var end = index + 1
        while end < layout.count, layout[end] == digit { end += 1 }
        if end == layout.count || !(0x30...0x39).contains(layout[end]) {
          return (start..<index, .fraction(digits: end - index - 1, trimmed: digit == 0x39), end)
        }
      }
      if layout[index...].starts(with: "_2006".utf8) {
        // The underscore is text here, not a padded day.
        return (start..<(index + 1), .longYear, index + 5)
      }
      for (text, element) in elements where layout[index...].starts(with: text) {
        let end = index + text.count
        if element == .monthName || element == .weekdayName {
          // "Janus" is a word, not a month's abbreviation; "January" was tried before.
          if end < layout.count, (0x61...0x7A).contains(layout[end]) { continue }
        }
        return (start..<index, element, end)
      }
      index += 1
    }
    return (start..<layout.count, nil, layout.count)
  }

  private static func padded(_ value: Int, _ width: Int, _ fill: Character = "0") -> [UInt8] {
    let digits = String(value.magnitude)
    let text = String(repeating: fill, count: max(0, width - digits.count)) + digits
    return Array(((value < 0 ? "-" : "") + text).utf8)
  }

  /// Writes the time in a layout.
  func formatted(_ layout: [UInt8]) -> [UInt8] {
    let civil = CivilTime(self)
    var out: [UInt8] = []
    var index = 0
    while index < layout.count {
      let (before, element, end) = Self.next(layout, index)
      out += layout[before]
      index = end
      guard let element else { break }
      let hour12 = civil.hour % 12 == 0 ? 12 : civil.hour % 12
      switch element {
      case .month: out += CivilTime.months[civil.month - 1].utf8
      case .monthName: out += CivilTime.months[civil.month - 1].utf8.prefix(3)
      case .monthDigit: out += Self.padded(civil.month, 1)
      case .monthTwo: out += Self.padded(civil.month, 2)
      case .weekday: out += CivilTime.days[civil.weekday].utf8
      case .weekdayName: out += CivilTime.days[civil.weekday].utf8.prefix(3)
      case .day: out += Self.padded(civil.day, 1)
      case .daySpaced: out += Self.padded(civil.day, 2, " ")
      case .dayTwo: out += Self.padded(civil.day, 2)
      case .dayOfYear: out += Self.padded(civil.dayOfYear, 3)
      case .hour: out += Self.padded(civil.hour, 2)
      case .hour12: out += Self.padded(hour12, 1)
      case .hour12Two: out += Self.padded(hour12, 2)
      case .minute: out += Self.padded(civil.minute, 1)
      case .minuteTwo: out += Self.padded(civil.minute, 2)
      case .second: out += Self.padded(civil.second, 1)
      case .secondTwo: out += Self.padded(civil.second, 2)
      case .longYear: out += Self.padded(civil.year, 4)
      case .year: out += Self.padded(max(civil.year % 100, 0), 2)
      case .upperPM: out += (civil.hour >= 12 ? "PM" : "AM").utf8
      case .lowerPM: out += (civil.hour >= 12 ? "pm" : "am").utf8
      case .zone:
        if zone.isEmpty {
          out += offsetText(colon: false, seconds: false, short: offset % 3600 == 0)
        } else {
          out += zone.utf8
        }
      case .offset(let colon, let seconds, let short, let z):
        out += z && offset == 0 ? [UInt8(ascii: "Z")] : offsetText(colon: colon, seconds: seconds, short: short)
      case .fraction(let digits, let trimmed):
        var text = Self.padded(Int(nanoseconds), 9).prefix(digits)
        if trimmed { while text.last == 0x30 { text.removeLast() } }
        if !text.isEmpty || !trimmed { out += [layout[before.upperBound]] + text }
      }
    }
    return out
  }

  private func offsetText(colon: Bool, seconds: Bool, short: Bool) -> [UInt8] {
    let minutes = Int(offset.magnitude) / 60
    var out: [UInt8] = [UInt8(ascii: offset < 0 ? "-" : "+")]
    out += Self.padded(minutes / 60, 2)
    if short { return out }
    if colon { out.append(UInt8(ascii: ":")) }
    out += Self.padded(minutes % 60, 2)
    if seconds {
      if colon { out.append(UInt8(ascii: ":")) }
      out += Self.padded(Int(offset.magnitude) % 60, 2)
    }
    return out
  }

  /// Reads a time written in a layout; UTC where the layout has no offset. Nil when it does not fit.
  init?(_ text: [UInt8], layout: [UInt8]) {
    var civil = CivilTime()
    civil.year = 0
    var nanoseconds = 0
    var offset: Int?
    var isAfternoon: Bool?
    var at = 0
    var index = 0
    func word(_ names: [String], short: Bool) -> Int? {
      for (number, name) in names.enumerated() {
        let wanted = Array((short ? String(name.prefix(3)) : name).lowercased().utf8)
        guard at + wanted.count <= text.count else { continue }
        if ByteText.lower(Array(text[at..<(at + wanted.count)])) == wanted {
          at += wanted.count
          return number
        }
      }
      return nil
    }
    func number(_ least: Int, _ most: Int) -> Int? {
      var value = 0
      var count = 0
      while count < most, at < text.count, (0x30...0x39).contains(text[at]) {
        value = value * 10 + Int(text[at] - 0x30)
        at += 1
        count += 1
      }
      return count >= least ? value : nil
    }
    while index < layout.count {
      let (before, element, end) = Self.next(layout, index)
      for byte in layout[before] {
        guard at < text.count, text[at] == byte else { return nil }
        at += 1
      }
      index = end
      guard let element else { break }
      var value: Int? = 0
      switch element {
      case .month, .monthName:
        value = word(CivilTime.months, short: element == .monthName)
        civil.month = (value ?? 0) + 1
      case .weekday, .weekdayName: value = word(CivilTime.days, short: element == .weekdayName)
      case .monthDigit, .monthTwo:
        value = number(element == .monthTwo ? 2 : 1, 2)
        civil.month = value ?? 0
        if !(1...12).contains(civil.month) { return nil }
      case .day, .daySpaced, .dayTwo:
        if element == .daySpaced, at < text.count, text[at] == 0x20 { at += 1 }
        value = number(element == .dayTwo ? 2 : 1, 2)
        civil.day = value ?? 0
      case .dayOfYear: value = number(3, 3)
      case .hour:
        value = number(2, 2)
        civil.hour = value ?? 99
        if civil.hour > 23 { return nil }
      case .hour12, .hour12Two:
        value = number(element == .hour12Two ? 2 : 1, 2)
        civil.hour = value ?? 99
        if civil.hour > 12 { return nil }
      case .minute, .minuteTwo:
        value = number(element == .minuteTwo ? 2 : 1, 2)
        civil.minute = value ?? 99
        if civil.minute > 59 { return nil }
      case .second, .secondTwo:
        value = number(element == .secondTwo ? 2 : 1, 2)
        civil.second = value ?? 99
        if civil.second > 59 { return nil }
        // A fraction may follow the seconds even where the layout has none.
        let isNextFraction: Bool
        if case .fraction = Self.next(layout, index).element, Self.next(layout, index).before.isEmpty {
          isNextFraction = true
        } else {
          isNextFraction = false
        }
        if !isNextFraction, at + 1 < text.count, text[at] == UInt8(ascii: "."), (0x30...0x39).contains(text[at + 1]) {
          at += 1
          var scale = 100_000_000
          while at < text.count, (0x30...0x39).contains(text[at]) {
            nanoseconds += Int(text[at] - 0x30) * scale
            scale /= 10
            at += 1
          }
        }
      case .longYear:
        value = number(4, 4)
        civil.year = value ?? 0
      case .year:
        value = number(2, 2)
        civil.year = (value ?? 0) + ((value ?? 0) >= 69 ? 1900 : 2000)
      case .upperPM, .lowerPM:
        value = word(["AM", "PM"], short: false)
        isAfternoon = value == 1
      case .zone:
        if text[at...].starts(with: "UTC".utf8) {
          offset = 0
          at += 3
        } else {
          let letters = text[at...].prefix { (0x41...0x5A).contains($0) }.count
          guard (3...5).contains(letters) else { return nil }
          at += letters
        }
      case .offset(let colon, let seconds, let short, let z):
        if z, at < text.count, text[at] == UInt8(ascii: "Z") {
          at += 1
          offset = 0
          break
        }
        guard at < text.count, text[at] == UInt8(ascii: "+") || text[at] == UInt8(ascii: "-") else { return nil }
        let sign = text[at] == UInt8(ascii: "-") ? -1 : 1
        at += 1
        guard let hours = number(2, 2) else { return nil }
        var total = hours * 3600
        if !short {
          for unit in seconds ? [60, 1] : [60] {
            if colon {
              guard at < text.count, text[at] == UInt8(ascii: ":") else { return nil }
              at += 1
            }
            guard let part = number(2, 2) else { return nil }
            total += part * unit
          }
        }
        offset = sign * total
      case .fraction(let digits, let trimmed):
        guard at < text.count, text[at] == UInt8(ascii: ".") || text[at] == UInt8(ascii: ",") else {
          if trimmed { break }
          return nil
        }
        at += 1
        let start = at
        var scale = 100_000_000
        while at < text.count, (0x30...0x39).contains(text[at]), trimmed || at - start < digits {
          nanoseconds += Int(text[at] - 0x30) * scale
          scale /= 10
          at += 1
        }
        if !trimmed, at - start != digits { return nil }
      }
      if value == nil { return nil }
    }
    guard at == text.count, civil.day >= 1, civil.day <= CivilTime.length(of: civil.month, in: civil.year) else {
      return nil
    }
    if let isAfternoon { civil.hour = civil.hour % 12 + (isAfternoon ? 12 : 0) }
    self.init(
      seconds: civil.seconds - Int64(offset ?? 0), nanoseconds: Int32(nanoseconds), offset: Int32(offset ?? 0),
      zone: (offset ?? 0) == 0 ? "UTC" : "")
  }
}

/// A time as templates handle it: prints itself and has the usual methods.
final class TimeObject: TemplateObject {
  let time: TemplateTime

  init(_ time: TemplateTime) { self.time = time }

  let typeName = "time.Time"

  var printed: ByteString? {
    ByteString(bytes: time.formatted(Array("2006-01-02 15:04:05.999999999 -0700 MST".utf8)))
  }

  func member(_ name: ByteString) -> TemplateMember? {
    let time = time
    let civil = CivilTime(time)
    func number(_ value: Int) -> TemplateMember { .method(TemplateFunction(result: .int) { _ in .int(value) }) }
    switch name.description {
    case "Year": return number(civil.year)
    case "Day": return number(civil.day)
    case "Hour": return number(civil.hour)
    case "Minute": return number(civil.minute)
    case "Second": return number(civil.second)
    case "YearDay": return number(civil.dayOfYear)
    case "Nanosecond": return number(Int(time.nanoseconds))
    case "Month": return .method(TemplateFunction { _ in .text(CivilTime.months[civil.month - 1]) })
    case "Weekday": return .method(TemplateFunction { _ in .text(CivilTime.days[civil.weekday]) })
    case "Unix": return .method(TemplateFunction(result: .sized(.int64)) { _ in .int64(time.seconds) })
    case "UTC":
      return .method(
        TemplateFunction { _ in
          .object(TimeObject(TemplateTime(seconds: time.seconds, nanoseconds: time.nanoseconds)))
        })
    case "String": return .method(TemplateFunction(result: .string) { [self] _ in .string(printed ?? "") })
    case "Format":
      return .method(
        TemplateFunction([.string], result: .string) { call in
          .string(ByteString(bytes: time.formatted(call.text(0))))
        })
    default: return nil
    }
  }
}
