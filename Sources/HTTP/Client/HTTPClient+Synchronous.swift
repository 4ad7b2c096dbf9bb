internal import CCurl

extension HTTPClient {
  /// A response with its whole body.
  public struct Result: Sendable {
    /// Status of the response.
    public var status: HTTPStatus
    /// Header fields of the response.
    public var headers: HTTPHeaders
    /// The whole body.
    public var body: [UInt8]
  }

  /// One request on the calling thread: for a command that asks once and exits. Starts no thread (but libcurl's for a
  /// name lookup) and blocks: never call it on Swift's cooperative pool.
  ///
  /// - Parameter maxBytes: a larger body is an error of kind `limit`.
  public static func perform(
    _ request: HTTPClientRequest, configuration: HTTPClientConfiguration = HTTPClientConfiguration(),
    maxBytes: Int = 1 << 30
  ) throws(HTTPClientError) -> Result {
    var body: [UInt8] = []
    let head = try performStreaming(request, configuration: configuration) { _ in
    } chunk: { chunk throws(HTTPClientError) in
      guard body.count + chunk.count <= maxBytes else {
        throw HTTPClientError(
          .limit, "\(request.method) \(withoutUserInfo(request.url)): the response has more than \(maxBytes) bytes")
      }
      body.append(contentsOf: chunk)
    }
    return Result(status: head.status, headers: head.headers, body: body)
  }

  /// The same for a response that is used while it arrives, such as a followed log.
  ///
  /// - Parameters:
  ///   - head: called once, before the first chunk.
  ///   - chunk: called with bytes as they come. What it throws ends the request and is thrown.
  @discardableResult
  public static func performStreaming(
    _ request: HTTPClientRequest, configuration: HTTPClientConfiguration = HTTPClientConfiguration(),
    head: (HTTPClientResponseHead) throws(HTTPClientError) -> Void,
    chunk: ([UInt8]) throws(HTTPClientError) -> Void
  ) throws(HTTPClientError) -> HTTPClientResponseHead {
    if LocalExchange.canDo(request, configuration) {
      return try LocalExchange.perform(request, configuration, head: head, chunk: chunk)
    }
    let handle = try CurlHandle.make(request, configuration)
    return try withoutActuallyEscaping(head) { head throws(HTTPClientError) in
      try withoutActuallyEscaping(chunk) { chunk throws(HTTPClientError) in
        let receiver = SynchronousReceiver(followsRedirects: request.maxRedirects > 0, head: head, chunk: chunk)
        // The receiver lives until curl_easy_perform has returned, and the handle calls it on this thread only.
        let context = Unmanaged.passUnretained(receiver).toOpaque()
        _ = serai_curl_set_receivers(handle.pointer, receiveHeader, receiveBody, context)
        let code = serai_curl_easy_perform(handle.pointer)
        if let error = receiver.error { throw error }
        if let error = handle.failure(code, request, configuration) { throw error }
        return withExtendedLifetime(receiver) { receiver.parser.latest }
      }
    }
  }
}

private final class SynchronousReceiver {
  var parser: ResponseHeadParser
  var error: HTTPClientError?
  let head: (HTTPClientResponseHead) throws(HTTPClientError) -> Void
  let chunk: ([UInt8]) throws(HTTPClientError) -> Void

  init(
    followsRedirects: Bool, head: @escaping (HTTPClientResponseHead) throws(HTTPClientError) -> Void,
    chunk: @escaping ([UInt8]) throws(HTTPClientError) -> Void
  ) {
    parser = ResponseHeadParser(followsRedirects: followsRedirects)
    self.head = head
    self.chunk = chunk
  }

  func attempt(_ count: Int, _ work: () throws(HTTPClientError) -> Void) -> Int {
    do throws(HTTPClientError) {
      try work()
      return count
    } catch {
      self.error = error
      return serai_curl_write_abort()
    }
  }
}

private func receiveHeader(
  _ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ context: UnsafeMutableRawPointer?
) -> Int {
  guard let bytes, let context else { return serai_curl_write_abort() }
  let receiver = Unmanaged<SynchronousReceiver>.fromOpaque(context).takeUnretainedValue()
  let line = String(decoding: UnsafeRawBufferPointer(start: bytes, count: size * count), as: UTF8.self)
  return receiver.attempt(size * count) { () throws(HTTPClientError) in
    if let head = receiver.parser.add(line) { try receiver.head(head) }
  }
}

private func receiveBody(
  _ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ context: UnsafeMutableRawPointer?
) -> Int {
  guard let bytes, let context else { return serai_curl_write_abort() }
  let receiver = Unmanaged<SynchronousReceiver>.fromOpaque(context).takeUnretainedValue()
  let chunk = [UInt8](UnsafeRawBufferPointer(start: bytes, count: size * count))
  return receiver.attempt(size * count) { () throws(HTTPClientError) in try receiver.chunk(chunk) }
}
