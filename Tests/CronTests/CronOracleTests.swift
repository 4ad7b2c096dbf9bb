import Glibc
import Testing

@testable import Cron

/// Compares with other implementations, on generated cases.
@Suite struct CronOracleTests {
  static let reason: Comment = "SERAI_ORACLES names no folder with the oracles"

  /// A random field: lists of values, ranges and steps.
  private func field(_ range: ClosedRange<Int>, stepLimit: Int, _ random: inout SeededGenerator) -> String {
    func value() -> Int { Int.random(in: range, using: &random) }
    func element() -> String {
      switch Int.random(in: 0..<6, using: &random) {
      case 0, 1: return "\(value())"
      case 2:
        let ends = [value(), value()].sorted()
        return "\(ends[0])-\(ends[1])"
      case 3: return "*/\(Int.random(in: 1...stepLimit, using: &random))"
      case 4: return "\(value())/\(Int.random(in: 1...stepLimit, using: &random))"
      default:
        let ends = [value(), value()].sorted()
        return "\(ends[0])-\(ends[1])/\(Int.random(in: 1...stepLimit, using: &random))"
      }
    }
    switch Int.random(in: 0..<4, using: &random) {
    case 0: return "*"
    case 1: return "\(element()),\(element())"
    default: return element()
    }
  }

  private func expression(_ random: inout SeededGenerator) -> String {
    let specialDays = ["L", "LW", "1W", "15W", "31W", "?", "L,10", "30W,5"]
    let specialWeekdays = ["5L", "MON#1", "sun#5", "SATL", "?", "mon-fri", "Sunday", "7", "TUE,thu"]
    var day = field(1...31, stepLimit: 31, &random), weekday = field(0...6, stepLimit: 6, &random)
    if Int.random(in: 0..<4, using: &random) == 0, let special = specialDays.randomElement(using: &random) {
      day = special
    }
    if Int.random(in: 0..<4, using: &random) == 0, let special = specialWeekdays.randomElement(using: &random) {
      weekday = special
    }
    let month = Int.random(in: 0..<5, using: &random) == 0 ? "jan,Apr-SEPTEMBER" : field(1...12, stepLimit: 12, &random)
    var text =
      "\(field(0...59, stepLimit: 59, &random)) \(field(0...23, stepLimit: 23, &random)) \(day) \(month) \(weekday)"
    switch Int.random(in: 0..<4, using: &random) {
    case 0: text += " \(Int.random(in: 2020...2030, using: &random))"
    case 1: text = "\(field(0...59, stepLimit: 59, &random)) \(text) 2000-2040/3"
    default: break
    }
    return text
  }

  /// The reference reads a span `0-0` of weekdays as every day, where cron(8) and its successor read Sunday.
  private func isKnownDifference(_ text: String) -> Bool {
    let fields = text.split(separator: " ")
    let weekday = fields.count == 7 ? fields[5] : fields[4]
    return weekday.split(separator: ",").contains { $0.hasPrefix("0-0") }
  }

  @Test(.enabled(if: Oracles.folder != nil, reason)) func timesWithoutClockChangesAreThoseOfTheReferenceLibrary() throws
  {
    var random = SeededGenerator(seed: 11)
    var cases: [(text: String, from: Int64)] = []
    while cases.count < 6000 {
      let text = expression(&random)
      if !isKnownDifference(text) {
        cases.append((text, Int64.random(in: 946_684_800..<1_893_456_000, using: &random)))
      }
    }
    let folder = try #require(Oracles.folder)
    let answers = try Oracles.lines(
      of: "'\(folder)/bin/cronoracle'",
      input: cases.map { #"{"expr":"\#($0.text)","from":"\#(rfc3339($0.from))","tz":"UTC","n":4}"# })
    #expect(answers.count == cases.count)
    var differences: [String] = []
    for (entry, answer) in zip(cases, answers) {
      let expected = answer.split(separator: "\"").filter { $0.count == 20 && $0.hasSuffix("Z") }.map(String.init)
      #expect(answer.contains("\"ok\":true"), "\(entry.text): \(answer)")
      let schedule = CronSchedule([try CronExpression(entry.text)], in: .utc)
      var found: [String] = []
      var moment = entry.from
      while found.count < 4, let next = schedule.next(after: moment) {
        found.append(rfc3339(next))
        moment = next
      }
      if found != expected {
        differences.append("\(entry.text) from \(rfc3339(entry.from)): \(found), not \(expected)")
      }
    }
    #expect(differences.isEmpty, "\(differences.count) of \(cases.count), such as \(differences.prefix(5))")
  }

  /// The other implementation steps through UTC minute by minute and looks at the local clock.
  @Test(.enabled(if: Oracles.folder != nil, reason)) func timesAroundClockChangesAreThoseOfBruteForce() throws {
    let zones = [
      "America/New_York", "Europe/Berlin", "Australia/Sydney", "Australia/Lord_Howe", "America/Sao_Paulo",
      "Asia/Tehran", "Africa/Casablanca", "Pacific/Apia", "America/St_Johns", "Africa/Cairo",
    ]
    var random = SeededGenerator(seed: 12)
    var cases: [(text: String, zone: String, from: Int64)] = []
    for _ in 0..<400 {
      guard let name = zones.randomElement(using: &random), let file = Oracles.zoneFile(name) else { continue }
      let zone = try TimeZone(tzif: file)
      let around = zone.stretch(at: Int64.random(in: 1_100_000_000..<1_900_000_000, using: &random)).end
      guard around < 2_000_000_000 else { continue }
      let minutes = ["*/5", "0", "30", "*/17", "59", "1-9/2"], hours = ["*", "0", "1", "2", "1-3", "*/2", "23,0"]
      let days = ["*", "*", "*/2"], weekdays = ["*", "*", "sun", "1-5"]
      let text = [minutes, hours, days, ["*"], weekdays].map { $0.randomElement(using: &random) ?? "*" }.joined(
        separator: " ")
      cases.append((text, name, around - Int64.random(in: 60...7200, using: &random) / 60 * 60))
    }
    #expect(cases.count > 300)
    let folder = try #require(Oracles.folder)
    let program = """
      import sys, datetime; sys.path.insert(0, "\(folder)/cron"); import bruteforce
      for line in sys.stdin:
          expr, tz, start = line.rstrip("\\n").split("\\t")
          begin = datetime.datetime.fromtimestamp(int(start), datetime.timezone.utc)
          found = bruteforce.nxt(expr, begin, tz, 4, 60 * 24 * 12)
          print(" ".join(str(int(datetime.datetime.fromisoformat(x).timestamp())) for x in found) or "-")
      """
    let answers = try Oracles.lines(
      of: "python3 -c '\(program)'", input: cases.map { "\($0.text)\t\($0.zone)\t\($0.from)" })
    #expect(answers.count == cases.count)
    var differences: [String] = []
    for (entry, answer) in zip(cases, answers) {
      let expected = answer.split(separator: " ").compactMap { Int64($0) }
      let zone = try TimeZone(tzif: try #require(Oracles.zoneFile(entry.zone)))
      let schedule = CronSchedule([try CronExpression(entry.text)], in: zone)
      var found: [Int64] = []
      var moment = entry.from
      while found.count < expected.count, let next = schedule.next(after: moment) {
        found.append(next)
        moment = next
      }
      if found != expected { differences.append("\(entry): \(found), not \(expected)") }
    }
    #expect(differences.isEmpty, "\(differences.count) of \(cases.count), such as \(differences.prefix(5))")
  }
}

func rfc3339(_ moment: Int64) -> String {
  func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
  let date = Calendar.date(days: floorDivide(moment, 86_400))
  let second = Int(moment - floorDivide(moment, 86_400) * 86_400)
  return
    "\(date.year)-\(two(date.month))-\(two(date.day))T\(two(second / 3600)):\(two(second / 60 % 60)):\(two(second % 60))Z"
}
