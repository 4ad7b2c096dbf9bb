import Glibc

/// The folder that SERAI_ORACLES names: other implementations to compare with.
enum Oracles {
  static let folder: String? = getenv("SERAI_ORACLES").map { String(cString: $0) }

  struct Failure: Error { let text: String }

  /// Runs a shell command on lines of input and returns the lines of its output.
  static func lines(of command: String, input: [String]) throws -> [String] {
    var template = Array("/tmp/serai-cron-XXXXXX".utf8CString)
    let descriptor = mkstemp(&template)
    guard descriptor >= 0, let file = fdopen(descriptor, "w") else { throw Failure(text: "mkstemp: errno \(errno)") }
    let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    defer { unlink(path) }
    for line in input { fputs(line + "\n", file) }
    fclose(file)
    guard let pipe = popen("\(command) < '\(path)'", "r") else { throw Failure(text: "popen: errno \(errno)") }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = fread(&buffer, 1, buffer.count, pipe)
      if count == 0 { break }
      bytes += buffer[..<count]
    }
    guard pclose(pipe) == 0 else { throw Failure(text: "failed: \(command)") }
    return bytes.split(separator: 0x0A).map { String(decoding: $0, as: UTF8.self) }
  }

  /// A file of the tz database, or nil.
  static func zoneFile(_ name: String) -> [UInt8]? {
    guard let file = fopen("/usr/share/zoneinfo/\(name)", "r") else { return nil }
    defer { fclose(file) }
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    let count = fread(&buffer, 1, buffer.count, file)
    return count > 0 ? Array(buffer[..<count]) : nil
  }
}

/// Random numbers whose sequence depends on the seed alone (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64
  init(seed: UInt64) { state = seed }
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
    return mixed ^ mixed >> 31
  }
}
