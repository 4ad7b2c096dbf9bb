/// One stream (or call) of a connection, as the state machine sees it.
struct StreamState {
  enum Kind: UInt8 { case call = 0, stream = 1 }

  let kind: Kind
  /// We opened it; otherwise we answer.
  let isOpener: Bool
  /// When it is over at the latest; monotonic nanoseconds.
  let deadline: UInt64

  /// What the peer may still receive.
  var sendWindow: Int
  /// What the peer may still send.
  var receiveWindow: Int
  /// Consumed by the reader and not yet granted again.
  var ungranted = 0
  /// Bytes that wait for window or socket; those before `sent` are gone already.
  var pending: [UInt8] = []
  var sent = 0
  /// We have said, or will say after `pending`, that there is no more.
  var endQueued = false
  var endSent = false
  var endReceived = false
  /// In the round of streams with something to send.
  var isQueued = false
  /// A writer waits for `pending` to shrink.
  var writerWaits = false
  /// The message of a call so far.
  var message: [UInt8] = []

  var pendingCount: Int { pending.count - sent }

  /// Something of it can go out now.
  var canSend: Bool { pendingCount > 0 ? sendWindow > 0 : endQueued && !endSent }

  mutating func queue(_ bytes: [UInt8], end: Bool) {
    endQueued = end
    if pending.isEmpty { pending = bytes } else { pending.append(contentsOf: bytes) }
  }

  mutating func sentDirectly(_ count: Int, end: Bool) {
    sendWindow -= count
    endQueued = end
    endSent = end
  }

  /// Appends one data frame with as much as window and frame size allow.
  mutating func produceFrame(into output: inout [UInt8], stream: UInt64, maxBytes: Int) {
    isQueued = false
    guard canSend else { return }
    let count = min(pendingCount, sendWindow, maxBytes)
    let end = endQueued && count == pendingCount
    FrameHeader(.data, length: count, stream: stream, flags: end ? FrameHeader.endFlag : 0).append(to: &output)
    output.append(contentsOf: pending[sent..<(sent + count)])
    dropSent(count)
    endSent = end
  }

  /// True once for a writer that waits, when less than `limit` is pending.
  mutating func takeWaitingWriter(below limit: Int) -> Bool {
    guard writerWaits, pendingCount < limit else { return false }
    writerWaits = false
    return true
  }

  private mutating func dropSent(_ count: Int) {
    sent += count
    sendWindow -= count
    if sent == pending.count {
      pending = []
      sent = 0
    } else if sent > 1 << 20 {
      pending.removeFirst(sent)
      sent = 0
    }
  }
}
