public import Codec
internal import Linux
internal import Log
internal import Replica
internal import State

/// Requests about the whole state.
extension Server {
  /// A snapshot of the state, for `restore` and `SnapshotTool`.
  public struct SavedSnapshot: Sendable {
    /// Its size in bytes.
    public let size: UInt64
    /// The index of the state in it.
    public let index: UInt64
    let folder: String
    let path: String

    /// Hands the file over piece by piece and removes it.
    public func send(to write: (_ bytes: [UInt8]) async throws -> Void) async throws {
      defer { try? Files.removeTree(folder) }
      let file = try FileDescriptor.open(path)
      var offset: Int64 = 0
      while true {
        let bytes = try file.read(upTo: 256 << 10, at: offset)
        if bytes.isEmpty { return }
        try await write(bytes)
        offset += Int64(bytes.count)
      }
    }
  }

  /// Takes a snapshot of the state as it is durable now.
  public func saveSnapshot() async throws -> SavedSnapshot {
    let order = await core.snapshotOrder()
    let exported = try await disk.export(order)
    return SavedSnapshot(
      size: exported.size, index: order.reader.index, folder: exported.folder, path: exported.path)
  }

  /// Puts the state of a snapshot in the place of the present one, on all servers. Everything that happened since the
  /// snapshot was taken is gone, the restoration's own entries apart.
  /// - Parameter file: the whole of what `saveSnapshot` sent.
  /// - Returns: the index of the state that is in force.
  public func restoreSnapshot(_ file: [UInt8]) async throws -> UInt64 {
    let pieces = try await disk.pieces(of: file)
    var random = SystemRandomNumberGenerator()
    let id = Identifier(using: &random)
    for (number, bytes) in pieces.enumerated() {
      var piece = RestorePiece()
      piece.id = id
      piece.number = number
      piece.bytes = Blob(bytes)
      _ = try await core.propose(.restorePiece(piece))
    }
    var end = RestoreEnd()
    end.id = id
    end.pieces = pieces.count
    let index = try await core.propose(.restoreEnd(end)).index
    logger.warn("the state of a snapshot is in force", ("index", "\(index)"), ("bytes", "\(file.count)"))
    return index
  }
}
