internal import Synchronization

/// An HTTP client: any number of requests at a time over one thread, with connections kept for the next request.
///
/// The thread starts with the first request and ends with the client.
public final class HTTPClient: Sendable {
  /// How requests of this client are made.
  public let configuration: HTTPClientConfiguration
  private let loop: ClientLoop

  /// A client; its thread starts with the first request.
  public init(configuration: HTTPClientConfiguration = HTTPClientConfiguration()) {
    self.configuration = configuration
    loop = ClientLoop()
  }

  deinit { loop.stop() }

  /// Sends a request and waits for the head of its response; the body is read from it. Cancelling the task ends the
  /// exchange.
  public func request(_ request: HTTPClientRequest) async throws(HTTPClientError) -> HTTPClientResponse {
    let transfer = Transfer(request: request, configuration: configuration, loop: loop)
    try loop.start(transfer)
    let head = try await transfer.waitForHead()
    return HTTPClientResponse(head: head, transfer: transfer, client: self)
  }
}

/// A response whose body is read as it arrives.
public final class HTTPClientResponse: Sendable, AsyncSequence {
  /// Chunks of the body, of any size.
  public typealias Element = [UInt8]

  /// Status of the response.
  public let status: HTTPStatus
  /// Header fields of the response.
  public let headers: HTTPHeaders
  private let transfer: Transfer
  /// Keeps the client's thread going while there is something to read.
  private let client: HTTPClient

  init(head: HTTPClientResponseHead, transfer: Transfer, client: HTTPClient) {
    self.client = client
    status = head.status
    headers = head.headers
    self.transfer = transfer
  }

  /// A response that nobody reads to its end is given up.
  deinit { transfer.cancel() }

  /// Reads the whole body.
  ///
  /// - Parameter maxBytes: a larger body is an error of kind `limit`.
  public func bytes(upTo maxBytes: Int = 1 << 30) async throws(HTTPClientError) -> [UInt8] {
    var all: [UInt8] = []
    while let chunk = try await transfer.next() {
      guard all.count + chunk.count <= maxBytes else {
        transfer.cancel()
        throw HTTPClientError(.limit, "the response to \(transfer.what) has more than \(maxBytes) bytes")
      }
      all.append(contentsOf: chunk)
    }
    return all
  }

  /// The body from where reading stopped; a second iterator does not begin anew.
  public func makeAsyncIterator() -> Iterator { Iterator(response: self) }

  /// Reads chunk after chunk; the server is held back while nobody asks.
  public struct Iterator: AsyncIteratorProtocol {
    let response: HTTPClientResponse

    /// The next chunk of the body; nil at its end.
    public mutating func next() async throws(HTTPClientError) -> [UInt8]? { try await response.transfer.next() }
  }
}
