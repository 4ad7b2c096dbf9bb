/// Status and headers of a response.
public struct HTTPClientResponseHead: Sendable {
  /// Status of the final response.
  public var status: HTTPStatus
  /// Its header fields, in the order received.
  public var headers: HTTPHeaders
}

/// Collects header lines as libcurl hands them out: those of interim responses (1xx) and followed redirections too.
struct ResponseHeadParser {
  private var head = HTTPClientResponseHead(status: HTTPStatus(0), headers: [:])
  private let followsRedirects: Bool

  init(followsRedirects: Bool) { self.followsRedirects = followsRedirects }

  /// Takes one line with its line break. Returns the head of the final response when it is complete.
  mutating func add(_ line: String) -> HTTPClientResponseHead? {
    var utf8 = Substring(line).utf8
    while let last = utf8.last, last == 13 || last == 10 { utf8.removeLast() }
    let text = trimmedBlanks(Substring(utf8))
    if text.isEmpty { return isFinal ? head : nil }
    if text.hasPrefix("HTTP/") {
      let code = text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
      head = HTTPClientResponseHead(status: HTTPStatus(code), headers: [:])
    } else if let colon = text.firstIndex(of: ":") {
      head.headers.append(String(text[..<colon]), trimmedBlanks(text[text.index(after: colon)...]))
    }
    return nil
  }

  /// What was read so far; the last head if the body has ended.
  var latest: HTTPClientResponseHead { head }

  private var isFinal: Bool {
    let code = head.status.rawValue
    return code >= 200
      && !(followsRedirects && (301...308).contains(code) && code != 304 && head.headers["Location"] != nil)
      || code == 101
  }
}
