import HTTP
import Testing

/// An HTTP server of a few files, for artifacts.
struct FileServer {
  let address: String

  /// Serves until the test ends.
  init(_ scratch: Scratch, _ files: [String: [UInt8]]) throws {
    let server = try HTTPServer(configuration: .init(addresses: [.tcp(host: "127.0.0.1", port: 0)])) { request in
      files[request.target.path].map { HTTPResponse(bytes: $0) } ?? .text("no such file", status: .notFound)
    }
    guard case .tcp(_, let port)? = try server.start().first else { throw Failure("the file server has no port") }
    address = "http://127.0.0.1:\(port)"
    scratch.atEnd { await server.stop() }
  }
}
