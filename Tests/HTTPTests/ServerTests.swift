import CZ
import Glibc
import Synchronization
import Testing

@testable import HTTP

@Suite(.timeLimit(.minutes(10))) struct ServerTests {
  @Test func aRequestArrivesWhole() async throws {
    let seen = Mutex<HTTPRequest?>(nil)
    try await withServer(handler: { request in
      seen.withLock { $0 = request }
      return .text("hi", status: .created, headers: ["X-Nomad-Index": "7"])
    }) { _, port in
      let response = try await RawClient(port: port).exchange(
        "PUT /v1/job/a%2Fb?x=1&x=2 HTTP/1.1\r\nHost: h\r\nX-Nomad-Token: secret\r\nContent-Length: 5\r\n\r\nhello")
      #expect(response.status == "HTTP/1.1 201 Created" && response.text == "hi")
      #expect(response.headers["x-nomad-index"] == "7" && response.headers["date"] != nil)
      let request = try #require(seen.withLock { $0 })
      #expect(
        request.method == .put && request.target.segments == ["v1", "job", "a/b"] && request.body == Array("hello".utf8)
      )
      #expect(request.query.all("x") == ["1", "2"] && request.headers["x-nomad-token"] == "secret")
      #expect(request.remoteAddress == "127.0.0.1")
    }
  }

  @Test func aConnectionServesRequestAfterRequest() async throws {
    try await withServer(handler: { .text($0.target.path) }) { server, port in
      let client = try RawClient(port: port)
      for index in 0..<50 {
        let response = await client.exchange("GET /\(index) HTTP/1.1\r\nHost: h\r\n\r\n")
        #expect(response.text == "/\(index)")
      }
      #expect(server.connectionCount == 1)
      client.send("GET /a HTTP/1.1\r\nHost: h\r\n\r\nGET /b HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
      let both = String(decoding: await client.readToEnd(), as: UTF8.self)
      #expect(both.contains("/a") && both.hasSuffix("/b"))
    }
  }

  @Test func headGetsTheLengthAndNoBody() async throws {
    let produced = Atomic<Bool>(false)
    try await withServer(handler: { request in
      if request.target.path == "/stream" {
        return HTTPResponse(body: .stream { _ in produced.store(true, ordering: .relaxed) })
      }
      return .text("12345")
    }) { _, port in
      let client = try RawClient(port: port)
      client.send("HEAD / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
      let response = try #require(RawResponse(await client.readToEnd()))
      #expect(response.headers["content-length"] == "5" && response.body.isEmpty)
      let second = try RawClient(port: port)
      second.send("HEAD /stream HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
      #expect(try #require(RawResponse(await second.readToEnd())).body.isEmpty)
      let ran = produced.load(ordering: .relaxed)
      #expect(!ran)
    }
  }

  @Test func aBadTargetIsAnsweredInWords() async throws {
    try await withServer(handler: { _ in .text("reached") }) { _, port in
      let response = try await RawClient(port: port).exchange("GET /%zz HTTP/1.1\r\nHost: h\r\n\r\n")
      #expect(response.status.contains("400") && response.text.contains("hexadecimal"))
    }
  }

  @Test func aBodyBeyondTheLimitIsAnswered413() async throws {
    try await withServer({ $0.maxBodyBytes = 1000 }, handler: { .text("\($0.body.count)") }) { _, port in
      let fits = try await RawClient(port: port).exchange(
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n" + String(repeating: "x", count: 1000))
      #expect(fits.text == "1000")
      let announced = try await RawClient(port: port).exchange(
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1001\r\n\r\n")
      #expect(announced.status.contains("413") && announced.text.contains("1000 bytes"))
      let chunk = "400\r\n" + String(repeating: "x", count: 1024) + "\r\n"
      let chunked = try await RawClient(port: port).exchange(
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk + chunk + "0\r\n\r\n")
      #expect(chunked.status.contains("413") && chunked.text.contains("1000 bytes"))
    }
  }

  @Test func aHeaderBeyondTheLimitIsRefused() async throws {
    try await withServer({ $0.maxHeaderBytes = 8192 }, handler: { _ in .text("reached") }) { _, port in
      let client = try RawClient(port: port)
      client.send("GET / HTTP/1.1\r\nHost: h\r\nX: " + String(repeating: "x", count: 20000) + "\r\n\r\n")
      let answer = String(decoding: await client.readToEnd(), as: UTF8.self)
      #expect(answer.hasPrefix("HTTP/1.1 4") && !answer.contains("reached"))
    }
  }

  @Test func aStreamDeliversEachWriteAtOnce() async throws {
    let (gate, open) = AsyncStream.makeStream(of: Void.self)
    try await withServer(handler: { _ in
      HTTPResponse(
        body: .stream { writer in
          var turns = gate.makeAsyncIterator()
          for index in 0..<5 {
            try await writer.write("line \(index)\n")
            _ = await turns.next()
          }
        })
    }) { _, port in
      let client = try RawClient(port: port)
      client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
      for index in 0..<5 {
        // The producer waits for us: what it wrote must come without the next write.
        let bytes = await client.read { String(decoding: $0, as: UTF8.self).contains("line \(index)\n") }
        #expect(String(decoding: bytes, as: UTF8.self).contains("line \(index)\n"))
        open.yield()
      }
      let end = await client.read { $0.suffix(5).elementsEqual("0\r\n\r\n".utf8) }
      #expect(end.suffix(5).elementsEqual("0\r\n\r\n".utf8))
    }
  }

  @Test func aProducerThatThrowsCutsTheConnection() async throws {
    struct Broken: Error {}
    try await withServer(handler: { _ in
      HTTPResponse(
        body: .stream { writer in
          try await writer.write("half")
          throw Broken()
        })
    }) { _, port in
      let client = try RawClient(port: port)
      client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
      let text = String(decoding: await client.readToEnd(), as: UTF8.self)
      #expect(!text.hasSuffix("0\r\n\r\n"))
    }
  }

  @Test func aSlowReaderHoldsTheProducerBack() async throws {
    let written = Atomic<Int>(0)
    let ended = Atomic<Bool>(false)
    try await withServer(
      { $0.streamBufferBytes = 64 << 10 },
      handler: { _ in
        HTTPResponse(
          body: .stream { writer in
            defer { ended.store(true, ordering: .relaxed) }
            let block = [UInt8](repeating: 65, count: 64 << 10)
            for _ in 0..<2000 {
              try await writer.write(block)
              written.add(block.count, ordering: .relaxed)
            }
          })
      }
    ) { _, port in
      var client: RawClient? = try RawClient(port: port)
      client?.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
      var last = -1
      // Until nothing more goes for a tenth of a second.
      while written.load(ordering: .relaxed) != last || last == 0 {
        last = written.load(ordering: .relaxed)
        try await Task.sleep(for: .milliseconds(100))
      }
      let endedEarly = ended.load(ordering: .relaxed)
      #expect(last < 2000 * (64 << 10) && !endedEarly)
      client = nil
      try await eventually("the producer ends when its client leaves") { ended.load(ordering: .relaxed) }
      let total = written.load(ordering: .relaxed)
      #expect(total < 2000 * (64 << 10))
    }
  }

  @Test func aClientThatLeavesCancelsItsHandler() async throws {
    let started = Atomic<Int>(0), cancelled = Atomic<Int>(0)
    try await withServer(handler: { _ in
      started.add(1, ordering: .relaxed)
      do { try await Task.sleep(for: .seconds(60)) } catch { cancelled.add(1, ordering: .relaxed) }
      return .text("late")
    }) { server, port in
      var client: RawClient? = try RawClient(port: port)
      client?.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
      try await eventually("the handler runs") { started.load(ordering: .relaxed) == 1 }
      client = nil
      try await eventually("the handler is cancelled") { cancelled.load(ordering: .relaxed) == 1 }
      try await eventually("the connection is gone") { server.connectionCount == 0 }
    }
  }

  @Test func aFileIsSent() async throws {
    var name = Array("/tmp/serai-http-XXXXXX".utf8CString)
    let descriptor = mkstemp(&name)
    unlink(name)
    let content = (0..<300_000).map { UInt8(truncatingIfNeeded: $0) }
    #expect(content.withUnsafeBytes { write(descriptor, $0.baseAddress, 300_000) } == 300_000)
    let file = HTTPFileBody(owning: descriptor, offset: 1000, length: 250_000)
    try await withServer(handler: { _ in HTTPResponse(body: .file(file)) }) { _, port in
      let client = try RawClient(port: port)
      let response = await client.exchange("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
      #expect(response.body == Array(content[1000..<251_000]))
      let second = await client.exchange("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
      #expect(second.status.contains("500"))
    }
  }

  @Test func largeTextIsCompressedForWhoAcceptsIt() async throws {
    let text = String(repeating: "{\"ID\":\"example\",\"Status\":\"running\"}\n", count: 1000)
    try await withServer(handler: { request in
      request.target.path == "/binary"
        ? HTTPResponse(headers: ["Content-Type": "application/octet-stream"], bytes: Array(text.utf8)) : .text(text)
    }) { _, port in
      let client = try RawClient(port: port)
      let plain = await client.exchange("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
      #expect(plain.text == text && plain.headers["content-encoding"] == nil)
      let packed = await client.exchange("GET / HTTP/1.1\r\nHost: h\r\nAccept-Encoding: gzip, deflate\r\n\r\n")
      #expect(packed.headers["content-encoding"] == "gzip" && packed.headers["vary"] == "Accept-Encoding")
      #expect(packed.body.count < 2000 && gunzip(packed.body, text.utf8.count) == Array(text.utf8))
      let binary = await client.exchange("GET /binary HTTP/1.1\r\nHost: h\r\nAccept-Encoding: gzip\r\n\r\n")
      #expect(binary.headers["content-encoding"] == nil && binary.text == text)
    }
  }

  @Test func aUnixSocketServesAndGoes() async throws {
    let path = "/tmp/serai-http-\(getpid())-\(UInt32.random(in: 0...UInt32.max)).sock"
    var configuration = HTTPServerConfiguration(addresses: [.unix(path: path), .tcp(host: "127.0.0.1", port: 0)])
    configuration.maxConnectionsPerClient = 1
    let server = try HTTPServer(configuration: configuration, handler: { .text($0.remoteAddress + "|") })
    try server.start()
    var status = stat()
    #expect(stat(path, &status) == 0 && status.st_mode & 0o777 == 0o600)
    let clients = try (0..<3).map { _ in try RawClient(path: path) }
    for client in clients { #expect(await client.exchange("GET / HTTP/1.1\r\nHost: h\r\n\r\n").text == "|") }
    // A second server on a live socket is refused; on a dead one it starts.
    let second = try HTTPServer(configuration: .init(addresses: [.unix(path: path)]), handler: { _ in .text("2") })
    #expect(throws: HTTPServerError.self) { try second.start() }
    await server.stop(drain: .zero)
    #expect(stat(path, &status) != 0)
  }

  @Test func anAddressInUseIsNamedWithAdvice() async throws {
    try await withServer(handler: { _ in .text("") }) { server, port in
      let second = try HTTPServer(
        configuration: .init(addresses: [.tcp(host: "127.0.0.1", port: port)]), handler: { _ in .text("") })
      let error = #expect(throws: HTTPServerError.self) { try second.start() }
      #expect(error?.description.contains("127.0.0.1:\(port) failed: EADDRINUSE") == true)
      let odd = try HTTPServer(
        configuration: .init(addresses: [.tcp(host: "localhost", port: 0)]), handler: { _ in .text("") })
      #expect(throws: HTTPServerError.self) { try odd.start() }
    }
  }

  @Test func aTrickledHeadIsCutAtItsDeadline() async throws {
    try await withServer({ $0.headerTimeout = .milliseconds(500) }, handler: { _ in .text("reached") }) { _, port in
      let client = try RawClient(port: port)
      let start = ContinuousClock.now
      let trickle = Task {
        for byte in "GET / HTTP/1.1\r\nHost: hhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhh" {
          client.send(String(byte))
          try await Task.sleep(for: .milliseconds(50))
        }
      }
      let answer = await client.readToEnd()
      trickle.cancel()
      #expect(!String(decoding: answer, as: UTF8.self).contains("reached"))
      #expect(ContinuousClock.now - start < .seconds(8))
    }
  }

  @Test func oneClientCannotTakeAllConnections() async throws {
    try await withServer({ $0.maxConnectionsPerClient = 3 }, handler: { _ in .text("ok") }) { server, port in
      let clients = try (0..<3).map { _ in try RawClient(port: port) }
      for client in clients { #expect(await client.exchange("GET / HTTP/1.1\r\nHost: h\r\n\r\n").text == "ok") }
      let fourth = try RawClient(port: port)
      let refusal = try #require(RawResponse(await fourth.readToEnd()))
      #expect(refusal.status.contains("429") && refusal.text.contains("limit is 3"))
    }
  }

  @Test func aThousandBlockingRequestsNeedFewThreads() async throws {
    let waiting = Atomic<Int>(0)
    let gate = Gate()
    func threads() -> Int {
      guard let directory = opendir("/proc/self/task") else { return -1 }
      defer { closedir(directory) }
      var count = -2
      while readdir(directory) != nil { count += 1 }
      return count
    }
    let before = threads()
    try await withServer(
      { $0.maxConnectionsPerClient = 0 },
      handler: { _ in
        waiting.add(1, ordering: .relaxed)
        await gate.wait()
        return .text("woken")
      }
    ) { _, port in
      let clients = try (0..<1000).map { _ in try RawClient(port: port) }
      for client in clients { client.send("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n") }
      try await eventually("all thousand wait") { waiting.load(ordering: .relaxed) == 1000 }
      // Other tests run threads of their own at the same time; a thread per request would be a thousand.
      #expect(threads() - before < 500)
      await gate.open()
      var answered = 0
      for client in clients where String(decoding: await client.readToEnd(), as: UTF8.self).hasSuffix("woken") {
        answered += 1
      }
      #expect(answered == 1000)
    }
  }

  @Test func aServerStopsUnderFireWithoutHarm() async throws {
    for _ in 0..<5 {
      try await withServer({ $0.maxConnectionsPerClient = 0 }, handler: { .text($0.target.path) }) { server, port in
        let clients = try (0..<8).map { _ in try RawClient(port: port) }
        await withTaskGroup(of: Void.self) { group in
          for client in clients {
            group.addTask {
              while true {
                let response = await client.exchange("GET /x HTTP/1.1\r\nHost: h\r\n\r\n")
                guard response.status.contains("200") else { return }
              }
            }
          }
          group.addTask {
            try? await Task.sleep(for: .milliseconds(30))
            await server.stop(drain: .zero)
          }
        }
        #expect(server.connectionCount == 0)
      }
    }
  }

  @Test func stoppingDrainsThenCancelsThenCuts() async throws {
    let phases = Mutex<[String]>([])
    var configuration = HTTPServerConfiguration(addresses: [.tcp(host: "127.0.0.1", port: 0)])
    configuration.threads = 1
    let stubborn = Gate()
    let server = try HTTPServer(
      configuration: configuration,
      handler: { request in
        phases.withLock { $0.append("began") }
        switch request.target.path {
        case "/short":
          try? await Task.sleep(for: .milliseconds(100))
          return .text("short")
        case "/long":
          do { try await Task.sleep(for: .seconds(60)) } catch { return .text("cancelled") }
          return .text("long")
        case "/stream":
          return HTTPResponse(
            body: .stream { writer in
              try await writer.write("first")
              try await Task.sleep(for: .seconds(60))
            })
        default:
          await stubborn.wait()
          return .text("never")
        }
      })
    let addresses = try server.start()
    guard case .tcp(_, let port) = addresses[0] else { return }
    let paths = ["/short", "/long", "/stream", "/stubborn"]
    let clients = try paths.map { path in
      let client = try RawClient(port: port)
      client.send("GET \(path) HTTP/1.1\r\nHost: h\r\n\r\n")
      return client
    }
    try await eventually("all have begun") { phases.withLock { $0.count == 4 } }
    let start = ContinuousClock.now
    await server.stop(drain: .milliseconds(400))
    // The handlers would take a minute.
    #expect(ContinuousClock.now - start < .seconds(30))
    var answers: [String] = []
    for client in clients { answers.append(String(decoding: await client.readToEnd(), as: UTF8.self)) }
    #expect(answers[0].hasSuffix("short"))
    #expect(answers[1].hasSuffix("cancelled"))
    #expect(answers[2].contains("first") && !answers[2].hasSuffix("0\r\n\r\n"))
    #expect(answers[3].contains("503"))
    #expect(server.connectionCount == 0 && server.addresses.isEmpty)
    #expect(throws: (any Error).self) { try RawClient(port: port) }
    await stubborn.open()
  }
}

/// Lets waiters through once it is open.
actor Gate {
  private var isOpen = false
  private var waiters: [CheckedContinuation<Void, Never>] = []

  func wait() async {
    if isOpen { return }
    await withCheckedContinuation { waiters.append($0) }
  }

  func open() {
    isOpen = true
    for waiter in waiters { waiter.resume() }
    waiters = []
  }
}

/// zlib's own reading of the gzip format.
func gunzip(_ bytes: [UInt8], _ size: Int) -> [UInt8] {
  var stream = z_stream()
  guard serai_gunzip_begin(&stream) == Z_OK else { return [] }
  defer { inflateEnd(&stream) }
  return [UInt8](unsafeUninitializedCapacity: size + 1) { target, count in
    bytes.withUnsafeBufferPointer { source in
      stream.next_in = UnsafeMutablePointer(mutating: source.baseAddress)
      stream.avail_in = UInt32(source.count)
      stream.next_out = target.baseAddress
      stream.avail_out = UInt32(target.count)
      if inflate(&stream, Z_FINISH) == Z_STREAM_END { count = target.count - Int(stream.avail_out) }
    }
  }
}
