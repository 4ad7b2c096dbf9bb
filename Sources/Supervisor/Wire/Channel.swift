import Linux

/// Whole messages over a local socket. The socket keeps their boundaries; one that is too large for it travels as a
/// file in memory, handed over as the last descriptor.
enum Channel {
  /// Longest message at all.
  static let limit = 16 << 20
  /// Longest that goes through the socket itself.
  static let inlineLimit = 48 << 10
  private static let inline: UInt8 = 0
  private static let file: UInt8 = 1

  /// - Returns: false when not `blocking` and the socket is full.
  static func send(
    _ message: [UInt8], descriptors: [Int32] = [], over socket: borrowing UnixSocket, blocking: Bool
  ) throws(SystemError) -> Bool {
    if message.count > limit {
      throw SystemError("send", "\(message.count) bytes", .messageTooLong, advice: "at most \(limit) bytes")
    }
    if message.count <= inlineLimit {
      return try socket.send([inline] + message, descriptors: descriptors, blocking: blocking)
    }
    let memory = try FileDescriptor.memory(name: "serai-message")
    try memory.writeAll(message)
    return try socket.send([file], descriptors: descriptors + [memory.number], blocking: blocking)
  }

  struct Received {
    var bytes: [UInt8]
    /// Owned by the receiver.
    var descriptors: [Int32]
  }

  enum Outcome {
    case message(Received)
    /// Nothing waits (only when not blocking).
    case nothing
    case closed
  }

  static func receive(from socket: borrowing UnixSocket, blocking: Bool) throws(SystemError) -> Outcome {
    guard let message = try socket.receive(capacity: inlineLimit + 1, blocking: blocking) else { return .nothing }
    guard let kind = message.bytes.first else {
      message.descriptors.forEach { _ = FileDescriptor(adopting: $0) }
      return .closed
    }
    if kind == inline {
      return .message(Received(bytes: Array(message.bytes.dropFirst()), descriptors: message.descriptors))
    }
    guard kind == file, let last = message.descriptors.last else {
      message.descriptors.forEach { _ = FileDescriptor(adopting: $0) }
      throw SystemError("receive", "message", .protocolError, advice: "the peer speaks another protocol")
    }
    let memory = FileDescriptor(adopting: last)
    var bytes: [UInt8] = []
    while bytes.count <= limit {
      let part = try memory.read(upTo: 1 << 20, at: Int64(bytes.count))
      if part.isEmpty {
        return .message(Received(bytes: bytes, descriptors: Array(message.descriptors.dropLast())))
      }
      bytes += part
    }
    throw SystemError("receive", "message", .messageTooLong)
  }
}
