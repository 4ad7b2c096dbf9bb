internal import Codec
internal import Log
internal import State
internal import Storage

/// Brings the state back from the newest readable snapshot and the log behind it.
struct Recovery {
  let state: State
  let snapshotIndex: UInt64

  /// - Throws: `ServerError` naming what can't be read; nothing on disk is changed.
  static func run(log: LogWriter, snapshots: SnapshotStore, logger: Logger) async throws(ServerError) -> Recovery {
    do {
      let (start, snapshotIndex) = try newest(snapshots, logger)
      guard log.opening.compacted.index <= snapshotIndex else {
        throw ServerError(
          .unavailable,
          "the log begins after entry \(log.opening.compacted.index), but the newest readable snapshot in "
            + "\(snapshots.folder) ends at \(snapshotIndex): put the missing snapshot back, or restore from a backup")
      }
      var state = start
      var next = snapshotIndex + 1
      while next <= log.opening.last.index {
        let records = try await log.entries(from: next, maximumBytes: 8 << 20)
        guard let last = records.last else { break }
        for record in records { try apply(record, &state) }
        next = last.index + 1
      }
      return Recovery(state: state, snapshotIndex: snapshotIndex)
    } catch let error as StorageError {
      throw ServerError(.unavailable, "the server's state can't be restored: \(error)")
    } catch let error as ServerError {
      throw error
    } catch {
      throw ServerError(.internal, "the server's state can't be restored: \(error)")
    }
  }

  private static func newest(_ store: SnapshotStore, _ logger: Logger) throws(StorageError) -> (State, UInt64) {
    for description in try store.list() {
      do {
        var reader = try store.makeReader(of: description)
        var decoder = StateDecoder()
        while let chunk = try reader.next() { try decoder.add(chunk) }
        return (try decoder.finish(), description.position.index)
      } catch {
        logger.error(
          "a snapshot can't be read, trying the one before", ("path", description.path), ("error", "\(error)"))
      }
    }
    return (State(), 0)
  }

  private static func apply(_ record: LogRecord, _ state: inout State) throws(ServerError) {
    do throws(CodecError) {
      let (entry, time) = try LogEntry.decode(kind: record.kind, bytes: record.bytes)
      // Refused entries are not logged by this version; one of another version is refused here by the same rule again.
      _ = state.apply(entry, index: record.index, time: time)
    } catch {
      throw ServerError(.unavailable, "log entry \(record.index) can't be read: \(error)")
    }
  }
}
