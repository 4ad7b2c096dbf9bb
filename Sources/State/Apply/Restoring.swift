import Codec

/// Pieces of a snapshot that came as entries and are not the state yet.
struct StagedRestore: Sendable {
  let id: Identifier
  var pieces: [[UInt8]] = []
}

extension State {
  mutating func apply(_ payload: RestorePiece) throws(StateError) {
    if payload.number == 0 { reader.staged = StagedRestore(id: payload.id) }
    guard let staged = reader.staged, staged.id == payload.id, staged.pieces.count == payload.number else {
      throw .malformed(
        "piece \(payload.number) of a snapshot does not follow on what is there: begin the restoration anew")
    }
    reader.staged?.pieces.append(payload.bytes.bytes)
  }

  /// The state of the snapshot takes the place of this one. Indexes go on upwards: records keep those that they had, and
  /// where the snapshot's are above the log's, the state's are ahead of the log's from then on (`StateReader.indexOffset`).
  mutating func apply(_ payload: RestoreEnd, _ changes: inout Changes) throws(StateError) {
    guard let staged = reader.staged, staged.id == payload.id, staged.pieces.count == payload.pieces else {
      throw .malformed("the snapshot is not whole: begin the restoration anew")
    }
    let restored: State
    do throws(CodecError) {
      var decoder = StateDecoder()
      for piece in staged.pieces { try decoder.add(piece) }
      restored = try decoder.finish()
    } catch {
      throw .malformed("the snapshot can't be read: \(error)")
    }
    let (time, index) = (reader.time, max(reader.index, restored.reader.index + 1))
    let offset = reader.indexOffset + (index - reader.index)
    reader = restored.reader
    columns = restored.columns
    reader.index = index
    reader.time = time
    reader.indexOffset = offset
    reader.staged = nil
    // Whoever waits for a change of any table has one.
    let highest = Table.allCases.map { Int($0.rawValue) }.max() ?? 0
    reader.tableIndexes = [UInt64](repeating: index, count: highest + 1)
    changes.isRestoration = true
  }
}
