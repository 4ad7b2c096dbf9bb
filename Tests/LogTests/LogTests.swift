import Glibc
import Synchronization
import Testing

@testable import Log

/// Keeps lines in memory.
private final class MemorySink: LogSink {
  private let stored = Mutex<[String]>([])
  var lines: [String] { stored.withLock { $0 } }
  func write(line: String) { stored.withLock { $0.append(line) } }
}

@Suite struct LogTests {
  // The date is RFC 3339's own example of section 5.8 shifted to UTC: 1996-12-20T00:39:57Z is 851042397.
  @Test func aTextLineCarriesTimeLevelModuleMessageAndFields() {
    let record = LogLine(
      seconds: 851_042_397, milliseconds: 7, level: .info, module: "client", message: "node registered",
      fields: [("node_id", "a1"), ("reason", "two words")])
    #expect(
      record.renderedAsText()
        == "1996-12-20T00:39:57.007Z [INFO]  client: node registered: node_id=a1 reason=\"two words\"")
  }

  @Test(arguments: [(0, "1970-01-01"), (951_782_400, "2000-02-29"), (1_709_164_800, "2024-02-29"), (-1, "1969-12-31")])
  func datesAreGregorian(seconds: Int, expected: String) {
    let record = LogLine(seconds: seconds, milliseconds: 0, level: .warn, module: "m", message: "x")
    #expect(record.timestamp.hasPrefix(expected))
  }

  @Test func aNewlineInAMessageCannotForgeASecondLine() {
    let record = LogLine(
      seconds: 0, milliseconds: 0, level: .error, module: "m", message: "a\nb", fields: [("k", "c\r\u{1b}[31m\"")])
    #expect(!record.renderedAsText().contains("\n"))
    #expect(record.renderedAsText().hasSuffix("m: a\\nb: k=\"c\\r\\x1b[31m\\\"\""))
    #expect(record.renderedAsJSON().contains("\"@message\":\"a\\u000ab\""))
  }

  @Test func linesBelowTheLevelAreNotBuilt() {
    let sink = MemorySink()
    let logger = Logger(module: "agent", level: .warn, sink: sink)
    var built = false
    func message() -> String {
      built = true
      return "quiet"
    }
    logger.info(message())
    #expect(!built && sink.lines.isEmpty)
    logger.named("http").level = .trace
    logger.info(message())
    #expect(built && sink.lines.count == 1)
    #expect(sink.lines.first?.contains("agent: quiet") == true)
  }

  @Test func aFileIsSetAsideWhenFullAndTheOldestIsDeleted() throws {
    var template = Array("/tmp/serai-log-XXXXXX".utf8CString)
    let folder = try #require(mkdtemp(&template).map { String(cString: $0) } as String?)
    let now = Mutex(1000)
    let sink = try FileSink(
      path: folder + "/agent.log", rotation: .init(bytes: 20, seconds: 0, maxFiles: 2),
      clock: { now.withLock { $0 } })
    for number in 0..<10 {
      now.withLock { $0 += 1 }
      sink.write(line: "line number \(number)")
    }
    var names: [String] = []
    let opened = opendir(folder)
    let stream = try #require(opened)
    while let entry = readdir(stream) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name.hasPrefix("agent") { names.append(name) }
    }
    closedir(stream)
    #expect(names.sorted() == ["agent-1009.log", "agent-1010.log", "agent.log"])
    for name in names { unlink("\(folder)/\(name)") }
    rmdir(folder)
  }

  @Test func anUnwritablePathIsNamedInTheError() {
    let error = #expect(throws: LogFileError.self) {
      try FileSink(path: "/nonexistent/serai/agent.log", clock: { 0 })
    }
    #expect(error?.description.contains("/nonexistent/serai/agent.log") == true)
  }
}
