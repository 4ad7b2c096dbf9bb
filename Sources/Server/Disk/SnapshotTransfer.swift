internal import Codec
internal import Glibc
internal import Linux
internal import Raft
internal import Replica
internal import State
internal import Storage

/// Snapshots that leave the server, or come back to it, as files of their own.
extension ServerDisk {
  /// A snapshot in a folder of its own, which whoever asked for it removes.
  struct Exported: Sendable {
    let folder: String
    let path: String
    let size: UInt64
  }

  /// Writes a snapshot to a folder of its own.
  func export(_ order: SnapshotOrder) async throws -> Exported {
    try await blocking { [folder = folder(for: "export")] in
      let store = try SnapshotStore(folder: folder)
      let snapshot = try SnapshotFile.write(order, to: store)
      guard let written = try store.list().first else {
        throw ServerError(.internal, "the snapshot that was written to \(folder) is not there")
      }
      return Exported(folder: folder, path: written.path, size: snapshot.size)
    }
  }

  /// The state's pieces in a snapshot's file.
  /// - Throws: `ServerError` for a file that is none, or not whole; `ServerError` naming what to do.
  func pieces(of file: [UInt8]) async throws -> [[UInt8]] {
    try await blocking { [folder = folder(for: "import")] in
      defer { try? Files.removeTree(folder) }
      let store = try SnapshotStore(folder: folder)
      guard let position = SnapshotStore.position(inHeader: file) else {
        throw ServerError(.invalid, "this is no snapshot: `serai operator snapshot save` makes one")
      }
      try store.store(file, at: 0)
      let description: SnapshotDescription
      do throws(StorageError) {
        description = try store.adopt(at: position)
      } catch {
        throw ServerError(.invalid, "the snapshot can't be restored: \(error)")
      }
      var reader = try store.makeReader(of: description)
      var decoder = StateDecoder()
      var pieces: [[UInt8]] = []
      do {
        while let chunk = try reader.next() {
          guard !SnapshotFile.isMetadata(chunk) else { continue }
          try decoder.add(chunk)
          pieces.append(chunk)
        }
        _ = try decoder.finish()
      } catch {
        throw ServerError(.invalid, "the snapshot can't be restored: \(error)")
      }
      return pieces
    }
  }
}
