internal import Codec
internal import Linux

/// The servers of before on disk, so that a restarted server finds the pool again whoever of it still runs.
struct KnownServersFile: Record, Equatable {
  static let name = "serf.members"

  /// `host:port` of their gossip.
  var addresses: [String] = []
  /// This server had said goodbye.
  var hasLeft = false

  mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Addresses", &addresses)
    v.field(2, "Left", &hasLeft)
  }

  /// What is on disk; nothing if there is nothing that can be read: the configured addresses are there, too.
  static func load(_ path: String) -> KnownServersFile {
    guard let bytes = try? Files.read(path), let file = try? JSON.decode(KnownServersFile.self, from: bytes) else {
      return KnownServersFile()
    }
    return file
  }
}
