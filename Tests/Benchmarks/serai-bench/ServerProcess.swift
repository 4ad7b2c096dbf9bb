import Codec
import Glibc
import HTTP
import Linux
import Synchronization

/// A server agent of the release build without a client, whose clients the benchmark plays.
final class ServerProcess: Sendable {
  let folder: String
  let httpPort: Int
  var rpcAddress: String { "127.0.0.1:\(httpPort + 1)" }
  private let place: Place
  private let http = HTTPClient()
  private let child: Mutex<Child>

  init(_ place: Place, name: String) async throws {
    self.place = place
    folder = "\(place.folder)/\(name)"
    httpPort = 20_000 + (Int(getpid()) + 3_000) % 10_000
    try Files.makeDirectories(folder, permissions: 0o755)
    let configuration = """
      data_dir  = "\(folder)/data"
      bind_addr = "127.0.0.1"
      ports {
        http = \(httpPort)
        rpc  = \(httpPort + 1)
        serf = \(httpPort + 2)
      }
      limits {
        rpc_max_conns_per_client  = 0
        http_max_conns_per_client = 0
      }
      server {
        enabled          = true
        bootstrap_expect = 1
      }

      """
    try Files.replace("\(folder)/agent.hcl", with: Array(configuration.utf8), permissions: 0o644)
    child = Mutex(try Self.start(place, folder))
    try await waitUntilReady()
  }

  private static func start(_ place: Place, _ folder: String) throws -> Child {
    let log = try FileDescriptor.open("\(folder)/agent.log", [.writeOnly, .create, .append], permissions: 0o644)
    return try Child(
      "\(place.release)/serai", ["agent", "-config", "\(folder)/agent.hcl", "-log-level", "WARN"], errors: log.number)
  }

  var pid: Int32 { child.withLock { $0.pid } }

  private func waitUntilReady() async throws {
    let deadline = Clock.monotonicNanoseconds + 300_000_000_000
    while true {
      if let leader = try? await get("/v1/status/leader").stringValue, !leader.isEmpty { return }
      guard Clock.monotonicNanoseconds < deadline else {
        throw Failure("the server did not come up:\n\(try Files.readText("\(folder)/agent.log"))")
      }
      Clock.sleep(nanoseconds: 5_000_000)
    }
  }

  /// Ends it in order, starts it again and waits until it leads.
  /// - Returns: the seconds from the new start on.
  func restart() async throws -> Double {
    let status = child.withLock { $0.end(SIGTERM) }
    guard status.exitCode == 0 else { throw Failure("the server ended with \(status)") }
    let began = Clock.monotonicNanoseconds
    try child.withLock { $0 = try Self.start(place, folder) }
    try await waitUntilReady()
    return Double(Clock.monotonicNanoseconds - began) / 1e9
  }

  func stop() {
    let status = child.withLock { $0.end(SIGTERM) }
    if status.exitCode != 0 { print("the server ended with \(status)") }
  }

  func get(_ path: String) async throws -> JSONValue {
    try JSON.decode(JSONValue.self, from: try await bytes(path))
  }

  func bytes(_ path: String) async throws -> [UInt8] {
    let response = try await http.request(
      HTTPClientRequest(url: "http://127.0.0.1:\(httpPort)\(path)", timeout: .seconds(300)))
    let bytes = try await response.bytes()
    guard response.status == .ok else { throw Failure("GET \(path): \(String(decoding: bytes, as: UTF8.self))") }
    return bytes
  }

  func put(_ path: String, _ body: JSONValue) async throws {
    let response = try await http.request(
      HTTPClientRequest(
        method: .put, url: "http://127.0.0.1:\(httpPort)\(path)", body: JSON.encode(body), timeout: .seconds(300)))
    let bytes = try await response.bytes()
    guard response.status == .ok else { throw Failure("PUT \(path): \(String(decoding: bytes, as: UTF8.self))") }
  }

  /// Seconds of processor time that its threads have worked (proc_pid_stat(5), fields 14 and 15).
  func processorSeconds() throws -> Double {
    let text = try Files.readText("/proc/\(pid)/stat")
    // The name in parentheses may hold anything.
    let fields = text[(text.lastIndex(of: ")") ?? text.startIndex)...].split(separator: " ")
    guard fields.count > 13, let user = Double(fields[12]), let system = Double(fields[13]) else {
      throw Failure("/proc/\(pid)/stat is not as proc_pid_stat(5) says")
    }
    return (user + system) / Double(sysconf(Int32(_SC_CLK_TCK)))
  }
}
