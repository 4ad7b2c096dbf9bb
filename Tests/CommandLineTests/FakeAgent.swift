import Codec
import Glibc
import HTTP
import Synchronization
import Testing

@testable import CommandLine

/// An agent with canned answers that remembers what it was asked.
final class FakeAgent: Sendable {
  /// What one run of the program did.
  struct Outcome: Sendable {
    var status: Int32
    var output: String
    var errors: String
  }

  struct Answer: Sendable, ExpressibleByStringLiteral {
    var status: HTTPStatus = .ok
    var index = 7
    var text: String

    init(_ text: String, status: HTTPStatus = .ok, index: Int = 7) {
      self.text = text
      self.status = status
      self.index = index
    }
    init(stringLiteral value: String) { self.init(value) }
  }

  private struct State {
    var answers: [String: [Answer]]
    var requests: [HTTPRequest] = []
  }

  private let state: Mutex<State>

  /// - Parameter answers: by "GET /v1/…" without the query, one after the other; the last one stays.
  private init(_ answers: [String: [Answer]]) {
    state = Mutex(State(answers: answers))
  }

  var requests: [HTTPRequest] { state.withLock { $0.requests } }

  /// "GET /v1/jobs?prefix=a" of every request, in order.
  var asked: [String] {
    requests.map { request in
      "\(request.method) \(request.target.rawPath)" + (request.query.items.isEmpty ? "" : "?" + request.query.encoded)
    }
  }

  /// The body of the request at a place in the order in which they came.
  func body(_ place: Int) throws -> JSONValue {
    let request = try #require(requests.dropFirst(place).first, "the agent was not asked that often")
    return try JSON.decode(JSONValue.self, from: request.body)
  }

  private func answer(_ request: HTTPRequest) -> HTTPResponse {
    let key = "\(request.method) \(request.target.rawPath)"
    let answer = state.withLock { state -> Answer in
      state.requests.append(request)
      guard let next = state.answers[key]?.first else { return Answer("no answer for \(key)", status: .notFound) }
      if state.answers[key, default: []].count > 1 { state.answers[key]?.removeFirst() }
      return next
    }
    return HTTPResponse(
      status: answer.status, headers: ["X-Nomad-Index": "\(answer.index)"], bytes: Array(answer.text.utf8))
  }

  /// Starts an agent, runs the program against it on a thread of its own, and stops the agent.
  static func run(
    _ arguments: [String], _ answers: [String: [Answer]] = [:], environment: [String: String] = [:]
  ) async throws -> (outcome: Outcome, agent: FakeAgent) {
    let agent = FakeAgent(answers)
    let server = try HTTPServer(configuration: HTTPServerConfiguration(addresses: [.tcp(host: "127.0.0.1", port: 0)])) {
      agent.answer($0)
    }
    try server.start()
    let address = try #require(server.addresses.first)
    var environment = environment
    environment["NOMAD_ADDR"] = "http://\(address)"
    let outcome = await runTool(arguments, environment: environment)
    await server.stop(drain: .zero)
    return (outcome, agent)
  }
}

/// The moment at which the tests' programs run: 2026-07-23T12:35:25Z.
let testNow: Int64 = 1_784_810_125_000_000_000

/// Runs the program on a thread of its own: it blocks.
func runTool(_ arguments: [String], environment: [String: String] = [:]) async -> FakeAgent.Outcome {
  _ = coordinatedUniversalTime
  return await withCheckedContinuation { continuation in
    let thread = Thread {
      let captured = CapturedOutput()
      let status = Tool(
        commands: CommandRegistry.commands, environment: environment, clock: { testNow },
        sink: { bytes, descriptor in captured.append(bytes, descriptor) }
      ).run(arguments)
      continuation.resume(
        returning: FakeAgent.Outcome(
          status: status, output: captured.text(STDOUT_FILENO), errors: captured.text(STDERR_FILENO)))
    }
    thread.start()
  }
}

/// Times are shown in the local zone.
private let coordinatedUniversalTime: Void = {
  setenv("TZ", "UTC", 1)
  tzset()
}()

private final class CapturedOutput: Sendable {
  private let bytes = Mutex<[Int32: [UInt8]]>([:])

  func append(_ more: UnsafeRawBufferPointer, _ descriptor: Int32) {
    let copy = Array(more)
    bytes.withLock { $0[descriptor, default: []] += copy }
  }
  func text(_ descriptor: Int32) -> String { String(decoding: bytes.withLock { $0[descriptor] ?? [] }, as: UTF8.self) }
}

/// A detached thread.
private final class Thread: Sendable {
  private let work: @Sendable () -> Void

  init(_ work: @escaping @Sendable () -> Void) { self.work = work }

  func start() {
    var thread = pthread_t()
    let context = Unmanaged.passRetained(self).toOpaque()
    let failed = pthread_create(
      &thread, nil,
      { context in
        guard let context else { return nil }
        Unmanaged<Thread>.fromOpaque(context).takeRetainedValue().work()
        return nil
      }, context)
    if failed == 0 { pthread_detach(thread) } else { Unmanaged<Thread>.fromOpaque(context).takeRetainedValue().work() }
  }
}
