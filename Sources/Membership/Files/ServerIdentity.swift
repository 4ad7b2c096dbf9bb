public import Codec
internal import Linux

/// What a server is known by for ever, whatever its address: a UUID in `<data_dir>/server/node-id`.
public enum ServerIdentity {
  /// The stored identity; a new one is on disk before it is used.
  /// - Parameter folder: the server's part of the data directory.
  public static func loadOrMake(in folder: String) throws(MembershipError) -> Identifier {
    let path = folder + "/node-id"
    do throws(SystemError) {
      if let id = try read(path) {
        guard !id.isNone else {
          throw SystemError(
            "read", path, .invalidArgument, advice: "it holds no UUID: restore it; without it this server would be new")
        }
        return id
      }
      var generator = SystemRandomNumberGenerator()
      let id = Identifier(using: &generator)
      try Files.replace(path, with: Array("\(id)\n".utf8), permissions: 0o600, durable: true)
      return id
    } catch {
      throw MembershipError("the server's identity: \(error)")
    }
  }

  /// Nil if there is no file, `none` if it holds something else.
  private static func read(_ path: String) throws(SystemError) -> Identifier? {
    guard Files.exists(path) else { return nil }
    return Identifier(try Files.readText(path, limit: 1024).filter { !$0.isWhitespace }) ?? Identifier.none
  }
}
