import Codec
import Model
import State
import Testing

@testable import Server

/// The documented behaviour of `parameterized` blocks.
@Suite(.timeLimit(.minutes(10))) struct DispatchTests {
  private let key = JobKey("default", "encode")

  private func parameterized(
    payload: String = "optional", required: [String] = [], optional: [String] = []
  ) -> Job {
    makeJob("encode") { job in
      job.type = .batch
      job.meta = ["quality": "low", "fixed": "yes"]
      var config = ParameterizedJobConfig()
      config.payload = payload
      config.metaRequired = required
      config.metaOptional = optional
      job.parameterizedJob = config
    }
  }

  private func register(_ server: TestServer, _ job: Job) async throws {
    var request = JobRegisterRequest()
    request.job = job
    let response = try await server.server.register(request, namespace: "default")
    #expect(response.evalID.isNone, "a parameterized job is not evaluated")
  }

  private func dispatch(
    _ server: TestServer, _ payload: String? = nil, meta: [String: String] = [:], token: String = "",
    _ change: (inout JobDispatchRequest) -> Void = { _ in }
  ) async throws -> JobDispatchResponse {
    var request = JobDispatchRequest()
    request.payload = payload.map { Blob(Array($0.utf8)) }
    request.meta = meta
    change(&request)
    return try await server.server.dispatch(key, request, idempotencyToken: token)
  }

  @Test func aDispatchIsAJobWithPayloadAndMetadata() async throws {
    let server = try await TestServer()
    let node = try await FakeNode(server, "one")
    try await register(server, parameterized(required: ["input"], optional: ["quality"]))
    let response = try await dispatch(server, "hello", meta: ["input": "a.wav", "quality": "high"])
    try await server.settle()
    #expect(response.dispatchedJobID.hasPrefix("encode/dispatch-\(server.clock.now.nanoseconds / 1_000_000_000)-"))
    let child = try #require(server.reader.job(JobKey("default", response.dispatchedJobID)))
    #expect(child.spec.value.dispatched && child.spec.value.parentID == "encode")
    #expect(child.spec.value.payload?.bytes == Array("hello".utf8))
    #expect(child.spec.value.meta == ["input": "a.wav", "quality": "high", "fixed": "yes"])
    #expect(server.running(response.dispatchedJobID).count == 1)
    #expect(child.status == .running && server.reader.job(key)?.status == .running)
    #expect(server.reader.summary(ofJob: key)?.children?.running == 1)
    await node.close()
    try await server.remove()
  }

  @Test(
    arguments: [
      ("required", nil, [:], "required"), ("forbidden", "x", [:], "forbidden"),
      ("optional", nil, ["other": "1"], "other"), ("optional", nil, [:] as [String: String], "input"),
      ("optional", String(repeating: "x", count: 16_385), ["input": "1"], "16385 > 16384"),
    ] as [(String, String?, [String: String], String)])
  func whatTheJobDoesNotAllowIsRefused(rule: String, payload: String?, meta: [String: String], part: String)
    async throws
  {
    let server = try await TestServer()
    let needsInput = part == "input" || part.contains(">")
    try await register(server, parameterized(payload: rule, required: needsInput ? ["input"] : []))
    let error = await #expect(throws: ServerError.self) { try await dispatch(server, payload, meta: meta) }
    #expect(error?.kind == .invalid && error?.message.contains(part) == true, "\(error?.message ?? "")")
    #expect(server.reader.jobs(inNamespace: "default").count == 1, "nothing was launched")
    try await server.remove()
  }

  @Test func theLargestPayloadIsTaken() async throws {
    let server = try await TestServer()
    try await register(server, parameterized())
    _ = try await dispatch(server, String(repeating: "x", count: 16_384))
    try await server.remove()
  }

  @Test func aTokenLaunchesOnce() async throws {
    let server = try await TestServer()
    try await register(server, parameterized())
    let first = try await dispatch(server, token: "t-1")
    let again = try await dispatch(server, token: "t-1")
    #expect(again.dispatchedJobID == first.dispatchedJobID && again.evalID.isNone)
    #expect(again.jobCreateIndex == first.jobCreateIndex)
    let other = try await dispatch(server, token: "t-2")
    #expect(other.dispatchedJobID != first.dispatchedJobID)
    // Also when both are under way at the same time.
    async let one = dispatch(server, token: "t-3")
    async let two = dispatch(server, token: "t-3")
    let (left, right) = try await (one.dispatchedJobID, two.dispatchedJobID)
    #expect(left == right)
    try await server.remove()
  }

  @Test func prefixAndPriorityAreTheRequests() async throws {
    let server = try await TestServer()
    try await register(server, parameterized())
    let response = try await dispatch(server) {
      $0.idPrefixTemplate = "night"
      $0.priority = 80
    }
    #expect(response.dispatchedJobID.hasPrefix("encode/dispatch-night-"))
    #expect(server.reader.job(JobKey("default", response.dispatchedJobID))?.spec.value.priority == 80)
    #expect(server.reader.evaluation(response.evalID)?.value.priority == 80)
    try await server.remove()
  }

  @Test func aPlainOrStoppedJobIsNotDispatched() async throws {
    let server = try await TestServer()
    try await server.run(makeJob("encode"))
    let plain = await #expect(throws: ServerError.self) { try await dispatch(server) }
    #expect(plain?.message.contains("not a parameterized job") == true)
    _ = try await server.server.deregister(key, purge: true)
    try await register(server, parameterized())
    _ = try await server.server.deregister(key, purge: false)
    let stopped = await #expect(throws: ServerError.self) { try await dispatch(server) }
    #expect(stopped?.message.contains("stopped") == true)
    let gone = await #expect(throws: ServerError.self) {
      try await server.server.dispatch(JobKey("default", "none"), JobDispatchRequest(), idempotencyToken: "")
    }
    #expect(gone?.kind == .notFound)
    try await server.remove()
  }

  @Test func nobodyRegistersADispatchedJob() async throws {
    let server = try await TestServer()
    var job = parameterized()
    job.dispatched = true
    var request = JobRegisterRequest()
    request.job = job
    await #expect(throws: ServerError.self) { try await server.server.register(request, namespace: "default") }
    try await server.remove()
  }

  @Test func childrenOutliveARestartOfTheServer() async throws {
    let first = try await TestServer()
    try await register(first, parameterized())
    let response = try await dispatch(first, "kept", token: "t")
    await first.stop()
    let second = try await TestServer(at: first.path, clock: first.clock)
    let again = try await dispatch(second, "kept", token: "t")
    #expect(again.dispatchedJobID == response.dispatchedJobID)
    let child = try #require(second.reader.job(JobKey("default", response.dispatchedJobID)))
    #expect(child.spec.value.payload?.bytes == Array("kept".utf8))
    try await second.remove()
  }
}
