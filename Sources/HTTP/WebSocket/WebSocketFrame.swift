/// A message or control frame of a WebSocket (RFC 6455), put together from its fragments.
public enum WebSocketMessage: Sendable, Equatable {
  case text(String)
  case binary([UInt8])
  /// To be answered with a pong of the same bytes; at most 125.
  case ping([UInt8])
  case pong([UInt8])
  /// The peer wants to end; nil code if it gave none.
  case close(code: UInt16?, reason: String)
}

/// What the peer did wrong, and the close code to answer it with (RFC 6455 §7.4.1).
public struct WebSocketError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The code to close the connection with.
  public let closeCode: UInt16
  /// What the peer did wrong.
  public let message: String

  init(_ closeCode: UInt16, _ message: String) {
    self.closeCode = closeCode
    self.message = message
  }

  static func violation(_ message: String) -> WebSocketError { WebSocketError(1002, message) }

  /// The message, for logs.
  public var description: String { "WebSocket: \(message)" }
}

/// The two ends of a WebSocket: a client masks what it sends, a server never does (§5.1).
public enum WebSocketSide: Sendable { case client, server }

enum WebSocketOpcode: UInt8 {
  case continuation = 0, text = 1, binary = 2, close = 8, ping = 9, pong = 10

  var isControl: Bool { rawValue >= 8 }
}

/// Bytes in, messages out. Pure; every rule of §5 that a receiver must enforce is enforced.
public struct WebSocketDecoder: Sendable {
  private let side: WebSocketSide
  private let maxMessageBytes: Int
  private var input: [UInt8] = []
  /// Bytes of `input` that were dealt with.
  private var used = 0
  private var message: [UInt8] = []
  private var messageOpcode: WebSocketOpcode?
  private var closed = false

  /// - Parameters:
  ///   - side: who decodes.
  ///   - maxMessageBytes: larger messages, all fragments together, are an error with close code 1009.
  public init(side: WebSocketSide, maxMessageBytes: Int = 16 << 20) {
    self.side = side
    self.maxMessageBytes = maxMessageBytes
  }

  /// Takes bytes as they come and appends the messages that they complete. After an error, or a close frame, the
  /// connection is to be closed and nothing more is decoded.
  public mutating func receive(_ bytes: [UInt8], into messages: inout [WebSocketMessage]) throws(WebSocketError) {
    guard !closed else { return }
    input.append(contentsOf: bytes)
    do throws(WebSocketError) {
      while !closed, let message = try nextFrame() { messages.append(contentsOf: message) }
    } catch {
      closed = true
      throw error
    }
    if used == input.count {
      input.removeAll(keepingCapacity: input.capacity <= 65536)
      used = 0
    } else if used > 65536 {
      input.removeFirst(used)
      used = 0
    }
  }

  /// Nil if no whole frame is there; otherwise what it completes, which for a fragment is nothing.
  private mutating func nextFrame() throws(WebSocketError) -> [WebSocketMessage]? {
    let available = input.count - used
    guard available >= 2 else { return nil }
    let first = input[used], second = input[used + 1]
    guard first & 0x70 == 0 else { throw .violation("a frame has reserved bits set; no extension was agreed on") }
    guard let opcode = WebSocketOpcode(rawValue: first & 0x0F) else {
      throw .violation("a frame has the unknown opcode \(first & 0x0F)")
    }
    let isFinal = first & 0x80 != 0
    let isMasked = second & 0x80 != 0
    guard isMasked == (side == .server) else {
      throw .violation(side == .server ? "a client's frame is not masked" : "a server's frame is masked")
    }
    let short = Int(second & 0x7F)
    guard !opcode.isControl || (isFinal && short <= 125) else {
      throw .violation("a control frame is fragmented or has more than 125 bytes")
    }
    let lengthBytes = short == 126 ? 2 : short == 127 ? 8 : 0
    let headBytes = 2 + lengthBytes + (isMasked ? 4 : 0)
    guard available >= 2 + lengthBytes else { return nil }
    let length = try payloadLength(short, lengthBytes)
    if !opcode.isControl {
      guard message.count + length <= maxMessageBytes else {
        throw WebSocketError(1009, "a message of more than \(maxMessageBytes) bytes is not taken")
      }
      guard (opcode == .continuation) == (messageOpcode != nil) else {
        throw .violation(
          opcode == .continuation ? "a fragment continues no message" : "a message begins inside another one")
      }
    }
    guard available >= headBytes + length else { return nil }
    let start = used + headBytes
    var payload = Array(input[start..<(start + length)])
    if isMasked { applyMask(Array(input[(start - 4)..<start]), to: &payload) }
    used = start + length
    return try complete(opcode, payload, isFinal: isFinal)
  }

  private func payloadLength(_ short: Int, _ lengthBytes: Int) throws(WebSocketError) -> Int {
    guard lengthBytes > 0 else { return short }
    var length: UInt64 = 0
    for index in 0..<lengthBytes { length = length << 8 | UInt64(input[used + 2 + index]) }
    guard length >= (lengthBytes == 2 ? 126 : 65536) else { throw .violation("a length is not in its shortest form") }
    guard length < 1 << 62 else { throw .violation("a length has its highest bits set") }
    return Int(length)
  }

  private mutating func complete(
    _ opcode: WebSocketOpcode, _ payload: [UInt8], isFinal: Bool
  ) throws(WebSocketError) -> [WebSocketMessage] {
    switch opcode {
    case .ping: return [.ping(payload)]
    case .pong: return [.pong(payload)]
    case .close:
      closed = true
      return [try closeMessage(payload)]
    case .text, .binary, .continuation:
      if opcode != .continuation { messageOpcode = opcode }
      if message.isEmpty { message = payload } else { message.append(contentsOf: payload) }
      guard isFinal, let kind = messageOpcode else { return [] }
      defer {
        message = []
        messageOpcode = nil
      }
      guard kind == .text else { return [.binary(message)] }
      guard let text = String(validating: message, as: UTF8.self) else {
        throw WebSocketError(1007, "a text message is not UTF-8")
      }
      return [.text(text)]
    }
  }

  private func closeMessage(_ payload: [UInt8]) throws(WebSocketError) -> WebSocketMessage {
    guard !payload.isEmpty else { return .close(code: nil, reason: "") }
    guard payload.count >= 2 else { throw .violation("a close frame has one byte") }
    let code = UInt16(payload[0]) << 8 | UInt16(payload[1])
    switch code {
    case 1000...1003, 1007...1014, 3000...4999: break
    default: throw .violation("a close frame has the code \(code), which must not be sent")
    }
    guard let reason = String(validating: payload[2...], as: UTF8.self) else {
      throw WebSocketError(1007, "the reason in a close frame is not UTF-8")
    }
    return .close(code: code, reason: reason)
  }
}

/// Messages in, bytes out: each message as one frame.
public struct WebSocketEncoder: Sendable {
  private let side: WebSocketSide

  /// An encoder for one end of a connection.
  public init(side: WebSocketSide) { self.side = side }

  /// - Parameter mask: 32 unpredictable bits (§5.3), used by a client only.
  public func encode(_ message: WebSocketMessage, mask: UInt32) -> [UInt8] {
    switch message {
    case .text(let text): frame(.text, Array(text.utf8), mask)
    case .binary(let bytes): frame(.binary, bytes, mask)
    case .ping(let bytes): frame(.ping, Array(bytes.prefix(125)), mask)
    case .pong(let bytes): frame(.pong, Array(bytes.prefix(125)), mask)
    case .close(let code, let reason): frame(.close, closePayload(code, reason), mask)
    }
  }

  private func closePayload(_ code: UInt16?, _ reason: String) -> [UInt8] {
    guard let code else { return [] }
    var text = Substring(reason)
    while text.utf8.count > 123 { text.removeLast() }
    return [UInt8(code >> 8), UInt8(code & 0xFF)] + Array(text.utf8)
  }

  private func frame(_ opcode: WebSocketOpcode, _ payload: [UInt8], _ mask: UInt32) -> [UInt8] {
    var bytes: [UInt8] = [0x80 | opcode.rawValue]
    let maskBit: UInt8 = side == .client ? 0x80 : 0
    if payload.count < 126 {
      bytes.append(maskBit | UInt8(payload.count))
    } else if payload.count < 65536 {
      bytes += [maskBit | 126, UInt8(payload.count >> 8), UInt8(payload.count & 0xFF)]
    } else {
      bytes.append(maskBit | 127)
      for shift in stride(from: 56, through: 0, by: -8) {
        bytes.append(UInt8(truncatingIfNeeded: payload.count >> shift))
      }
    }
    guard side == .client else { return bytes + payload }
    let key = [UInt8(mask >> 24), UInt8(mask >> 16 & 0xFF), UInt8(mask >> 8 & 0xFF), UInt8(mask & 0xFF)]
    var masked = payload
    applyMask(key, to: &masked)
    return bytes + key + masked
  }
}

private func applyMask(_ key: [UInt8], to payload: inout [UInt8]) {
  for index in payload.indices { payload[index] ^= key[index & 3] }
}
