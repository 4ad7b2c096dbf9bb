import Glibc
import Linux
import Testing

let isRoot = geteuid() == 0
let needsRoot: Comment = "starts agents that run isolated tasks: needs root"

/// The programs of this package, where the build put them.
enum Programs {
  /// The path of one of them, beside the test bundle.
  static func path(_ name: String) throws -> String {
    var places = [Files.parent(of: try FileDescriptor.open("/proc/self", [.directory]).readSymbolicLink("exe"))]
    // `swift test` runs a helper of the toolchain; the bundle that it loads is named in its arguments.
    for argument in CommandLine.arguments where argument.contains("/") {
      places.append(Files.parent(of: argument.split(separator: "=").last.map(String.init) ?? argument))
    }
    let found = places.map { "\($0)/\(name)" }.first { Files.exists($0) }
    return try #require(found, "no \(name) beside the tests: looked into \(places.joined(separator: ", "))")
  }

  /// The folder that holds Package.swift, found from where this file was compiled.
  static var packageFolder: String {
    var folder = #filePath
    while !folder.isEmpty, !Files.exists(folder + "/Package.swift") { folder = Files.parent(of: folder) }
    return folder
  }
}

/// What a program that has ended left.
struct Outcome: Sendable, CustomStringConvertible {
  var status: WaitStatus
  var output: String
  var errors: String

  /// The exit code; 128 and the signal's number for a program that was killed, as shells say it.
  var code: Int32 { status.exitCode ?? 128 + (status.signal ?? 0) }
  var lines: [String] { output.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) }
  var description: String { "exit code \(code)\n--- output\n\(output)--- errors\n\(errors)---" }
}

/// Something did not come about in time, or not at all.
struct Failure: Error, CustomStringConvertible {
  var description: String

  init(_ description: String) { self.description = description }
}

/// Polls until `look` finds something.
/// - Parameters:
///   - within: seconds; generous, for a busy machine: a test that passes never waits that long.
///   - pause: between two looks; short for what is there only for a moment.
func eventually<Found>(
  _ what: String, within seconds: Int64 = 60, every pause: Duration = .milliseconds(20),
  orSay: () async -> String = { "" }, _ look: () async throws -> Found?
) async throws -> Found {
  let deadline = Clock.monotonicNanoseconds + seconds * 1_000_000_000
  while true {
    if let found = try await look() { return found }
    guard Clock.monotonicNanoseconds < deadline else {
      throw Failure("not within \(seconds) s: \(what)\n\(await orSay())")
    }
    try await Task.sleep(for: pause)
  }
}

/// Polls until a condition holds.
func until(
  _ what: String, within seconds: Int64 = 60, every pause: Duration = .milliseconds(20),
  orSay: () async -> String = { "" }, _ condition: () async throws -> Bool
) async throws {
  let _: Bool = try await eventually(what, within: seconds, every: pause, orSay: orSay) {
    try await condition() ? true : nil
  }
}
