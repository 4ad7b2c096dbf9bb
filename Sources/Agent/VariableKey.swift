internal import Codec
internal import Linux
internal import Server
internal import TLS

/// The key that a server encrypts variables with, AES-256-GCM.
///
/// It comes from the file that `server.variables_key_file` names: 32 bytes as base64, the same on every server, readable by
/// the agent's user alone. A server that is the whole cluster makes itself one in its data directory where none is named;
/// then whoever has the whole data directory has the variables, too.
enum VariableKey {
  private static let keyBytes = 32

  /// The cipher of this server; nil for one of several servers without a key file, which then keeps no variables.
  /// - Throws: `ConfigurationError` naming the file and what is wrong with it.
  static func cipher(
    named path: String, folder: String, isOnlyServer: Bool
  ) throws(ConfigurationError) -> VariableCipher? {
    if path.isEmpty, !isOnlyServer { return nil }
    let file = path.isEmpty ? folder + "/variables.key" : path
    do {
      if path.isEmpty, !Files.exists(file) {
        let text = Blob(try SecureRandom.bytes(keyBytes)).base64 + "\n"
        try Files.replace(file, with: Array(text.utf8), permissions: 0o600, durable: true)
      }
      let key = try read(file)
      return VariableCipher(
        seal: { plaintext, context in try AESGCM.seal(plaintext, key: key, authenticating: context) },
        open: { sealed, context in try AESGCM.open(sealed, key: key, authenticating: context) })
    } catch let error as ConfigurationError {
      throw error
    } catch {
      throw ConfigurationError("the variables' key in \(file) can't be used: \(error)")
    }
  }

  private static func read(_ path: String) throws -> [UInt8] {
    let file = try FileDescriptor.open(path)
    guard try file.status().permissions & 0o077 == 0 else {
      throw ConfigurationError("\(path): others can read the variables' key: chmod 600 it")
    }
    let text = String(decoding: try file.readAll(limit: 4096), as: UTF8.self)
    guard let key = Blob(base64: String(text.filter { !$0.isWhitespace }))?.bytes, key.count == keyBytes else {
      throw ConfigurationError(
        "\(path): the variables' key must be base64 of \(keyBytes) bytes: "
          + "`serai operator gossip keyring generate` makes one")
    }
    return key
  }
}
