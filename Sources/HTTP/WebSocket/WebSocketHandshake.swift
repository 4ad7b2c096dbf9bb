/// The two halves of the opening handshake (RFC 6455 §4).
enum WebSocketHandshake {
  /// What a server answers to a client's key: base64 of SHA-1 of the key and the RFC's constant.
  static func accept(key: String) -> String {
    base64(SHA1.digest(Array((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").utf8)))
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

  static func base64(_ bytes: [UInt8]) -> String {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    var text: [UInt8] = []
    for start in stride(from: 0, to: bytes.count, by: 3) {
      let part = bytes[start..<min(start + 3, bytes.count)]
      var bits = part.reduce(UInt32(0)) { $0 << 8 | UInt32($1) } << UInt32(8 * (3 - part.count))
      var group: [UInt8] = []
      for _ in 0..<4 {
        group.insert(alphabet[Int(bits & 63)], at: 0)
        bits >>= 6
      }
      for pad in 0..<(3 - part.count) { group[3 - pad] = UInt8(ascii: "=") }
      text += group
    }
    return String(decoding: text, as: UTF8.self)
  }
}

/// SHA-1 (FIPS 180-4), which the WebSocket handshake prescribes and nothing else here may use.
enum SHA1 {
  static func digest(_ message: [UInt8]) -> [UInt8] {
    var state: [UInt32] = [0x6745_2301, 0xEFCD_AB89, 0x98BA_DCFE, 0x1032_5476, 0xC3D2_E1F0]
    var padded = message + [0x80]
    while padded.count % 64 != 56 { padded.append(0) }
    for shift in stride(from: 56, through: 0, by: -8) {
      padded.append(UInt8(truncatingIfNeeded: (message.count * 8) >> shift))
    }
    for start in stride(from: 0, to: padded.count, by: 64) { block(padded[start..<(start + 64)], &state) }
    return state.flatMap { word in [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: word >> UInt32($0)) } }
  }

  private static func block(_ bytes: ArraySlice<UInt8>, _ state: inout [UInt32]) {
    var words: [UInt32] = []
    for index in stride(from: bytes.startIndex, to: bytes.endIndex, by: 4) {
      words.append(bytes[index..<(index + 4)].reduce(0) { $0 << 8 | UInt32($1) })
    }
    for index in 16..<80 {
      words.append(rotate(words[index - 3] ^ words[index - 8] ^ words[index - 14] ^ words[index - 16], 1))
    }
    var (a, b, c, d, e) = (state[0], state[1], state[2], state[3], state[4])
    for index in 0..<80 {
      let (mix, constant): (UInt32, UInt32) =
        switch index {
        case 0..<20: ((b & c) | (~b & d), 0x5A82_7999)
        case 20..<40: (b ^ c ^ d, 0x6ED9_EBA1)
        case 40..<60: ((b & c) | (b & d) | (c & d), 0x8F1B_BCDC)
        default: (b ^ c ^ d, 0xCA62_C1D6)
        }
      let next = rotate(a, 5) &+ mix &+ e &+ constant &+ words[index]
      (a, b, c, d, e) = (next, a, rotate(b, 30), c, d)
    }
    for (index, value) in [a, b, c, d, e].enumerated() { state[index] &+= value }
  }

  private static func rotate(_ word: UInt32, _ count: UInt32) -> UInt32 { word << count | word >> (32 - count) }
}
