import Glibc
import Linux

/// A program that the benchmark started, with pipes to its standard input and output.
final class Child {
  let pid: Int32
  private let input: FileDescriptor
  private let output: FileDescriptor
  private var buffered: [UInt8] = []

  /// Starts a program; its standard error is ours unless `errors` names a file.
  init(_ path: String, _ arguments: [String], environment: [String] = Child.environment, errors: Int32 = 2) throws {
    let toChild = try Pipe()
    let fromChild = try Pipe()
    var request = SpawnRequest(path: path, arguments: [path] + arguments, environment: environment)
    request.streams = [toChild.read.number, fromChild.write.number, errors]
    pid = try request.start()
    input = FileDescriptor(adopting: dup(toChild.write.number))
    output = FileDescriptor(adopting: dup(fromChild.read.number))
    try input.setCloseOnExec(true)
    try output.setCloseOnExec(true)
  }

  static let environment = ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8"]

  func write(_ text: String) throws { try input.writeAll(Array(text.utf8)) }

  /// The next line, without its end.
  func line() throws -> String {
    while true {
      if let end = buffered.firstIndex(of: 0x0A) {
        defer { buffered.removeFirst(end + 1) }
        return String(decoding: buffered[..<end], as: UTF8.self)
      }
      let bytes = try output.read(upTo: 4096)
      if bytes.isEmpty { throw Failure("process \(pid) ended without an answer") }
      buffered += bytes
    }
  }

  /// Waits for the first byte of output.
  func firstByte() throws {
    if try output.read(upTo: 1).isEmpty { throw Failure("process \(pid) ended without a byte of output") }
  }

  /// Everything the program still writes, to its end.
  func rest() throws -> String {
    var all = buffered
    while true {
      let bytes = try output.read(upTo: 1 << 16)
      if bytes.isEmpty { break }
      all += bytes
    }
    return String(decoding: all, as: UTF8.self)
  }

  /// Reaps it after it has ended by itself, or after `signal`.
  @discardableResult
  func end(_ signal: Int32? = nil) -> WaitStatus {
    if let signal { kill(pid, signal) }
    var status: Int32 = 0
    waitpid(pid, &status, 0)
    return WaitStatus(rawValue: status)
  }

  /// Runs a program to its end and returns what it printed.
  static func output(of path: String, _ arguments: [String]) throws -> String {
    let child = try Child(path, arguments)
    let text = try child.rest()
    let status = child.end()
    guard status.exitCode == 0 else { throw Failure("\(path) \(arguments.joined(separator: " ")): \(status)") }
    return text
  }
}

/// A figure of /proc/<pid>/smaps_rollup in bytes: what of the memory is a process' own.
enum Memory {
  /// Memory of the process' own: no page of it is a file's, which the kernel can have back at any time.
  static func anonymous(of pid: Int32) throws -> Double { try sum(["Anonymous:"], of: pid) }

  /// Private memory and a fair part of what is shared.
  static func proportional(of pid: Int32) throws -> Double { try sum(["Pss:"], of: pid) }

  private static func sum(_ names: [String], of pid: Int32) throws -> Double {
    var total = 0.0
    for line in try Files.readText("/proc/\(pid)/smaps_rollup").split(separator: "\n") {
      let words = line.split(separator: " ")
      if words.count >= 2, names.contains(String(words[0])) { total += (Double(words[1]) ?? 0) * 1024 }
    }
    return total
  }
}
