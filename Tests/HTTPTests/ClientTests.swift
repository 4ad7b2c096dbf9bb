import Glibc
import Synchronization
import Testing

@testable import HTTP

@Suite(.timeLimit(.minutes(10))) struct ClientTests {
  @Test func aRequestGoesOutWholeAndItsResponseComesBack() async throws {
    let seen = Mutex<HTTPRequest?>(nil)
    try await withServer(handler: { request in
      seen.withLock { $0 = request }
      return .text("stored", status: .created, headers: ["X-Nomad-Index": "42"])
    }) { _, port in
      let client = HTTPClient()
      let body = (0..<100_000).map { UInt8(truncatingIfNeeded: $0) }
      let response = try await client.request(
        HTTPClientRequest(
          method: .put, url: "http://user:pa%20ss@127.0.0.1:\(port)/v1/jobs?a=b",
          headers: ["X-Nomad-Token": "t", "X-Empty": ""],
          body: body))
      #expect(response.status == .created && response.headers["x-nomad-index"] == "42")
      #expect(try await response.bytes() == Array("stored".utf8))
      let request = try #require(seen.withLock { $0 })
      #expect(request.method == .put && request.body == body && request.headers["x-nomad-token"] == "t")
      #expect(request.headers["x-empty"] == "" && request.query["a"] == "b")
      #expect(request.headers["authorization"] == "Basic dXNlcjpwYSBzcw==")
      #expect(
        request.headers["content-type"] == nil && request.headers["expect"] == nil
          && request.headers["user-agent"] == "serai")
    }
  }

  @Test(arguments: [HTTPMethod.get, .head, .put, .post, .delete])
  func everyMethodWorksWithoutABody(method: HTTPMethod) async throws {
    try await withServer(handler: { .text($0.method.rawValue) }) { _, port in
      let request = HTTPClientRequest(method: method, url: "http://127.0.0.1:\(port)/")
      let result = try await offPool { Result { () throws(HTTPClientError) in try HTTPClient.perform(request) } }.get()
      #expect(result.status == .ok)
      #expect(result.body == (method == .head ? [] : Array(method.rawValue.utf8)))
      let response = try await HTTPClient().request(request)
      #expect(try await response.bytes() == result.body)
    }
  }

  @Test func theSynchronousClientStreams() async throws {
    try await withServer(handler: { _ in
      HTTPResponse(
        body: .stream { writer in
          for index in 0..<100 { try await writer.write("line \(index)\n") }
        })
    }) { _, port in
      let request = HTTPClientRequest(url: "http://127.0.0.1:\(port)/")
      let (text, heads) = await offPool {
        var text = "", heads = 0
        _ = try? HTTPClient.performStreaming(request) { _ in
          heads += 1
        } chunk: { chunk in
          text += String(decoding: chunk, as: UTF8.self)
        }
        return (text, heads)
      }
      #expect(text == (0..<100).map { "line \($0)\n" }.joined() && heads == 1)
    }
  }

  @Test func chunksArriveAsTheyAreWritten() async throws {
    let (gate, open) = AsyncStream.makeStream(of: Void.self)
    try await withServer(handler: { _ in
      HTTPResponse(
        body: .stream { writer in
          var turns = gate.makeAsyncIterator()
          // The head must not wait for the first byte of the body.
          for index in 0..<3 {
            _ = await turns.next()
            try await writer.write("\(index)")
          }
        })
    }) { _, port in
      let response = try await HTTPClient().request(HTTPClientRequest(url: "http://127.0.0.1:\(port)/"))
      var iterator = response.makeAsyncIterator()
      for index in 0..<3 {
        open.yield()
        #expect(try await iterator.next() == Array("\(index)".utf8))
      }
      #expect(try await iterator.next() == nil)
    }
  }

  @Test func aReaderThatPausesHoldsTheServerBack() async throws {
    let written = Atomic<Int>(0)
    try await withServer(handler: { _ in
      HTTPResponse(
        body: .stream { writer in
          let block = [UInt8](repeating: 66, count: 64 << 10)
          for _ in 0..<1000 {
            try await writer.write(block)
            written.add(block.count, ordering: .relaxed)
          }
        })
    }) { _, port in
      let response = try await HTTPClient().request(HTTPClientRequest(url: "http://127.0.0.1:\(port)/"))
      var last = -1
      while written.load(ordering: .relaxed) != last || last == 0 {
        last = written.load(ordering: .relaxed)
        try await Task.sleep(for: .milliseconds(100))
      }
      #expect(last < 1000 * (64 << 10))
      var total = 0
      for try await chunk in response { total += chunk.count }
      #expect(total == 1000 * (64 << 10))
    }
  }

  @Test func aCancelledOrForgottenRequestEndsAtTheServerToo() async throws {
    let started = Atomic<Int>(0), cancelled = Atomic<Int>(0)
    try await withServer(handler: { request in
      if request.target.path == "/stream" {
        return HTTPResponse(
          body: .stream { writer in
            started.add(1, ordering: .relaxed)
            defer { cancelled.add(1, ordering: .relaxed) }
            try await Task.sleep(for: .seconds(60))
          })
      }
      started.add(1, ordering: .relaxed)
      do { try await Task.sleep(for: .seconds(60)) } catch { cancelled.add(1, ordering: .relaxed) }
      return .text("late")
    }) { _, port in
      let client = HTTPClient()
      let task = Task { try await client.request(HTTPClientRequest(url: "http://127.0.0.1:\(port)/")) }
      try await eventually("the handler runs") { started.load(ordering: .relaxed) == 1 }
      task.cancel()
      let error = await #expect(throws: HTTPClientError.self) { try await task.value }
      #expect(error?.kind == .cancelled)
      try await eventually("the handler is cancelled") { cancelled.load(ordering: .relaxed) == 1 }
      _ = try await client.request(HTTPClientRequest(url: "http://127.0.0.1:\(port)/stream"))
      try await eventually("the forgotten stream ends") { cancelled.load(ordering: .relaxed) == 2 }
    }
  }

  @Test func timeoutsAndRefusalsSayWhatToDo() async throws {
    try await withServer(handler: { _ in
      try? await Task.sleep(for: .seconds(60))
      return .text("late")
    }) { server, port in
      let slow = HTTPClientRequest(url: "http://u:secret@127.0.0.1:\(port)/slow", timeout: .milliseconds(100))
      let error = await #expect(throws: HTTPClientError.self) { try await HTTPClient().request(slow) }
      #expect(error?.kind == .timedOut && error?.message.contains("/slow") == true)
      #expect(error?.message.contains("secret") == false)
      await server.stop(drain: .zero)
      let refused = await #expect(throws: HTTPClientError.self) { try await HTTPClient().request(slow) }
      #expect(refused?.kind == .unreachable)
      #expect(refused?.message.contains("connection refused by 127.0.0.1:\(port): is the agent running?") == true)
    }
    for (url, kind) in [
      ("ftp://127.0.0.1/x", HTTPClientError.Kind.malformedURL), ("http://", .malformedURL),
      ("http://a b/", .malformedURL),
      ("http://no-such-host.invalid/", .nameNotFound),
    ] {
      // A proxy of the environment would look the name up in our place.
      if kind == .nameNotFound, getenv("http_proxy") != nil { continue }
      let error = await #expect(throws: HTTPClientError.self) {
        try await HTTPClient().request(HTTPClientRequest(url: url))
      }
      #expect(error?.kind == kind, "\(url): \(error?.message ?? "")")
    }
  }

  @Test func aCutResponseIsAnError() async throws {
    struct Broken: Error {}
    try await withServer(handler: { _ in
      HTTPResponse(
        body: .stream { writer in
          try await writer.write("half")
          throw Broken()
        })
    }) { _, port in
      let response = try await HTTPClient().request(HTTPClientRequest(url: "http://127.0.0.1:\(port)/"))
      let error = await #expect(throws: HTTPClientError.self) { try await response.bytes() }
      #expect(error?.kind == .broken)
    }
  }

  @Test func aTooLargeResponseIsRefused() async throws {
    try await withServer(handler: { _ in .text(String(repeating: "x", count: 10_000)) }) { _, port in
      let request = HTTPClientRequest(url: "http://127.0.0.1:\(port)/")
      let response = try await HTTPClient().request(request)
      let error = await #expect(throws: HTTPClientError.self) { try await response.bytes(upTo: 100) }
      #expect(error?.kind == .limit)
    }
  }

  @Test func unixSocketsRedirectsAndCompressionWork() async throws {
    let path = "/tmp/serai-client-\(getpid())-\(UInt32.random(in: 0...UInt32.max)).sock"
    let server = try HTTPServer(
      configuration: .init(addresses: [.unix(path: path)]),
      handler: { request in
        if request.target.path == "/old" {
          return HTTPResponse(status: .temporaryRedirect, headers: ["Location": "/new"])
        }
        return .text(String(repeating: "line of text\n", count: 1000))
      })
    try server.start()
    let address = try HTTPAddress(parsing: "unix://\(path)")
    var configuration = HTTPClientConfiguration()
    configuration.unixSocketPath = address.unixSocketPath
    let client = HTTPClient(configuration: configuration)
    var request = HTTPClientRequest(url: address.base + "/old")
    #expect(try await client.request(request).status == .temporaryRedirect)
    request.maxRedirects = 3
    request.acceptsCompression = true
    let response = try await client.request(request)
    #expect(response.status == .ok && response.headers["content-encoding"] == "gzip")
    #expect(try await response.bytes().count == 13_000)
    await server.stop(drain: .zero)
    let error = await #expect(throws: HTTPClientError.self) { try await client.request(request) }
    #expect(error?.kind == .unreachable && error?.message.contains("unix://") == true)
  }

  @Test func manyRequestsShareOneThread() async throws {
    try await withServer({ $0.maxConnectionsPerClient = 0 }, handler: { request in .text(request.target.path) }) {
      _, port in
      let client = HTTPClient()
      let wrong = try await withThrowingTaskGroup(of: Int.self) { group in
        for index in 0..<200 {
          group.addTask {
            let response = try await client.request(HTTPClientRequest(url: "http://127.0.0.1:\(port)/\(index)"))
            return try await response.bytes() == Array("/\(index)".utf8) ? 0 : 1
          }
        }
        return try await group.reduce(0, +)
      }
      #expect(wrong == 0)
    }
  }

  @Test(
    arguments: [
      ("http://127.0.0.1:4646/", "http://127.0.0.1:4646", nil), ("host:1", "http://host:1", nil),
      ("https://h", "https://h", nil), ("unix:///run/s.sock", "http://localhost", "/run/s.sock"),
    ] as [(String, String, String?)])
  func addressesAreUnderstood(text: String, base: String, path: String?) throws {
    let address = try HTTPAddress(parsing: text)
    #expect(address.base == base && address.unixSocketPath == path)
  }

  @Test(arguments: ["unix://relative", "ftp://h", "http://", ""])
  func badAddressesAreRefused(text: String) {
    let error = #expect(throws: HTTPClientError.self) { try HTTPAddress(parsing: text) }
    #expect(error?.kind == .malformedURL)
  }

  @Test(arguments: [
    ("127.0.0.1:4646", true), ("localhost", true), ("LocalHost:1", true), ("[::1]:80", true),
    ("127.evil.example", false),
    ("10.0.0.1", false), ("[::2]:80", false), ("localhost.example", false),
  ])
  func loopbackIsRecognised(authority: String, expected: Bool) {
    #expect(isLoopback(authority) == expected)
  }
}
