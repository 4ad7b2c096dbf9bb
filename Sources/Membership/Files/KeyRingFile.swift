internal import Codec
internal import Gossip
internal import Linux

/// The key ring on disk: a JSON array of base64 texts, the primary key first, readable by the agent's user only.
enum KeyRingFile {
  static let name = "serf.keyring"

  /// The keys to begin with: those on disk, or the configured one.
  /// - Returns: the ring, and whether the configured key was passed over.
  static func load(_ path: String, configured: String) throws(MembershipError) -> (ring: KeyRing, ignoresKey: Bool) {
    var texts: [String] = []
    let exists = Files.exists(path)
    if exists {
      do {
        texts = try JSON.decode([String].self, from: try Files.read(path))
      } catch {
        throw MembershipError(
          "the key ring \(path) can't be read: \(error): restore it, or remove it to begin with the `encrypt` key")
      }
    }
    let isStored = !texts.isEmpty
    if !isStored, !configured.isEmpty { texts = [configured] }
    var keys: [[UInt8]] = []
    for text in texts {
      guard let key = Blob(base64: text)?.bytes else {
        throw MembershipError(
          isStored
            ? "the key ring \(path) holds a key that is no base64: restore it, or remove the file"
            : "encrypt: the key is no base64: `serai operator gossip keyring generate` makes one")
      }
      keys.append(key)
    }
    do throws(KeyRingError) {
      return (try KeyRing(keys), isStored && !configured.isEmpty && texts.first != configured)
    } catch {
      throw MembershipError(isStored ? "the key ring \(path): \(error)" : "encrypt: \(error)")
    }
  }

  static func encode(_ keys: [[UInt8]]) -> [UInt8] { JSON.encode(keys.map { Blob($0).base64 }) }
}
