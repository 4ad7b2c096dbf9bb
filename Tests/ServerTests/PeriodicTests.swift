import Codec
import Model
import State
import Testing

@testable import Server

/// The documented behaviour of `periodic` blocks.
@Suite(.timeLimit(.minutes(10))) struct PeriodicTests {
  /// 2027-01-15T08:00:00Z, a Friday: where the fixture's clock is put before each test.
  private static let friday = Timestamp(nanoseconds: 1_800_000_000_000_000_000)

  private func periodic(_ crons: [String], _ change: (inout PeriodicConfig) -> Void = { _ in }) -> Job {
    makeJob("report") { job in
      job.type = .batch
      var config = PeriodicConfig()
      config.specs = crons
      change(&config)
      job.periodic = config
    }
  }

  private func serverAtFriday() async throws -> TestServer {
    let clock = TestClock()
    clock.advance(Self.friday - clock.now)
    return try await TestServer(clock: clock)
  }

  private func register(_ server: TestServer, _ job: Job) async throws -> JobRegisterResponse {
    var request = JobRegisterRequest()
    request.job = job
    let response = try await server.server.register(request, namespace: "default")
    try await server.settle()
    return response
  }

  private func children(_ server: TestServer) -> [String] {
    server.reader.jobs(inNamespace: "default", prefix: "report/").map(\.key.id).sorted()
  }

  @Test func aPeriodicJobHasNoEvaluationAndRunsUntilItIsStopped() async throws {
    let server = try await serverAtFriday()
    let response = try await register(server, periodic(["*/5 * * * *"]))
    #expect(response.evalID.isNone)
    #expect(server.reader.job(JobKey("default", "report"))?.status == .running)
    #expect(children(server).isEmpty)
    _ = try await server.server.deregister(JobKey("default", "report"), purge: false)
    #expect(server.reader.job(JobKey("default", "report"))?.status == .dead)
    try await server.pass(.minutes(30))
    #expect(children(server).isEmpty, "a stopped job is launched no more")
    try await server.remove()
  }

  @Test func everyLaunchIsAJobNamedAfterItsTime() async throws {
    let server = try await serverAtFriday()
    let node = try await FakeNode(server, "one")
    _ = try await register(server, periodic(["*/5 * * * *"]))
    try await server.pass(.seconds(299))
    #expect(children(server).isEmpty)
    try await server.pass(.seconds(1))
    #expect(children(server) == ["report/periodic-1800000300"])
    try await server.pass(.minutes(5))
    #expect(children(server) == ["report/periodic-1800000300", "report/periodic-1800000600"])
    let child = try #require(server.reader.job(JobKey("default", "report/periodic-1800000300")))
    #expect(child.spec.value.parentID == "report" && child.spec.value.periodic == nil)
    #expect(child.spec.value.name == "report/periodic-1800000300")
    let evaluation = try #require(server.evaluations("report/periodic-1800000300").first)
    #expect(evaluation.triggeredBy == .periodicJob && evaluation.type == "batch")
    // The node was silent meanwhile; with its heartbeat the waiting evaluations go on.
    try await node.beat()
    try await server.settle()
    #expect(server.running("report/periodic-1800000300").count == 1)
    let summary = try #require(server.reader.summary(ofJob: JobKey("default", "report"))?.children)
    #expect(summary.running == 2)
    await node.close()
    try await server.remove()
  }

  @Test func aLaunchWaitsForTheOneBeforeWhereOverlapIsProhibited() async throws {
    let server = try await serverAtFriday()
    let node = try await FakeNode(server, "one")
    _ = try await register(server, periodic(["*/5 * * * *"]) { $0.prohibitOverlap = true })
    try await server.pass(.minutes(5))
    try await node.beat()
    #expect(children(server).count == 1)
    for _ in 0..<30 {
      try await server.pass(.seconds(10))
      try await node.beat()
    }
    #expect(children(server).count == 1, "the first one still runs")
    try await node.report(server.running(children(server)[0]).map(\.id), .complete, on: server)
    for _ in 0..<30 {
      try await server.pass(.seconds(10))
      try await node.beat()
    }
    #expect(children(server) == ["report/periodic-1800000300", "report/periodic-1800000900"])
    await node.close()
    try await server.remove()
  }

  @Test func timesAreThoseOfTheZone() async throws {
    let server = try await serverAtFriday()
    // 08:00 in UTC is 03:00 in New York.
    _ = try await register(server, periodic(["30 3 * * *"]) { $0.timeZone = "America/New_York" })
    try await server.pass(.minutes(30))
    #expect(children(server) == ["report/periodic-1800001800"])
    try await server.remove()
  }

  @Test func timesThatPassedTogetherAreOneLaunch() async throws {
    let server = try await serverAtFriday()
    _ = try await register(server, periodic(["0 * * * * * *", "30 0-1 8 * * * *"]))
    try await server.pass(.seconds(95))
    #expect(children(server).count == 1)
    try await server.remove()
  }

  @Test func aDisabledJobIsNotLaunched() async throws {
    let server = try await serverAtFriday()
    _ = try await register(server, periodic(["* * * * *"]) { $0.enabled = false })
    try await server.pass(.minutes(10))
    #expect(children(server).isEmpty)
    try await server.remove()
  }

  @Test func whatWasMissedWithoutALeaderIsMadeUpForOnce() async throws {
    let clock = TestClock()
    clock.advance(Self.friday - clock.now)
    let first = try await TestServer(clock: clock)
    _ = try await register(first, periodic(["*/5 * * * *"]))
    try await first.pass(.minutes(5))
    #expect(children(first) == ["report/periodic-1800000300"])
    await first.stop()
    clock.advance(.minutes(61))
    let second = try await TestServer(at: first.path, clock: clock)
    try await second.settle()
    #expect(children(second) == ["report/periodic-1800000300", "report/periodic-1800003960"])
    try await second.pass(.minutes(4))
    #expect(children(second).last == "report/periodic-1800004200")
    try await second.remove()
  }

  @Test func forceLaunchesAtOnce() async throws {
    let server = try await serverAtFriday()
    _ = try await register(server, periodic(["0 0 1 1 *"]))
    let forced = try await server.server.forcePeriodic(JobKey("default", "report"))
    #expect(!forced.evalID.isNone)
    #expect(children(server) == ["report/periodic-1800000000"])
    let second = await #expect(throws: ServerError.self) {
      try await server.server.forcePeriodic(JobKey("default", "report"))
    }
    #expect(second?.kind == .conflict, "one launch for one second")
    try await server.run(makeJob("plain"))
    let plain = await #expect(throws: ServerError.self) {
      try await server.server.forcePeriodic(JobKey("default", "plain"))
    }
    #expect(plain?.kind == .invalid)
    try await server.remove()
  }

  @Test func badExpressionsAndZonesAreRefused() async throws {
    let server = try await serverAtFriday()
    for (job, part) in [
      (periodic(["61 * * * *"]), "no minute"), (periodic(["* * * * *"]) { $0.timeZone = "Moon/Sea" }, "Moon/Sea"),
      (periodic(["* * * * *"]) { $0.timeZone = "../etc/passwd" }, "no time zone"),
    ] {
      var request = JobRegisterRequest()
      request.job = job
      let error = await #expect(throws: ServerError.self) {
        try await server.server.register(request, namespace: "default")
      }
      #expect(error?.kind == .invalid && error?.message.contains(part) == true, "\(error?.message ?? "")")
    }
    try await server.remove()
  }
}
