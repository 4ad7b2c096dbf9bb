/// A response's bytes taken apart: heads of any number of interim responses, the head, and the body without its framing
/// (RFC 9112 §6). Pure: bytes go in as they come.
struct ResponseBodyReader {
  /// What new bytes gave.
  struct Part {
    /// The head, once, with the bytes that completed it.
    var head: HTTPClientResponseHead?
    /// More of the body.
    var bytes: [UInt8] = []
    /// The response is whole.
    var isLast = false
  }

  /// Why the bytes are no response.
  struct Malformed: Error {
    var reason: String
  }

  private enum Phase {
    case head
    /// So many bytes are missing of a body with a length.
    case counted(Int)
    case untilEnd
    case chunkSize
    /// So many bytes are missing of a chunk.
    case chunk(Int)
    case chunkEnd
    case trailer
    case done

    /// Nothing more has to come for the next step.
    var isReached: Bool {
      switch self {
      case .done, .counted(0): true
      default: false
      }
    }
  }

  private var phase = Phase.head
  private var parser = ResponseHeadParser(followsRedirects: false)
  /// The beginning of a line whose end has not come.
  private var line: [UInt8] = []
  private var headBytes = 0
  /// Bytes of status line and header fields, or of one chunk's size, that are taken.
  private static let limit = 256 << 10

  /// The head, when `add` has given it.
  var head: HTTPClientResponseHead { parser.latest }

  /// Takes the next bytes.
  /// - Parameter isHead: the response is to a HEAD request and has no body, whatever its header says.
  mutating func add(_ input: ArraySlice<UInt8>, isHead: Bool) throws(Malformed) -> Part {
    var part = Part()
    var rest = input
    while !rest.isEmpty || phase.isReached {
      switch phase {
      case .head:
        guard let text = try takeLine(&rest) else { return part }
        if let head = parser.add(text) {
          part.head = head
          phase = try framing(of: head, isHead)
        }
      case .counted(let missing):
        if missing == 0 {
          phase = .done
          continue
        }
        part.bytes += rest.prefix(missing)
        phase = .counted(missing - min(missing, rest.count))
        rest = rest.dropFirst(missing)
      case .untilEnd:
        part.bytes += rest
        return part
      case .chunkSize:
        guard let text = try takeLine(&rest) else { return part }
        guard let size = Int(trimmedBlanks(text.prefix { $0 != ";" && $0 != "\r\n" && $0 != "\n" }), radix: 16),
          size >= 0
        else { throw Malformed(reason: "a chunk has no size") }
        phase = size == 0 ? .trailer : .chunk(size)
      case .chunk(let missing):
        part.bytes += rest.prefix(missing)
        phase = missing > rest.count ? .chunk(missing - rest.count) : .chunkEnd
        rest = rest.dropFirst(missing)
      case .chunkEnd:
        guard let text = try takeLine(&rest) else { return part }
        guard trimmedLine(text).isEmpty else { throw Malformed(reason: "a chunk is longer than its size") }
        phase = .chunkSize
      case .trailer:
        guard let text = try takeLine(&rest) else { return part }
        if trimmedLine(text).isEmpty { phase = .done }
      case .done:
        part.isLast = true
        return part
      }
    }
    return part
  }

  /// The server has closed the connection.
  func end() throws(Malformed) -> Part {
    switch phase {
    case .untilEnd, .done: return Part(isLast: true)
    case .head where headBytes == 0:
      throw Malformed(reason: "it closed the connection without an answer: does it speak https rather than http?")
    default: throw Malformed(reason: "it closed the connection in the middle of its answer")
    }
  }

  private func framing(of head: HTTPClientResponseHead, _ isHead: Bool) throws(Malformed) -> Phase {
    if isHead || head.status.rawValue == 204 || head.status.rawValue == 304 { return .done }
    if head.headers.contains("Transfer-Encoding", token: "chunked") { return .chunkSize }
    guard let text = head.headers["Content-Length"] else { return .untilEnd }
    guard let length = Int(text), length >= 0 else { throw Malformed(reason: "its Content-Length is \"\(text)\"") }
    return .counted(length)
  }

  /// A line with its end; nil while that has not come.
  private mutating func takeLine(_ rest: inout ArraySlice<UInt8>) throws(Malformed) -> String? {
    let end = rest.firstIndex(of: 0x0A)
    line += rest[..<(end.map { $0 + 1 } ?? rest.endIndex)]
    rest = end.map { rest[($0 + 1)...] } ?? []
    if case .head = phase { headBytes += 1 }
    guard line.count <= Self.limit, headBytes <= Self.limit else { throw Malformed(reason: "its head is too long") }
    guard end != nil else { return nil }
    defer { line = [] }
    return String(decoding: line, as: UTF8.self)
  }

  private func trimmedLine(_ text: String) -> Substring {
    text[...].prefix { $0 != "\r\n" && $0 != "\n" && $0 != "\r" }
  }
}
