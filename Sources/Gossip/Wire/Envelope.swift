/// What is around every packet and frame.
///
///     1  protocol version
///     1  flags: 1 encrypted, 2 a request over TCP, 4 an answer over TCP
///     …  encrypted or not:
///          1+n  the sender's name
///          8    the sender's session: raised with each of its lives
///          8    packets: their number within the session; requests: likewise, counted apart; answers: 0
///          8    frames only: the exchange's number, chosen at random by who asks
///          …    messages, or one request, or one answer
///
/// Version and flags are authenticated with the rest when the packet is encrypted.
struct Envelope: Equatable {
  enum Lane: UInt8 { case packet = 0, request = 2, answer = 4 }

  static let encryptedFlag: UInt8 = 1

  var lane: Lane
  var sender: String
  var session: UInt64
  var number: UInt64
  /// 0 for packets.
  var exchange: UInt64

  /// Bytes before the messages of a packet, without encryption.
  static func overhead(sender: String) -> Int { 2 + 1 + sender.utf8.count + 16 }

  /// The whole packet; nil if the key can't be used.
  func packed(_ content: [UInt8], _ keys: KeyRing, _ cipher: GossipCipher) -> [UInt8]? {
    var body: [UInt8] = []
    body.reserveCapacity(content.count + 64)
    body.appendText(sender)
    body.append64(session)
    body.append64(number)
    if lane != .packet { body.append64(exchange) }
    body.append(contentsOf: content)
    let flags = lane.rawValue | (keys.isEmpty ? 0 : Self.encryptedFlag)
    let head = [GossipProtocol.highestVersion, flags]
    guard let key = keys.primary else { return head + body }
    guard let sealed = cipher.seal(body, key, head) else { return nil }
    return head + sealed
  }

  /// Why a packet is dropped.
  enum Refusal: Error, Equatable { case malformed, incompatible, unencrypted, wronglyKeyed }

  /// Takes a packet apart.
  /// - Returns: the envelope, and a reader of what is in it.
  static func unpack(
    _ bytes: [UInt8], _ keys: KeyRing, _ cipher: GossipCipher
  ) throws(Refusal) -> (Envelope, WireReader) {
    guard bytes.count > 2 else { throw .malformed }
    guard (GossipProtocol.lowestVersion...GossipProtocol.highestVersion).contains(bytes[0]) else {
      throw .incompatible
    }
    let flags = bytes[1]
    guard let lane = Lane(rawValue: flags & ~encryptedFlag) else { throw .malformed }
    var body: [UInt8]
    if flags & encryptedFlag != 0 {
      let head = Array(bytes[..<2])
      let sealed = Array(bytes[2...])
      guard let opened = keys.all.lazy.compactMap({ cipher.open(sealed, $0, head) }).first else {
        throw .wronglyKeyed
      }
      body = opened
    } else {
      guard keys.isEmpty else { throw .unencrypted }
      body = Array(bytes[2...])
    }
    do throws(MalformedPacket) {
      var reader = WireReader(body)
      let envelope = Envelope(
        lane: lane, sender: try reader.name(), session: try reader.uint64(), number: try reader.uint64(),
        exchange: lane == .packet ? 0 : try reader.uint64())
      return (envelope, reader)
    } catch {
      throw .malformed
    }
  }
}
