import HTTP
import Linux
import Testing

@testable import Artifact

/// A folder with a task's directory in it, and a server of files; both are gone afterwards.
struct Scratch {
  let folder: String
  let url: String

  static func with(_ files: [String: [UInt8]], _ body: (Scratch) async throws -> Void) async throws {
    let folder = "/tmp/serai-artifact-\(UInt64.random(in: 0 ... .max))"
    try Files.makeDirectories(folder + "/task/local", permissions: 0o777)
    defer { try? Files.removeTree(folder) }
    let sums = Array((ArtifactFetchTests.hello + "  hello\n").utf8)
    let server = try HTTPServer(configuration: .init(addresses: [.tcp(host: "127.0.0.1", port: 0)])) { request in
      if request.target.path == "/sums" { return HTTPResponse(bytes: sums) }
      return files[request.target.path].map { HTTPResponse(bytes: $0) } ?? .text("no such file", status: .notFound)
    }
    guard case .tcp(_, let port)? = try server.start().first else { throw ArtifactError(.system, "no port") }
    do {
      try await body(Scratch(folder: folder, url: "http://127.0.0.1:\(port)"))
    } catch {
      await server.stop()
      throw error
    }
    await server.stop()
  }

  func fetch(
    _ path: String, destination: String = "local/", mode: ArtifactRequest.Mode = .any, options: [String: String] = [:],
    limits: ArtifactLimits = ArtifactLimits()
  ) async throws {
    try await ArtifactFetch.run(
      ArtifactRequest(
        source: url + path, options: options, mode: mode, directory: folder + "/task", destination: destination),
      limits: limits)
  }

  func text(_ path: String) throws -> String { try Files.readText("\(folder)/task/\(path)") }
  func status(_ path: String) throws -> FileStatus { try FileStatus.of("\(folder)/task/\(path)") }
  func entries(_ path: String) throws -> [String] {
    try FileDescriptor.open("\(folder)/task/\(path)", [.readOnly, .directory]).entries().map(\.name)
  }
}

/// Writes ustar archives (POSIX.1-1988), also such as no tool would write.
struct Tar {
  private(set) var blocks: [UInt8] = []
  var bytes: [UInt8] { blocks + [UInt8](repeating: 0, count: 1024) }

  func file(_ name: String, _ text: String, mode: Int = 0o644) -> Tar {
    entry(name, type: "0", Array(text.utf8), mode: mode)
  }
  func directory(_ name: String) -> Tar { entry(name, type: "5", mode: 0o755) }
  func link(_ name: String, to target: String) -> Tar { entry(name, type: "2", target: target) }
  func hardLink(_ name: String, to target: String) -> Tar { entry(name, type: "1", target: target) }
  func fifo(_ name: String) -> Tar { entry(name, type: "6") }

  private func entry(
    _ name: String, type: Character, _ content: [UInt8] = [], mode: Int = 0o644, target: String = ""
  ) -> Tar {
    var header = [UInt8](repeating: 0, count: 512)
    func put(_ text: String, at offset: Int) {
      for (index, byte) in text.utf8.enumerated() { header[offset + index] = byte }
    }
    func octal(_ value: Int, _ width: Int) -> String {
      let digits = String(value, radix: 8)
      return String(repeating: "0", count: width - digits.count) + digits
    }
    put(name, at: 0)
    put(octal(mode, 7), at: 100)
    put(octal(0, 7), at: 108)
    put(octal(0, 7), at: 116)
    put(octal(content.count, 11), at: 124)
    put(octal(0, 11), at: 136)
    put("        ", at: 148)
    put(String(type), at: 156)
    put(target, at: 157)
    put("ustar", at: 257)
    put("00", at: 263)
    put(octal(header.reduce(0) { $0 + Int($1) }, 6), at: 148)
    header[154] = 0
    var result = self
    result.blocks += header + content + [UInt8](repeating: 0, count: (512 - content.count % 512) % 512)
    return result
  }
}
