internal import Codec
internal import Raft
internal import Replica
internal import State
internal import Storage

/// What a stored snapshot holds: the state's pieces, and behind them one of the server's own that says who the members of
/// the cluster were.
enum SnapshotFile {
  /// No item of the state has this tag, and `StateDecoder` passes over items that it does not know.
  private static let tag = 200

  /// A snapshot that was read from end to end.
  struct Contents: Sendable {
    let state: State
    /// Nil in a snapshot that a serai wrote which knew one server only.
    let membership: (index: UInt64, membership: Membership)?
  }

  /// Writes a snapshot. Blocks on the disk.
  static func write(_ order: SnapshotOrder, to store: SnapshotStore) throws(StorageError) -> Snapshot {
    var writer = try store.makeWriter(
      at: LogPosition(index: order.position.index, term: order.position.term))
    var encoder = StateEncoder(order.reader)
    while let chunk = encoder.next() { try writer.write(chunk) }
    try writer.write(encode(order.membershipIndex, order.membership))
    let (size, checksum) = try store.measure(try writer.finish())
    return Snapshot(
      position: order.position, membership: order.membership, membershipIndex: order.membershipIndex, size: size,
      checksum: checksum)
  }

  /// Reads a snapshot. Blocks on the disk.
  static func read(_ description: SnapshotDescription, of store: SnapshotStore) throws -> Contents {
    var reader = try store.makeReader(of: description)
    var decoder = StateDecoder()
    var membership: (UInt64, Membership)?
    while let chunk = try reader.next() {
      try decoder.add(chunk)
      if let found = decode(chunk) { membership = found }
    }
    return Contents(state: try decoder.finish(), membership: membership)
  }

  /// Whether a piece is the server's own and not the state's.
  static func isMetadata(_ chunk: [UInt8]) -> Bool { decode(chunk) != nil }

  private static func encode(_ index: UInt64, _ membership: Membership) -> [UInt8] {
    var payload = BinaryWriter()
    payload.fixed64(index)
    payload.bytes += membership.encoded
    var item = BinaryWriter()
    item.varint(UInt64(tag))
    item.varint(UInt64(payload.bytes.count))
    item.bytes += payload.bytes
    return item.bytes
  }

  private static func decode(_ chunk: [UInt8]) -> (UInt64, Membership)? {
    var position = 0
    func varint() -> UInt64? {
      var value: UInt64 = 0
      for shift in stride(from: UInt64(0), to: 64, by: 7) {
        guard position < chunk.count else { return nil }
        let byte = chunk[position]
        position += 1
        value |= UInt64(byte & 0x7F) << shift
        if byte < 0x80 { return value }
      }
      return nil
    }
    guard varint() == UInt64(tag), let length = varint(), length >= 8, length == UInt64(chunk.count - position) else {
      return nil
    }
    let index = (0..<8).reduce(UInt64(0)) { $0 | UInt64(chunk[position + $1]) << UInt64(8 * $1) }
    guard let membership = Membership(decoding: Array(chunk[(position + 8)...])) else { return nil }
    return (index, membership)
  }
}
