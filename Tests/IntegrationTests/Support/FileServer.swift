import HTTP
import Testing

/// An HTTP server of a few files, for artifacts.
struct FileServer {
  let address: String

  /// Serves until the test ends. What is not among the files and begins with `/slow` never ends.
  init(_ scratch: Scratch, _ files: [String: [UInt8]]) throws {
    let server = try HTTPServer(configuration: .init(addresses: [.tcp(host: "127.0.0.1", port: 0)])) { request in
      if let bytes = files[request.target.path] { return HTTPResponse(bytes: bytes) }
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
}
