import Codec
import Glibc
import Testing

/// The folder that SERAI_ORACLES names: `data/` with cases, `bin/` with programs that answer for other implementations.
enum Oracles {
  static let folder: String? = getenv("SERAI_ORACLES").map { String(cString: $0) }
  static let reason: Comment = "SERAI_ORACLES names no folder with the oracles"

  static func contents(of path: String) throws -> [UInt8] {
    guard let folder, let file = fopen(folder + "/" + path, "r") else { throw OracleError(text: "cannot read \(path)") }
    defer { fclose(file) }
    return drain(file)
  }

  private static func drain(_ file: UnsafeMutablePointer<FILE>) -> [UInt8] {
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = fread(&buffer, 1, buffer.count, file)
      if count == 0 { return bytes }
      bytes += buffer[..<count]
    }
  }

  /// Asks a program one JSON document a line and returns its answers, a line each.
  static func ask(_ program: String, _ questions: [JSONValue]) throws -> [JSONValue] {
    guard let folder else { throw OracleError(text: "SERAI_ORACLES is not set") }
    var template = Array("/tmp/serai-scheduler-XXXXXX".utf8CString)
    let descriptor = mkstemp(&template)
    guard descriptor >= 0 else { throw OracleError(text: "mkstemp: errno \(errno)") }
    let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    defer {
      close(descriptor)
      unlink(path)
    }
    var input: [UInt8] = []
    for question in questions { input += JSON.encode(question) + [0x0A] }
    var written = 0
    while written < input.count {
      let count = write(descriptor, Array(input[written...]), input.count - written)
      guard count > 0 else { throw OracleError(text: "write: errno \(errno)") }
      written += count
    }
    guard let pipe = popen("'\(folder)/bin/\(program)' < '\(path)'", "r") else {
      throw OracleError(text: "popen: errno \(errno)")
    }
    let output = drain(pipe)
    pclose(pipe)
    return try output.split(separator: 0x0A).map { try JSON.decode(JSONValue.self, from: Array($0)) }
  }
}

struct OracleError: Error {
  let text: String
}
