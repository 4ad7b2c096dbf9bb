/// What a frame is for. After the prefaces a connection is nothing but frames:
///
///     4  payload length     1  type     1  flags     2  zero     8  stream     …  payload
///
/// Big-endian. Streams are numbered upwards by the side that opens them: odd by the side that connected, even by the
/// other, never reused.
enum FrameType: UInt8 {
  /// Why the sender closes the connection: 2 code, then the text. Type and layout never change. Stream 0.
  case goAway = 0
  /// Opens a stream: 1 kind (0 call, 1 stream), 4 timeout in milliseconds (0 none), 2 length of the method, the method,
  /// then the first bytes of a call's body, or the whole request that opens a stream (it needs no window).
  case open = 1
  /// Bytes of a stream.
  case data = 2
  /// 4 bytes: how many more bytes of the stream the receiver of this frame may send.
  case window = 3
  /// The stream is over, both ways and at once: 2 code, then the text.
  case reset = 4
  /// 8 bytes, to be sent back in a pong. Stream 0.
  case ping = 5
  /// Stream 0.
  case pong = 6
}

/// The fixed part in front of every payload.
struct FrameHeader: Equatable {
  static let byteCount = 16
  /// On `open` and `data`: the sender has no more bytes on this stream. From the side that answers it ends the stream
  /// altogether.
  static let endFlag: UInt8 = 1

  var length: UInt32
  var type: FrameType
  var flags: UInt8
  var stream: UInt64

  var isEnd: Bool { flags & Self.endFlag != 0 }

  init(_ type: FrameType, length: Int, stream: UInt64 = 0, flags: UInt8 = 0) {
    self.length = UInt32(clamping: length)
    self.type = type
    self.flags = flags
    self.stream = stream
  }

  /// Reads the 16 bytes at `offset`; the caller has checked that they are there.
  init(_ bytes: Span<UInt8>, at offset: Int) throws(RPCError) {
    length = bytes.bigEndian32(at: offset)
    guard let type = FrameType(rawValue: bytes[offset + 4]) else {
      throw RPCError(
        .protocolViolation, "the peer sent a frame of type \(bytes[offset + 4]), which this version does not know")
    }
    self.type = type
    flags = bytes[offset + 5]
    guard flags & ~Self.endFlag == 0, bytes[offset + 6] == 0, bytes[offset + 7] == 0 else {
      throw RPCError(.protocolViolation, "the peer sent a \(type) frame with bits set that must be zero")
    }
    stream = UInt64(bytes.bigEndian32(at: offset + 8)) << 32 | UInt64(bytes.bigEndian32(at: offset + 12))
    let connectionWide = type == .goAway || type == .ping || type == .pong
    guard connectionWide == (stream == 0) else {
      throw RPCError(.protocolViolation, "the peer sent a \(type) frame for stream \(stream)")
    }
  }

  func append(to bytes: inout [UInt8]) {
    bytes.appendBigEndian(length)
    bytes.append(type.rawValue)
    bytes.append(flags)
    bytes.append(0)
    bytes.append(0)
    bytes.appendBigEndian(stream)
  }
}

extension RPCError {
  /// Code and text as `goAway` and `reset` carry them; the text is cut at 1,000 bytes, at a character's border.
  func appendPayload(to bytes: inout [UInt8]) {
    bytes.appendBigEndian(code.rawValue)
    bytes.append(contentsOf: wireMessage.utf8)
  }

  var wireMessage: String {
    guard message.utf8.count > 1000 else { return message }
    var cut = message.utf8.index(message.startIndex, offsetBy: 1000)
    while cut > message.startIndex, cut.samePosition(in: message) == nil { cut = message.utf8.index(before: cut) }
    return String(message[..<cut])
  }

  /// Reads such a payload; one that is too short counts as an internal error without text, for it must not hide that
  /// something failed.
  init(payload: Span<UInt8>) {
    guard payload.count >= 2 else {
      self.init(.internal, "the peer gave no reason")
      return
    }
    let code = Code(rawValue: UInt16(payload[0]) << 8 | UInt16(payload[1]))
    self.init(code, String(decoding: payload.bytes(from: 2, count: payload.count - 2), as: UTF8.self))
  }
}

extension Span<UInt8> {
  /// The caller has checked that four bytes are there.
  func bigEndian32(at offset: Int) -> UInt32 {
    UInt32(self[offset]) << 24 | UInt32(self[offset + 1]) << 16 | UInt32(self[offset + 2]) << 8
      | UInt32(self[offset + 3])
  }

  /// A copy of a part.
  func bytes(from offset: Int, count: Int) -> [UInt8] {
    let part = extracting(offset..<(offset + count))
    return part.withUnsafeBufferPointer { Array($0) }
  }
}

extension [UInt8] {
  /// Appends a part of a span in one copy.
  mutating func append(_ span: Span<UInt8>, from offset: Int, count: Int) {
    span.extracting(offset..<(offset + count)).withUnsafeBufferPointer { append(contentsOf: $0) }
  }
}
