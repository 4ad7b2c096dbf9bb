/// Tells packets that were seen before, or that a former life of their sender sent, from new ones.
///
/// Only used while packets are encrypted: a sender that nothing proves could otherwise lock another one out.
struct ReplayGuard: Sendable {
  enum Verdict: Equatable {
    case fresh, replayed
    /// The sender has begun a later session than this one.
    case oldSession(known: UInt64)
  }

  /// Numbers seen lately, as in RFC 4303 §3.4.3.
  struct Window {
    static let size: UInt64 = 1024

    private var highest: UInt64 = 0
    private var seen = [UInt64](repeating: 0, count: Int(Window.size / 64))

    /// True once for each number that is not too old.
    mutating func accept(_ number: UInt64) -> Bool {
      guard number > 0 else { return false }
      if number > highest {
        if number - highest >= Self.size {
          for word in seen.indices { seen[word] = 0 }
        } else {
          for skipped in (highest + 1)...number { set(skipped, false) }
        }
        highest = number
      } else if highest - number >= Self.size || isSet(number) {
        return false
      }
      set(number, true)
      return true
    }

    private func isSet(_ number: UInt64) -> Bool {
      seen[Int(number % Self.size / 64)] & (1 << (number % 64)) != 0
    }

    private mutating func set(_ number: UInt64, _ on: Bool) {
      let bit: UInt64 = 1 << (number % 64)
      if on { seen[Int(number % Self.size / 64)] |= bit } else { seen[Int(number % Self.size / 64)] &= ~bit }
    }
  }

  private struct Sender {
    var session: UInt64
    var packets = Window()
    var requests = Window()
  }

  private var senders: [String: Sender] = [:]
  private let limit: Int

  /// - Parameter limit: senders remembered; beyond it the packets of new ones are taken for replays.
  init(limit: Int) { self.limit = limit }

  mutating func judge(_ envelope: Envelope) -> Verdict {
    if let known = senders[envelope.sender] {
      if envelope.session < known.session { return .oldSession(known: known.session) }
      if envelope.session > known.session { senders[envelope.sender] = Sender(session: envelope.session) }
    } else {
      guard senders.count < limit else { return .replayed }
      senders[envelope.sender] = Sender(session: envelope.session)
    }
    let accepted =
      envelope.lane == .packet
      ? senders[envelope.sender]?.packets.accept(envelope.number)
      : senders[envelope.sender]?.requests.accept(envelope.number)
    return accepted == true ? .fresh : .replayed
  }

  mutating func forget(_ sender: String) { senders[sender] = nil }
}
