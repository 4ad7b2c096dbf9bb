import Glibc
import Testing

@testable import Cron

@Suite struct CronExpressionTests {
  private func next(_ text: String, after moment: String, count: Int = 1) throws -> [String] {
    let schedule = CronSchedule([try CronExpression(text)], in: .utc)
    var found: [String] = []
    var at = seconds(moment)
    while found.count < count, let time = schedule.next(after: at) {
      found.append(rfc3339(time))
      at = time
    }
    return found
  }

  private func seconds(_ text: String) -> Int64 {
    let numbers = text.split { !$0.isNumber }.compactMap { Int($0) }
    return Calendar.days(year: numbers[0], month: numbers[1], day: numbers[2]) * 86_400
      + Int64(numbers[3] * 3600 + numbers[4] * 60 + numbers[5])
  }

  @Test(
    arguments: [
      ("@yearly", "2025-01-01T00:00:00Z"), ("@annually", "2025-01-01T00:00:00Z"), ("@monthly", "2024-04-01T00:00:00Z"),
      ("@weekly", "2024-03-17T00:00:00Z"), ("@daily", "2024-03-11T00:00:00Z"), ("@midnight", "2024-03-11T00:00:00Z"),
      ("@hourly", "2024-03-10T02:00:00Z"), ("*/15 * * * * * *", "2024-03-10T01:59:15Z"),
      ("0 0 29 2 *", "2028-02-29T00:00:00Z"), ("0 0 1 1 * 2030", "2030-01-01T00:00:00Z"),
      ("0 0 13 * 5", "2024-03-13T00:00:00Z"),
    ]) func aTimeFollowsFromTheExpression(text: String, expected: String) throws
  {
    #expect(try next(text, after: "2024-03-10T01:59:00Z") == [expected])
  }

  /// crontab(5): 0 and 7 are both Sunday, also at the end of a range.
  @Test(arguments: ["0 0 * * 5-7", "0 0 * * fri-sun", "0 0 * * 5,6,0"]) func aWeekMayEndWithSunday(text: String) throws
  {
    #expect(
      try next(text, after: "2024-03-10T01:59:00Z", count: 3) == [
        "2024-03-15T00:00:00Z", "2024-03-16T00:00:00Z", "2024-03-17T00:00:00Z",
      ])
  }

  @Test(
    arguments: [
      "", "* * * *", "* * * * * * * *", "61 * * * *", "* 24 * * *", "* * 0 * *", "* * 32 * *", "* * * 13 *",
      "* * * * 8",
      "*/0 * * * *", "*/60 * * * *", "5-1 * * * *", "@reboot", "@every 5m", "a * * * *", "1- * * * *", ",1 * * * *",
      "* * * * * 1969", "* * * * * 2100", "* * L-3 * *", "* * * * MON#6", "-1 * * * *", "+1 * * * *", "007 * * * *",
      "1/2/3 * * * *", "* * W * *", "* * * * L",
    ]) func whatIsNoExpressionIsRefused(text: String)
  { #expect(throws: CronError.self) { try CronExpression(text) } }

  @Test func anErrorNamesTheField() {
    #expect(throws: CronError("\"61\" is no minute: it takes 0 to 59, lists, ranges and steps")) {
      try CronExpression("61 * * * *")
    }
  }

  @Test func severalExpressionsGiveTheEarliest() throws {
    let schedule = CronSchedule([try CronExpression("0 12 * * *"), try CronExpression("0 6 * * *")], in: .utc)
    #expect(schedule.next(after: 0) == 21_600)
    #expect(schedule.next(after: 21_600) == 43_200)
  }

  @Test func whatNeverHappensHasNoTime() throws {
    #expect(CronSchedule([try CronExpression("0 0 30 2 *")], in: .utc).next(after: 0) == nil)
    #expect(CronSchedule([try CronExpression("0 0 1 1 * 1999")], in: .utc).next(after: 1_000_000_000) == nil)
  }
}

@Suite struct TimeZoneTests {
  static let hasDatabase = access("/usr/share/zoneinfo/America/New_York", R_OK) == 0
  static let reason: Comment = "no tz database: install tzdata"

  /// The documented behaviour: a job in the skipped hour is skipped, one in the repeated hour runs twice.
  @Test(.enabled(if: hasDatabase, reason)) func clocksThatAreSetSkipAndRepeatTimes() throws {
    let zone = try TimeZone(tzif: try #require(Oracles.zoneFile("America/New_York")))
    let schedule = CronSchedule([try CronExpression("30 2 * * *")], in: zone)
    // 2024-03-09 02:30 EST; on the 10th clocks go from 02:00 to 03:00, so the 11th is next.
    #expect(schedule.next(after: 1_709_969_399) == 1_709_969_400)
    #expect(schedule.next(after: 1_709_969_400) == 1_710_138_600)
    // 2024-11-03: 01:30 happens at EDT (05:30Z) and again at EST (06:30Z).
    let twice = CronSchedule([try CronExpression("30 1 3 11 *")], in: zone)
    #expect(twice.next(after: 1_730_500_000) == 1_730_611_800)
    #expect(twice.next(after: 1_730_611_800) == 1_730_615_400)
  }

  /// Every zone of the database against Python, which reads the same files with its own code.
  @Test(.enabled(if: hasDatabase, reason)) func offsetsAreThoseOfAnotherReader() throws {
    var random = SeededGenerator(seed: 13)
    let listing = try Oracles.lines(
      of: "(cd /usr/share/zoneinfo && find . -type f -size -40k ! -path './right/*' ! -path './posix/*' | sort)",
      input: [])
    var checked = 0
    var questions: [(zone: String, moment: Int64, offset: Int)] = []
    for entry in listing {
      let name = String(entry.dropFirst(2))
      guard let bytes = Oracles.zoneFile(name), bytes.starts(with: Array("TZif".utf8)) else { continue }
      let zone = try TimeZone(tzif: bytes)
      checked += 1
      for _ in 0..<12 {
        let moment = Int64.random(in: -2_000_000_000..<4_000_000_000, using: &random)
        questions.append((name, moment, zone.offset(at: moment)))
      }
    }
    #expect(checked > 200)
    let answers = try Oracles.lines(
      of:
        "python3 -c 'import sys,zoneinfo,datetime\nfor l in sys.stdin:\n z,m=l.split(\"\\t\")\n print(int(datetime.datetime.fromtimestamp(int(m),zoneinfo.ZoneInfo(z)).utcoffset().total_seconds()))'",
      input: questions.map { "\($0.zone)\t\($0.moment)" })
    #expect(answers.count == questions.count)
    let wrong = zip(questions, answers).filter { Int($0.1) != $0.0.offset }
    #expect(wrong.isEmpty, "\(wrong.count) of \(questions.count), such as \(wrong.prefix(5))")
  }

  @Test(
    arguments: [
      ("EST5EDT,M3.2.0,M11.1.0", -18_000, true), ("<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", 37_800, true),
      ("UTC0", 0, false), ("<-03>3", -10_800, false), ("IST-1GMT0,M10.5.0,M3.5.0/1", 3600, true),
      ("<-02>2<-01>,M3.5.0/-1,M10.5.0/0", -7200, true), ("XXX3EDT4,0/0,J365/23", -10_800, true),
    ]) func rulesOfPOSIXAreRead(text: String, standard: Int, hasSummer: Bool) throws
  {
    let rule = try #require(TimeZoneRule(text.utf8))
    #expect(rule.standardOffset == standard && (rule.summer != nil) == hasSummer)
  }

  @Test(arguments: [
    "", "E5", "EST", "EST25", "EST5EDT", "EST5EDT,M3.2.0", "EST5EDT,M13.2.0,M1.1.0", "EST5EDT,M3.2.0,M11.1.0x", "<AB5",
  ])
  func otherTextsAreNoRules(text: String) { #expect(TimeZoneRule(text.utf8) == nil) }

  /// Files that are cut off, or have any byte changed, are read or refused; nothing else happens.
  @Test(.enabled(if: hasDatabase, reason)) func damagedFilesAreReadOrRefused() throws {
    var random = SeededGenerator(seed: 14)
    let names = ["America/New_York", "Europe/Berlin", "Asia/Tokyo", "Africa/Casablanca", "UTC"]
    var refused = 0
    for name in names {
      let bytes = try #require(Oracles.zoneFile(name))
      for round in 0..<4000 {
        var damaged = bytes
        if round % 4 == 0 { damaged = Array(damaged.prefix(Int.random(in: 0..<bytes.count, using: &random))) }
        for _ in 0..<Int.random(in: 1...8, using: &random) where !damaged.isEmpty {
          let place = Int.random(in: 0..<damaged.count, using: &random)
          damaged[place] = UInt8.random(in: 0...255, using: &random)
        }
        do {
          let zone = try TimeZone(tzif: damaged)
          let moment = Int64.random(in: 0..<4_000_000_000, using: &random)
          let stretch = zone.stretch(at: moment)
          #expect(stretch.end > moment)
          _ = CronSchedule([try CronExpression("30 2 * * *")], in: zone).next(after: moment)
        } catch is TimeZoneError {
          refused += 1
        }
      }
    }
    #expect(refused > 1000)
    #expect(throws: TimeZoneError.self) { try TimeZone(tzif: [UInt8](repeating: 0, count: TimeZone.largestFile + 1)) }
  }
}
