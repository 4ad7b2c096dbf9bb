internal import Client
internal import Codec
internal import HTTP
internal import Model

/// A session's channel over a WebSocket: one JSON object in each text message.
struct WebSocketExecChannel: ExecChannel {
  let socket: WebSocket

  func receive() async throws -> ExecInput? { try await next(ExecInput.self) }

  func send(_ message: ExecOutput) async throws {
    try await socket.send(.text(String(decoding: JSON.encode(message), as: UTF8.self)))
  }

  /// The first message when `ws_handshake` was asked for.
  func receiveHandshake() async throws {
    guard let handshake = try await next(ExecHandshake.self), handshake.version == 1 else {
      throw APIError.badRequest("the first message must be {\"version\":1,\"auth_token\":\"…\"}")
    }
  }

  private func next<Message: Record>(_ type: Message.Type) async throws -> Message? {
    switch try await socket.receive() {
    case .text(let text): try JSON.decode(type, from: Array(text.utf8))
    case .binary(let bytes): try JSON.decode(type, from: bytes)
    default: nil
    }
  }
}
