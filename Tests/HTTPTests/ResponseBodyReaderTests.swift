import Testing

@testable import HTTP

/// Framings as RFC 9112 §6 and §7.1 give them, cut at every place.
@Suite struct ResponseBodyReaderTests {
  struct Outcome: Equatable {
    var status = 0
    var heads = 0
    var text = ""
    var isWhole = false
  }

  /// Feeds a response in pieces of `size` bytes, then the connection's end where it was not whole before.
  private func read(_ response: String, pieces size: Int, isHead: Bool = false) throws -> Outcome {
    var reader = ResponseBodyReader()
    var outcome = Outcome()
    let bytes = Array(response.utf8)
    func take(_ part: ResponseBodyReader.Part) {
      if let head = part.head { (outcome.status, outcome.heads) = (head.status.rawValue, outcome.heads + 1) }
      outcome.text += String(decoding: part.bytes, as: UTF8.self)
      outcome.isWhole = part.isLast
    }
    for start in stride(from: 0, to: bytes.count, by: size) where !outcome.isWhole {
      take(try reader.add(bytes[start..<min(start + size, bytes.count)], isHead: isHead))
    }
    if !outcome.isWhole { take(try reader.end()) }
    return outcome
  }

  @Test(arguments: [1, 2, 3, 7, 1000])
  func bodiesOfEveryFraming(size: Int) throws {
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    for (response, expected) in [
      (
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        Outcome(status: 200, heads: 1, text: "hello", isWhole: true)
      ),
      ("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", Outcome(status: 404, heads: 1, isWhole: true)),
      ("HTTP/1.1 204 No Content\r\n\r\n", Outcome(status: 204, heads: 1, isWhole: true)),
      ("HTTP/1.0 200 OK\r\n\r\nto the end", Outcome(status: 200, heads: 1, text: "to the end", isWhole: true)),
      (
        chunked + "4\r\nWiki\r\n6;name=value\r\npedia \r\nA\r\nin chunks.\r\n0\r\n\r\n",
        Outcome(status: 200, heads: 1, text: "Wikipedia in chunks.", isWhole: true)
      ),
      (chunked + "0\r\nExpires: never\r\n\r\n", Outcome(status: 200, heads: 1, isWhole: true)),
      (
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\nok",
        Outcome(status: 201, heads: 1, text: "ok", isWhole: true)
      ),
    ] { #expect(try read(response, pieces: size) == expected, "\(response.debugDescription)") }
    let head = try read("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", pieces: size, isHead: true)
    #expect(head == Outcome(status: 200, heads: 1, isWhole: true))
  }

  @Test(arguments: [
    "", "HTTP/1.1 200 OK\r\nContent-Len", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell",
    "HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
    "HTTP/1.1 200 OK\r\nX: " + String(repeating: "a", count: 300_000),
  ])
  func whatIsCutOrMalformed(response: String) {
    for size in [1, 1000] {
      #expect(throws: ResponseBodyReader.Malformed.self) { try read(response, pieces: size) }
    }
  }

  @Test func onlyPlainRequestsToThisHostAreDoneWithoutLibcurl() {
    func canDo(_ url: String, _ change: (inout HTTPClientRequest, inout HTTPClientConfiguration) -> Void = { _, _ in })
      -> Bool
    {
      var request = HTTPClientRequest(url: url)
      var configuration = HTTPClientConfiguration()
      change(&request, &configuration)
      return LocalExchange.canDo(request, configuration)
    }
    #expect(
      canDo("http://127.0.0.1:4646/v1/jobs") && canDo("http://[::1]:4646/v1/jobs?a=b") && canDo("http://127.0.0.1"))
    #expect(canDo("http://localhost/v1/jobs") { $1.unixSocketPath = "/run/serai.sock" })
    for url in [
      "https://127.0.0.1/", "http://10.0.0.1/", "http://localhost/", "http://u:p@127.0.0.1/", "http://127.0.0.1:x/",
      "http://127.0.0.1/a b", "ftp://127.0.0.1/", "http://127.0.0.1.example.net/", "http://127.0.0.1:99999/",
    ] { #expect(!canDo(url), "\(url)") }
    #expect(!canDo("http://127.0.0.1/") { request, _ in request.maxRedirects = 3 })
    #expect(!canDo("http://127.0.0.1/") { request, _ in request.acceptsCompression = true })
  }
}
