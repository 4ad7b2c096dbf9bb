internal import Linux

/// Files that a command names on its command line.
enum LocalFile {
  static func exists(_ path: String) -> Bool { Files.exists(path) }

  /// The whole file; "-" is standard input.
  static func read(_ path: String) throws(CommandFailure) -> [UInt8] {
    do throws(SystemError) {
      if path == "-" { return try FileDescriptor.duplicate(of: 0).readAll(limit: 64 << 20) }
      return try Files.read(path, limit: 64 << 20)
    } catch {
      throw CommandFailure("Error reading \(path == "-" ? "standard input" : path): \(error)")
    }
  }

  /// Makes a new file; one that exists is not touched.
  static func create(_ path: String, _ text: String) throws(CommandFailure) {
    do throws(SystemError) {
      try FileDescriptor.open(path, [.writeOnly, .create, .exclusive], permissions: 0o644).writeAll(Array(text.utf8))
    } catch {
      throw CommandFailure("Error writing \(path): \(error)")
    }
  }
}
