/// One field of an expression: what values it can have, and how a text of it is read.
struct CronField {
  let name: String
  let values: ClosedRange<Int>
  /// Texts that stand for values beside the numbers, lower case.
  var names: [String: Int] = [:]

  static let second = CronField(name: "second", values: 0...59)
  static let minute = CronField(name: "minute", values: 0...59)
  static let hour = CronField(name: "hour", values: 0...23)
  static let dayOfMonth = CronField(name: "day-of-month", values: 1...31)
  static let month = CronField(
    name: "month", values: 1...12,
    names: named(
      [
        "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
        "december",
      ], from: 1))
  /// 7 is Sunday, too; it becomes 0 when the values are put together.
  static let dayOfWeek = CronField(
    name: "day-of-week", values: 0...7,
    names: named(["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"], from: 0))
  static let year = CronField(name: "year", values: 1970...2099)

  private static func named(_ words: [String], from first: Int) -> [String: Int] {
    var names: [String: Int] = [:]
    for (place, word) in words.enumerated() {
      names[word] = first + place
      names[String(word.prefix(3))] = first + place
    }
    return names
  }

  /// The largest step: one less than there are values, but for days of the month, where 31 is taken.
  private var largestStep: Int { name == CronField.dayOfWeek.name ? 6 : values.upperBound }

  /// An element of a list: what its values are, or what rule chooses a day.
  enum Element: Equatable {
    /// `*` or `?`.
    case all
    case values([Int])
    /// `L`.
    case lastDay
    /// `LW`.
    case lastWorkday
    /// `15W`.
    case workday(Int)
    /// `5L`.
    case last(weekday: Int)
    /// `MON#2`.
    case nth(weekday: Int, Int)
  }

  /// Reads a whole field: elements with commas between them.
  func elements(_ text: Substring) throws(CronError) -> [Element] {
    var found: [Element] = []
    for part in text.lowercased().split(separator: ",", omittingEmptySubsequences: false) {
      found.append(try element(part))
    }
    return found
  }

  private func element(_ text: Substring) throws(CronError) -> Element {
    let isDay = name == CronField.dayOfMonth.name, isWeekday = name == CronField.dayOfWeek.name
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count <= 2, !text.isEmpty else { throw syntax(text) }
    let step = parts.count == 2 ? try self.step(parts[1], of: text) : nil
    if parts[0] == "*" || parts[0] == "?" && step == nil {
      guard let step else { return .all }
      return .values(Array(stride(from: values.lowerBound, through: lastOfWhole, by: step)))
    }
    let bounds = parts[0].split(separator: "-", omittingEmptySubsequences: false)
    if bounds.count == 2, let first = value(bounds[0]), var last = value(bounds[1]) {
      // A week that ends with Sunday.
      if isWeekday, last == 0, first > 0 { last = 7 }
      guard first <= last else {
        throw CronError("the \(name) range \"\(text)\" runs backwards: give the smaller end first")
      }
      return .values(Array(stride(from: first, through: last, by: step ?? 1)))
    }
    if let single = value(parts[0]) {
      guard let step else { return .values([single]) }
      return .values(Array(stride(from: single, through: lastOfWhole, by: step)))
    }
    guard step == nil else { throw syntax(text) }
    if isDay, text == "l" { return .lastDay }
    if isDay, text == "lw" { return .lastWorkday }
    if isDay, text.hasSuffix("w"), let day = value(text.dropLast()) { return .workday(day) }
    if isWeekday, text.hasSuffix("l"), let day = value(text.dropLast()) { return .last(weekday: day % 7) }
    let numbered = text.split(separator: "#", omittingEmptySubsequences: false)
    if isWeekday, numbered.count == 2, let day = value(numbered[0]), let number = Int(numbered[1]),
      numbered[1].count == 1, (1...5).contains(number)
    {
      return .nth(weekday: day % 7, number)
    }
    throw syntax(text)
  }

  private var lastOfWhole: Int { name == CronField.dayOfWeek.name ? 6 : values.upperBound }

  /// A number without a sign and with at most one leading zero, or a name.
  private func value(_ text: Substring) -> Int? {
    if let named = names[String(text)] { return named }
    guard text.utf8.count <= max(2, String(values.upperBound).utf8.count), !text.isEmpty,
      text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(text), values.contains(number)
    else { return nil }
    return number
  }

  private func step(_ text: Substring, of element: Substring) throws(CronError) -> Int {
    guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let step = Int(text), step >= 1, step <= largestStep
    else {
      throw CronError("the \(name) step of \"\(element)\" is no whole number from 1 to \(largestStep)")
    }
    return step
  }

  private func syntax(_ text: Substring) -> CronError {
    let shown = String(text.prefix(40))
    return CronError(
      "\"\(shown)\" is no \(name): it takes \(values.lowerBound) to \(values.upperBound), lists, ranges and steps")
  }
}
