/// A cron expression: which times of the calendar it names.
///
/// Five to seven fields with white space between them: `[second] minute hour day-of-month month day-of-week [year]`. Six
/// fields are without the second. A missing second is 0, a missing year any. A field is a list (`,`) of `*`, values,
/// ranges (`1-5`) and steps (`*/5`, `1-30/5`, `3/10`). Months and days of the week have names; 7 is Sunday as well as 0.
/// Days of the month take `L` (the last), `15W` (the workday nearest to the 15th of the month) and `LW`; days of the week
/// `5L` (the month's last Friday) and `MON#2` (its second Monday). With days of both kinds a day that is either counts.
///
/// Aliases: `@yearly`, `@annually`, `@monthly`, `@weekly`, `@daily`, `@midnight`, `@hourly`.
public struct CronExpression: Sendable, Equatable, CustomStringConvertible {
  /// As given.
  public let text: String
  private var seconds: UInt64 = 0
  private var minutes: UInt64 = 0
  private var hours: UInt64 = 0
  private var months: UInt64 = 0
  private var years: Set<Int>?
  private var daysOfMonth: [CronField.Element] = []
  private var daysOfWeek: [CronField.Element] = []

  private static let aliases = [
    "@yearly": "0 0 0 1 1 * *", "@annually": "0 0 0 1 1 * *", "@monthly": "0 0 0 1 * * *", "@weekly": "0 0 0 * * 0 *",
    "@daily": "0 0 0 * * * *", "@midnight": "0 0 0 * * * *", "@hourly": "0 0 * * * * *",
  ]
  /// More than any sensible list of values takes.
  private static let longestText = 1024

  /// - Throws: `CronError` that names the field.
  public init(_ text: String) throws(CronError) {
    self.text = text
    guard text.utf8.count <= Self.longestText else {
      throw CronError("the expression has \(text.utf8.count) bytes; at most \(Self.longestText) are read")
    }
    var fields = text.split(whereSeparator: \.isWhitespace)
    if fields.count == 1, fields[0].hasPrefix("@") {
      guard let meaning = Self.aliases[String(fields[0])] else {
        throw CronError("no alias \"\(fields[0])\": there are \(Self.aliases.keys.sorted().joined(separator: ", "))")
      }
      fields = meaning.split(separator: " ")
    }
    guard (5...7).contains(fields.count) else {
      throw CronError(
        "\"\(text)\" has \(fields.count) field(s); a cron expression has 5, 6 with a year, or 7 with seconds and a year"
      )
    }
    if fields.count < 7 { fields.insert("0", at: 0) }
    if fields.count < 7 { fields.append("*") }
    seconds = Self.mask(try CronField.second.elements(fields[0]), of: .second)
    minutes = Self.mask(try CronField.minute.elements(fields[1]), of: .minute)
    hours = Self.mask(try CronField.hour.elements(fields[2]), of: .hour)
    daysOfMonth = try CronField.dayOfMonth.elements(fields[3])
    months = Self.mask(try CronField.month.elements(fields[4]), of: .month)
    daysOfWeek = try CronField.dayOfWeek.elements(fields[5])
    let named = try CronField.year.elements(fields[6])
    if !named.contains(.all) {
      var chosen: Set<Int> = []
      for case .values(let values) in named { chosen.formUnion(values) }
      years = chosen
    }
  }

  /// The text as given.
  public var description: String { text }

  private static func mask(_ elements: [CronField.Element], of field: CronField) -> UInt64 {
    var mask: UInt64 = 0
    for element in elements {
      switch element {
      case .values(let values): for value in values { mask |= 1 << UInt64(value) }
      default: for value in field.values { mask |= 1 << UInt64(value) }
      }
    }
    return mask
  }

  // MARK: finding times

  /// The first time of the calendar at or after `start` and before `end`, both as seconds since 1970-01-01T00:00:00 on the
  /// same clock; nil if there is none.
  func next(from start: Int64, before end: Int64) -> Int64? {
    let first = CronField.year.values.lowerBound, last = CronField.year.values.upperBound
    let begin = max(start, Calendar.days(year: first, month: 1, day: 1) * Calendar.secondsPerDay)
    let finish = min(end, Calendar.days(year: last + 1, month: 1, day: 1) * Calendar.secondsPerDay)
    guard begin < finish else { return nil }
    let firstDay = begin / Calendar.secondsPerDay
    var (year, month, day) = Calendar.date(days: firstDay)
    var second = Int(begin % Calendar.secondsPerDay)
    while year <= last {
      if Calendar.days(year: year, month: month, day: 1) * Calendar.secondsPerDay >= finish { return nil }
      if years.map({ $0.contains(year) }) ?? true, months & (1 << UInt64(month)) != 0 {
        var days = self.days(year: year, month: month) & ~((UInt64(1) << UInt64(day)) - 1)
        while days != 0 {
          let found = days.trailingZeroBitCount
          days &= days - 1
          let midnight = Calendar.days(year: year, month: month, day: found) * Calendar.secondsPerDay
          if midnight >= finish { return nil }
          if let time = time(from: found == day ? second : 0) {
            let moment = midnight + Int64(time)
            return moment < finish ? moment : nil
          }
        }
      }
      (day, second) = (1, 0)
      month += 1
      if month > 12 { (year, month) = (year + 1, 1) }
    }
    return nil
  }

  /// The first time of the day at or after a second of it.
  private func time(from second: Int) -> Int? {
    func first(_ mask: UInt64, from value: Int) -> Int? {
      let rest = value > 63 ? 0 : mask & ~((UInt64(1) << UInt64(value)) - 1)
      return rest == 0 ? nil : rest.trailingZeroBitCount
    }
    let start = (hour: second / 3600, minute: second / 60 % 60, second: second % 60)
    guard let hour = first(hours, from: start.hour) else { return nil }
    if hour == start.hour {
      if minutes & (1 << UInt64(start.minute)) != 0, let second = first(seconds, from: start.second) {
        return hour * 3600 + start.minute * 60 + second
      }
      if let minute = first(minutes, from: start.minute + 1), let second = first(seconds, from: 0) {
        return hour * 3600 + minute * 60 + second
      }
    }
    guard let later = hour == start.hour ? first(hours, from: hour + 1) : hour, let minute = first(minutes, from: 0),
      let second = first(seconds, from: 0)
    else { return nil }
    return later * 3600 + minute * 60 + second
  }

  /// The days of a month, as bits 1 to 31.
  private func days(year: Int, month: Int) -> UInt64 {
    let length = Calendar.length(ofMonth: month, year: year)
    let whole = ((UInt64(1) << UInt64(length + 1)) - 1) & ~1
    let anyDay = daysOfMonth.contains(.all), anyWeekday = daysOfWeek.contains(.all)
    if anyDay && anyWeekday { return whole }
    let firstWeekday = Calendar.weekday(days: Calendar.days(year: year, month: month, day: 1))
    var days: UInt64 = 0
    func add(_ day: Int) { if (1...length).contains(day) { days |= 1 << UInt64(day) } }
    /// The workday nearest to a day, within the month.
    func workday(_ day: Int) {
      guard day <= length else { return }
      switch (firstWeekday + day - 1) % 7 {
      case 6: add(day > 1 ? day - 1 : day + 2)
      case 0: add(day < length ? day + 1 : day - 2)
      default: add(day)
      }
    }
    if !anyDay {
      for element in daysOfMonth {
        switch element {
        case .values(let values): values.forEach(add)
        case .lastDay: add(length)
        case .lastWorkday: workday(length)
        case .workday(let day): workday(day)
        case .all, .last, .nth: break
        }
      }
    }
    if !anyWeekday {
      for element in daysOfWeek {
        switch element {
        case .values(let values):
          for weekday in values {
            for day in stride(from: 1 + (weekday % 7 - firstWeekday + 7) % 7, through: length, by: 7) { add(day) }
          }
        case .last(let weekday):
          let first = 1 + (weekday - firstWeekday + 7) % 7
          add(first + (length - first) / 7 * 7)
        case .nth(let weekday, let number): add(1 + (weekday - firstWeekday + 7) % 7 + (number - 1) * 7)
        case .all, .lastDay, .lastWorkday, .workday: break
        }
      }
    }
    return days
  }
}
