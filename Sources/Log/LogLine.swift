/// One line of the log before it is rendered.
public struct LogLine: Sendable {
  /// Seconds since the epoch, UTC.
  public var seconds: Int
  /// Milliseconds within the second, 0…999.
  public var milliseconds: Int
  /// How grave it is.
  public var level: LogLevel
  /// Dotted name of what speaks, "client.alloc_runner" for example.
  public var module: String
  /// What happened, in words, without the facts that `fields` carry.
  public var message: String
  /// Key and value in the order given by the caller.
  public var fields: [(key: String, value: String)]

  /// Makes a record; `milliseconds` beyond 999 are the caller's mistake and are printed as they are.
  public init(
    seconds: Int, milliseconds: Int, level: LogLevel, module: String, message: String,
    fields: [(key: String, value: String)] = []
  ) {
    self.seconds = seconds
    self.milliseconds = milliseconds
    self.level = level
    self.module = module
    self.message = message
    self.fields = fields
  }

  /// `2026-01-31T09:05:00.007Z [INFO]  client: message: key=value other="two words"`, without a newline.
  /// Control characters are escaped, so that nothing logged can forge a second line.
  public func renderedAsText() -> String {
    var line = "\(timestamp) [\(level.label)]"
    line += level.label.utf8.count == 4 ? "  " : " "
    line += "\(module): "
    line += escapingControls(message)
    if !fields.isEmpty {
      line += ":"
      for field in fields { line += " \(field.key)=\(quotedIfNeeded(field.value))" }
    }
    return line
  }

  /// One JSON object with `@timestamp`, `@level`, `@module`, `@message` and the fields, without a newline.
  public func renderedAsJSON() -> String {
    var line = "{\"@level\":\"\(level.label.lowercased())\",\"@message\":\(jsonString(message))"
    line += ",\"@module\":\(jsonString(module)),\"@timestamp\":\"\(timestamp)\""
    for field in fields { line += ",\(jsonString(field.key)):\(jsonString(field.value))" }
    return line + "}"
  }

  /// RFC 3339 in UTC with milliseconds.
  var timestamp: String {
    let days = seconds >= 0 ? seconds / 86400 : (seconds - 86399) / 86400
    let ofDay = seconds - days * 86400
    let date = civilDate(daysSinceEpoch: days)
    func padded(_ number: Int, _ width: Int) -> String {
      let digits = String(number)
      return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
    }
    return "\(padded(date.year, 4))-\(padded(date.month, 2))-\(padded(date.day, 2))T"
      + "\(padded(ofDay / 3600, 2)):\(padded(ofDay / 60 % 60, 2)):\(padded(ofDay % 60, 2))"
      + ".\(padded(milliseconds, 3))Z"
  }
}

/// Gregorian date of a day count, by Howard Hinnant's `civil_from_days` (chrono-Compatible Low-Level Date Algorithms).
private func civilDate(daysSinceEpoch: Int) -> (year: Int, month: Int, day: Int) {
  let shifted = daysSinceEpoch + 719_468
  let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
  let dayOfEra = shifted - era * 146_097
  let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
  let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
  let shiftedMonth = (5 * dayOfYear + 2) / 153
  let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
  let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
  return (year, month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
}

private func escapingControls(_ text: String) -> String {
  guard text.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7f }) else { return text }
  var result = ""
  for scalar in text.unicodeScalars {
    switch scalar {
    case "\n": result += "\\n"
    case "\r": result += "\\r"
    case "\t": result += "\\t"
    case _ where scalar.value < 0x20 || scalar.value == 0x7f:
      result += "\\x" + String(scalar.value + 0x100, radix: 16).dropFirst()
    default: result.unicodeScalars.append(scalar)
    }
  }
  return result
}

private func quotedIfNeeded(_ value: String) -> String {
  let plain =
    !value.isEmpty
    && value.unicodeScalars.allSatisfy { $0.value > 0x20 && $0.value != 0x7f && $0 != "\"" && $0 != "=" }
  if plain { return value }
  var quoted = "\""
  for character in escapingControls(value) { quoted += character == "\"" ? "\\\"" : String(character) }
  return quoted + "\""
}

private func jsonString(_ text: String) -> String {
  var result = "\""
  for scalar in text.unicodeScalars {
    switch scalar {
    case "\"": result += "\\\""
    case "\\": result += "\\\\"
    case _ where scalar.value < 0x20:
      result += "\\u" + String(scalar.value + 0x10000, radix: 16).dropFirst()
    default: result.unicodeScalars.append(scalar)
    }
  }
  return result + "\""
}
