import Glibc

/// Times and spans as the command line prints them.
enum TimeText {
  /// RFC 3339 to the second in the local zone, `2026-07-23T12:22:08+08:00`; "N/A" for 0 (never).
  static func absolute(nanoseconds: Int64) -> String {
    guard nanoseconds > 0 else { return "N/A" }
    var seconds = time_t(nanoseconds / 1_000_000_000)
    var fields = tm()
    localtime_r(&seconds, &fields)
    return format(fields)
  }

  /// RFC 3339 to the second in UTC, `2026-07-23T04:22:08Z`; "N/A" for 0 (never).
  static func absoluteUTC(nanoseconds: Int64) -> String {
    guard nanoseconds > 0 else { return "N/A" }
    var seconds = time_t(nanoseconds / 1_000_000_000)
    var fields = tm()
    gmtime_r(&seconds, &fields)
    return format(fields)
  }

  private static func format(_ fields: tm) -> String {
    func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
    let date = "\(Int(fields.tm_year) + 1900)-\(two(Int(fields.tm_mon) + 1))-\(two(Int(fields.tm_mday)))"
    let clock = "\(two(Int(fields.tm_hour))):\(two(Int(fields.tm_min))):\(two(Int(fields.tm_sec)))"
    let offset = fields.tm_gmtoff / 60
    if offset == 0 { return "\(date)T\(clock)Z" }
    let sign = offset < 0 ? "-" : "+"
    return "\(date)T\(clock)\(sign)\(two(abs(offset) / 60)):\(two(abs(offset) % 60))"
  }

  /// "13m17s ago", "2d3h ago", "in 5s" for the future: the two largest units that matter.
  static func relative(nanoseconds: Int64, now: Int64) -> String {
    guard nanoseconds > 0 else { return "N/A" }
    let seconds = (now - nanoseconds) / 1_000_000_000
    return seconds < 0 ? "in \(span(seconds: -seconds))" : "\(span(seconds: seconds)) ago"
  }

  /// A span in its two largest units: "1y2mo", "3d4h", "13m17s", "5s", "0s".
  static func span(seconds: Int64) -> String {
    let units: [(Int64, String)] = [
      (31_536_000, "y"), (2_592_000, "mo"), (86_400, "d"), (3_600, "h"), (60, "m"), (1, "s"),
    ]
    for (index, unit) in units.enumerated() where seconds >= unit.0 {
      let major = "\(seconds / unit.0)\(unit.1)"
      guard index + 1 < units.count else { return major }
      let minor = seconds % unit.0 / units[index + 1].0
      return minor == 0 ? major : "\(major)\(minor)\(units[index + 1].1)"
    }
    return "0s"
  }
}

/// Bytes as the command line prints them: IEC units, "788 KiB", "1.5 GiB".
func bytesText(_ bytes: Int) -> String {
  let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"]
  var value = Double(bytes)
  var unit = 0
  while value >= 1024, unit < units.count - 1 {
    value /= 1024
    unit += 1
  }
  let tenths = Int((value * 10).rounded())
  let number =
    value >= 10 || unit == 0 || tenths % 10 == 0 ? "\(Int(value.rounded()))" : "\(tenths / 10).\(tenths % 10)"
  return "\(number) \(units[unit])"
}
