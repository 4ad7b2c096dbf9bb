/// The first bytes each side sends. Their layout never changes, so that any two versions can at least tell each other
/// why they part.
///
///     8  "SERAIRPC"
///     2  highest protocol version spoken     2  lowest
///     1  role                                1  zero
///     2  length of the fields, at most 4096
///     …  fields: 1 tag, 2 length, bytes; unknown tags are skipped
///
/// All numbers are big-endian.
struct Preface: Equatable {
  static let magic = Array("SERAIRPC".utf8)
  static let highestVersion: UInt16 = 1
  static let lowestVersion: UInt16 = 1
  static let fixedBytes = 16
  static let maxFieldBytes = 4096

  private enum Tag { static let region: UInt8 = 1, name: UInt8 = 2, window: UInt8 = 3, frame: UInt8 = 4 }

  var highest = Preface.highestVersion
  var lowest = Preface.lowestVersion
  var role: UInt8
  var region: String
  var name: String
  /// How many bytes of a stream may be sent before the first WINDOW frame.
  var windowBytes: UInt32
  /// The largest payload taken.
  var maxFrameBytes: UInt32

  init(peer: RPCPeer, limits: RPCLimits) {
    role = peer.role.rawValue
    region = peer.region
    name = peer.name
    windowBytes = UInt32(clamping: limits.windowBytes)
    maxFrameBytes = UInt32(clamping: limits.maxFrameBytes)
  }

  func encoded() -> [UInt8] {
    var fields: [UInt8] = []
    func add(_ tag: UInt8, _ bytes: [UInt8]) {
      fields.append(tag)
      fields.appendBigEndian(UInt16(clamping: bytes.count))
      fields.append(contentsOf: bytes.prefix(1024))
    }
    add(Tag.region, Array(region.utf8.prefix(1024)))
    add(Tag.name, Array(name.utf8.prefix(1024)))
    add(Tag.window, bigEndian(windowBytes))
    add(Tag.frame, bigEndian(maxFrameBytes))
    var bytes = Self.magic
    bytes.appendBigEndian(highest)
    bytes.appendBigEndian(lowest)
    bytes.append(role)
    bytes.append(0)
    bytes.appendBigEndian(UInt16(clamping: fields.count))
    return bytes + fields
  }

  /// Reads a preface from the front of what has been received.
  ///
  /// - Returns: nil if more bytes are needed; otherwise the preface and its length.
  /// - Throws: `RPCError` as soon as the bytes can't become one, with a guess at what the peer speaks instead.
  static func parse(_ bytes: [UInt8]) throws(RPCError) -> (Preface, Int)? {
    let prefix = bytes.prefix(magic.count)
    guard prefix.elementsEqual(magic.prefix(prefix.count)) else { throw foreign(bytes) }
    guard bytes.count >= fixedBytes else { return nil }
    let length = Int(bytes.bigEndian16(at: 14))
    guard length <= maxFieldBytes else {
      throw RPCError(
        .protocolViolation, "the peer's handshake has \(length) bytes of fields; \(maxFieldBytes) are allowed")
    }
    guard bytes.count >= fixedBytes + length else { return nil }
    var preface = Preface(peer: RPCPeer(role: .tool, region: "", name: ""), limits: RPCLimits())
    preface.highest = bytes.bigEndian16(at: 8)
    preface.lowest = bytes.bigEndian16(at: 10)
    preface.role = bytes[12]
    var offset = fixedBytes
    let end = fixedBytes + length
    while offset < end {
      guard end - offset >= 3 else { throw truncated() }
      let tag = bytes[offset]
      let size = Int(bytes.bigEndian16(at: offset + 1))
      offset += 3
      guard size <= end - offset else { throw truncated() }
      let value = bytes[offset..<(offset + size)]
      offset += size
      switch tag {
      case Tag.region: preface.region = try utf8(value)
      case Tag.name: preface.name = try utf8(value)
      case Tag.window: preface.windowBytes = try number(value)
      case Tag.frame: preface.maxFrameBytes = try number(value)
      default: break
      }
    }
    return (preface, end)
  }

  /// The peer, or why its version or role can't be understood.
  func peer() throws(RPCError) -> RPCPeer {
    guard lowest <= highest, lowest <= Self.highestVersion, highest >= Self.lowestVersion else {
      throw RPCError(
        .protocolViolation,
        "\(name) speaks RPC versions \(lowest) to \(highest), this agent \(Self.lowestVersion) to "
          + "\(Self.highestVersion): upgrade the older of the two")
    }
    guard let role = RPCRole(rawValue: role) else {
      throw RPCError(.protocolViolation, "\(name) says it has role \(role), which this version does not know")
    }
    guard windowBytes >= 1024, maxFrameBytes >= 1024 else {
      throw RPCError(
        .protocolViolation,
        "\(name) takes windows of \(windowBytes) and frames of \(maxFrameBytes) bytes; 1024 is the least")
    }
    return RPCPeer(role: role, region: region, name: name)
  }

  private static func foreign(_ bytes: [UInt8]) -> RPCError {
    let guess =
      if bytes.starts(with: [0x16, 0x03]) {
        "it speaks TLS: configure TLS on both sides or on neither"
      } else if ["GET ", "POST", "PUT ", "HEAD", "HTTP"].contains(where: { bytes.starts(with: $0.utf8) }) {
        "it speaks HTTP: the RPC port (4647) is not the HTTP port (4646)"
      } else {
        "it is no Serai agent: look at the configured address and port"
      }
    return RPCError(.protocolViolation, "the peer does not speak Serai's RPC protocol; \(guess)")
  }

  private static func truncated() -> RPCError {
    RPCError(.protocolViolation, "a field of the peer's handshake is longer than the handshake")
  }

  private static func utf8(_ bytes: ArraySlice<UInt8>) throws(RPCError) -> String {
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw RPCError(.protocolViolation, "a name in the peer's handshake is not UTF-8")
    }
    return text
  }

  private static func number(_ bytes: ArraySlice<UInt8>) throws(RPCError) -> UInt32 {
    guard bytes.count == 4 else {
      throw RPCError(.protocolViolation, "a number in the peer's handshake has \(bytes.count) bytes instead of 4")
    }
    return bytes.reduce(0) { $0 << 8 | UInt32($1) }
  }
}

func bigEndian(_ value: UInt32) -> [UInt8] {
  var bytes: [UInt8] = []
  bytes.appendBigEndian(value)
  return bytes
}

extension [UInt8] {
  mutating func appendBigEndian<Number: FixedWidthInteger & UnsignedInteger>(_ value: Number) {
    var shift = Number.bitWidth
    while shift > 0 {
      shift -= 8
      append(UInt8(truncatingIfNeeded: value >> Number(shift)))
    }
  }

  /// The caller has checked that two bytes are there.
  func bigEndian16(at offset: Int) -> UInt16 { UInt16(self[offset]) << 8 | UInt16(self[offset + 1]) }
}
