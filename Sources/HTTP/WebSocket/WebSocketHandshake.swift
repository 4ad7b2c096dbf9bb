internal import BaseEncoding
internal import Digests

/// The two halves of the opening handshake (RFC 6455 §4).
enum WebSocketHandshake {
  /// What a server answers to a client's key: base64 of SHA-1 of the key and the RFC's constant.
  /// - Throws: `DigestUnavailable` on a host whose library has no SHA-1.
  static func accept(key: String) throws(DigestUnavailable) -> String {
    Base64.text(try Digest.of(Array((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").utf8), .sha1))
  }

  /// Why a request is no valid opening handshake; nil if it is one.
  static func refusal(_ request: HTTPRequest) -> HTTPResponse? {
    guard request.method == .get, request.headers.contains("Upgrade", token: "websocket"),
      request.headers.contains("Connection", token: "upgrade")
    else {
      return .text(
        "this path speaks WebSocket: send GET with \"Connection: Upgrade\" and \"Upgrade: websocket\"",
        status: HTTPStatus(426), headers: ["Upgrade": "websocket"])
    }
    guard request.headers["Sec-WebSocket-Version"] == "13" else {
      return .text(
        "only version 13 of WebSocket is spoken", status: HTTPStatus(426), headers: ["Sec-WebSocket-Version": "13"])
    }
    guard let key = request.headers["Sec-WebSocket-Key"], key.utf8.count == 24, key.hasSuffix("==") else {
      return .text("Sec-WebSocket-Key is missing or not 16 bytes in base64", status: .badRequest)
    }
    return nil
  }
}
