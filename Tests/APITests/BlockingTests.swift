import Codec
import HTTP
import Testing

@testable import API

@Suite(.timeLimit(.minutes(10))) struct BlockingTests {
  @Test func aQueryWaitsForTheNextChange() async throws {
    let api = try await TestAPI()
    try await api.register("first")
    let before = try await api.get("/v1/jobs")
    let index = try #require(before.headers["X-Nomad-Index"].flatMap { UInt64($0) })
    async let waiting = api.get("/v1/jobs?index=\(index)&wait=60s")
    try await api.register("second")
    let after = try await waiting
    #expect(try #require(after.headers["X-Nomad-Index"].flatMap { UInt64($0) }) > index)
    #expect(try after.members("ID") == ["first", "second"])
    try await api.remove()
  }

  @Test func aQueryEndsAfterItsWait() async throws {
    let api = try await TestAPI()
    try await api.register("first")
    let before = try await api.get("/v1/jobs")
    let index = try #require(before.headers["X-Nomad-Index"])
    let started = ContinuousClock.now
    let after = try await api.get("/v1/jobs?index=\(index)&wait=100ms")
    #expect(ContinuousClock.now - started >= .milliseconds(100))
    #expect(after.headers["X-Nomad-Index"] == index)
    #expect(try after.json == before.json)
    try await api.remove()
  }

  @Test func anOlderIndexIsAnsweredAtOnce() async throws {
    let api = try await TestAPI()
    try await api.register("first")
    let started = ContinuousClock.now
    _ = try await api.get("/v1/jobs?index=1&wait=60s")
    #expect(ContinuousClock.now - started < .seconds(30))
    try await api.remove()
  }

  @Test func aMissingObjectCanBeWaitedFor() async throws {
    let api = try await TestAPI()
    try await api.register("other")
    let index = try #require(try await api.get("/v1/jobs").headers["X-Nomad-Index"].flatMap { UInt64($0) })
    async let waiting = api.get("/v1/job/late?index=\(index)&wait=60s")
    try await api.register("late")
    #expect(try await waiting.status == 200)
    try await api.remove()
  }

  @Test func theHeadersSayWhichStateAnAnswerComesFrom() async throws {
    let api = try await TestAPI()
    let answer = try await api.get("/v1/namespaces")
    #expect(answer.headers["X-Nomad-Index"] != nil)
    #expect(answer.headers["X-Nomad-KnownLeader"] == "true")
    #expect(answer.headers["X-Nomad-LastContact"] == "0")
    try await api.remove()
  }
}
