import Glibc
import HTTP
import Linux
import Synchronization
import Testing

/// Everything one test makes on the host, each name with a random part, and removed when the test ends, the last first.
final class Scratch: Sendable {
  /// Also the name of the control group of the test's tasks.
  let name: String
  let folder: String
  let http = HTTPClient()
  private let cleanUps = Mutex<[@Sendable () async throws -> Void]>([])

  private init() throws {
    name =
      "serai-it-" + (try Randomness.bytes(5).map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined())
    folder = "/var/tmp/\(name)"
    try Files.makeDirectories(folder, permissions: 0o755)
  }

  /// Runs a test's body and cleans up after it, also when it throws. What the agents logged is kept when it does.
  static func with(_ body: (Scratch) async throws -> Void) async throws {
    let scratch = try Scratch()
    do {
      try await body(scratch)
    } catch {
      scratch.keepLogs()
      await scratch.cleanUp()
      throw error
    }
    await scratch.cleanUp()
  }

  /// Registers what undoes something that the test made.
  func atEnd(_ work: @escaping @Sendable () async throws -> Void) { cleanUps.withLock { $0.append(work) } }

  private func cleanUp() async {
    while let work = cleanUps.withLock({ $0.popLast() }) {
      do { try await work() } catch { Issue.record("clean up: \(error)") }
    }
    do {
      try await AgentCgroups(name: name).remove()
      try Files.removeTree(folder)
    } catch {
      Issue.record("clean up: \(error)")
    }
  }

  private func keepLogs() {
    // What still runs, and where in the kernel it waits: for a start or an end that hangs.
    for process in HostProcess.inside(cgroup: name) {
      print(
        "\(process): in \(HostProcess.text("/proc/\(process.pid)/wchan"))\n\(HostProcess.text("/proc/\(process.pid)/stack"))"
      )
    }
    let names = (try? FileDescriptor.open(folder, [.directory]).entries().map(\.name)) ?? []
    let supervisors = names.map { "\($0)/client/supervisor.log" }.filter { Files.exists("\(folder)/\($0)") }
    for file in (names.filter { $0.hasSuffix(".log") } + supervisors).sorted() {
      guard let bytes = try? Files.read("\(folder)/\(file)", limit: 256 << 20), !bytes.isEmpty else { continue }
      let kept = "/var/tmp/\(name)-\(file.replacing("/", with: "-"))"
      try? Files.replace(kept, with: bytes, permissions: 0o644)
      let tail = String(decoding: bytes, as: UTF8.self).split(separator: "\n").suffix(40).joined(separator: "\n")
      print("the whole of \(file) is kept in \(kept); it ends:\n\(tail)\n")
    }
  }

  /// Writes a file into the test's folder.
  /// - Returns: its path.
  @discardableResult
  func write(_ file: String, _ text: String) throws -> String {
    try Files.replace("\(folder)/\(file)", with: Array(text.utf8), permissions: 0o644)
    return "\(folder)/\(file)"
  }

  /// Runs a program to its end.
  /// - Parameter folder: where it runs; the test's own folder when nil.
  func run(
    _ path: String, _ arguments: [String], environment: [String: String] = [:], in folder: String? = nil
  ) async throws -> Outcome {
    let number = try Randomness.bytes(4).map { String($0) }.joined(separator: ".")
    let (outputPath, errorPath) = ("\(self.folder)/out.\(number)", "\(self.folder)/err.\(number)")
    let output = try FileDescriptor.open(outputPath, [.writeOnly, .create], permissions: 0o600)
    let errors = try FileDescriptor.open(errorPath, [.writeOnly, .create], permissions: 0o600)
    // posix_spawn has no portable way to choose the folder; a shell has.
    var request = SpawnRequest(
      path: "/bin/sh",
      arguments: ["sh", "-c", "cd \"$1\" && shift && exec \"$@\"", "sh", folder ?? self.folder, path] + arguments,
      environment: Self.environment(environment))
    request.streams = [nil, output.number, errors.number]
    let child = try ProcessHandle.open(pid: try request.start())
    let status: WaitStatus
    do {
      status = try await eventually("\(path) \(arguments.joined(separator: " ")) ends", within: 120) {
        try child.reap()
      }
    } catch {
      try child.signal(SIGKILL)
      _ = try await eventually("the killed program is reaped") { try child.reap() }
      throw Failure("\(error)\nit had printed: \(try Files.readText(outputPath)) \(try Files.readText(errorPath))")
    }
    defer { for path in [outputPath, errorPath] { unlink(path) } }
    return Outcome(status: status, output: try Files.readText(outputPath), errors: try Files.readText(errorPath))
  }

  /// Starts a program that is killed when the test ends; what it prints is in a log file of its own.
  func launch(_ path: String, _ arguments: [String]) throws {
    let number = try Randomness.bytes(4).map { String($0) }.joined(separator: ".")
    let log = try FileDescriptor.open("\(folder)/\(number).log", [.writeOnly, .create, .append], permissions: 0o644)
    var request = SpawnRequest(path: path, arguments: [path] + arguments, environment: Self.environment())
    request.streams = [nil, log.number, log.number]
    request.newSession = true
    let pid = try request.start()
    atEnd {
      kill(pid, SIGKILL)
      try await until("the killed program is reaped") {
        var status: Int32 = 0
        return waitpid(pid, &status, WNOHANG) == pid
      }
    }
  }

  /// The environment of the programs that tests start: nothing of the user's own settings reaches them.
  static func environment(_ more: [String: String] = [:]) -> [String] {
    var all = [
      "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "TZ": "UTC",
      "LANG": "C.UTF-8",
    ]
    all.merge(more) { _, new in new }
    return all.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
  }
}

/// Ports that no agent of this test run has been given.
enum FreePorts {
  private static let given = Mutex<Set<UInt16>>([])

  /// A port that nothing listens on now. Below the kernel's own range for outgoing connections and outside of the range
  /// for tasks' dynamic ports, so that nobody takes it by chance while an agent restarts.
  static func next() throws -> UInt16 {
    for _ in 0..<1000 {
      let port = UInt16.random(in: 10000..<20000)
      guard given.withLock({ $0.insert(port).inserted }) else { continue }
      if let socket = try? ListeningSocket(port: port) {
        socket.close()
        return port
      }
    }
    throw Failure("no free port between 10000 and 20000")
  }
}

/// A TCP socket that listens on every address of the host: the program in the way of a task.
struct ListeningSocket {
  let descriptor: Int32

  init(port: UInt16) throws {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    var on: Int32 = 1
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    let bound = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard bound == 0, listen(descriptor, 8) == 0 else {
      Glibc.close(descriptor)
      throw Failure("port \(port) is taken")
    }
  }

  func close() { Glibc.close(descriptor) }
}
