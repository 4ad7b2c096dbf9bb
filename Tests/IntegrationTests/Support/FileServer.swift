import HTTP
import Synchronization
import Testing

/// An HTTP server of a few files, for artifacts.
struct FileServer {
  let address: String
  private let gate: Gate

  /// What keeps held files back.
  private final class Gate: Sendable {
    private let open = Mutex(false)
    var isOpen: Bool { open.withLock { $0 } }
    func release() { open.withLock { $0 = true } }
  }

  /// Serves until the test ends. What is not among the files and begins with `/slow` never ends.
  /// - Parameter held: files that are sent from `release()` on; who asks before waits.
  init(_ scratch: Scratch, _ files: [String: [UInt8]], held: [String: [UInt8]] = [:]) throws {
    let gate = Gate()
    self.gate = gate
    let server = try HTTPServer(configuration: .init(addresses: [.tcp(host: "127.0.0.1", port: 0)])) { request in
      if let bytes = files[request.target.path] { return HTTPResponse(bytes: bytes) }
      if let bytes = held[request.target.path] {
        return HTTPResponse(
          body: .stream { writer in
            while !gate.isOpen { try await Task.sleep(for: .milliseconds(5)) }
            try await writer.write(bytes)
          })
      }
      guard request.target.path.hasPrefix("/slow") else { return .text("no such file", status: .notFound) }
      return HTTPResponse(
        body: .stream { writer in
          while true {
            try await writer.write([UInt8](repeating: 0, count: 1000))
            try await Task.sleep(for: .milliseconds(20))
          }
        })
    }
    guard case .tcp(_, let port)? = try server.start().first else { throw Failure("the file server has no port") }
    address = "http://127.0.0.1:\(port)"
    scratch.atEnd { await server.stop() }
  }

  /// Lets the held files go.
  func release() { gate.release() }
}
