import Codec
import Model
import Testing

@testable import State

@Suite struct JobLaunchTests {
  private func state(_ change: (inout Job) -> Void) throws -> State {
    var state = State()
    var payload = JobRegistration()
    payload.job = makeJob("parent", type: .batch)
    change(&payload.job)
    _ = try state.apply(.jobRegistration(payload), index: 10, time: Timestamp(nanoseconds: 1000)).get()
    return state
  }

  private func launch(_ child: String, at time: Int64 = 0, _ change: (inout ChildJobLaunch) -> Void = { _ in })
    -> LogEntry
  {
    var payload = ChildJobLaunch()
    payload.namespace = "default"
    payload.parentID = "parent"
    payload.childID = child
    payload.launchTime = Timestamp(nanoseconds: time)
    change(&payload)
    return .childJobLaunch(payload)
  }

  @Test func aPeriodicChildIsItsParentWithoutTheTimes() throws {
    var state = try state { $0.periodic = PeriodicConfig() }
    let key = JobKey("default", "parent")
    #expect(state.reader.job(key)?.status == .running, "a periodic job runs until it is stopped")
    _ = try state.apply(launch("parent/periodic-5", at: 5_000_000_000), index: 11, time: Timestamp(nanoseconds: 2000))
      .get()
    let child = try #require(state.reader.job(JobKey("default", "parent/periodic-5")))
    var expected = try #require(state.reader.job(key)?.spec.value)
    expected.id = "parent/periodic-5"
    expected.name = "parent/periodic-5"
    expected.parentID = "parent"
    expected.periodic = nil
    #expect(State.withoutServersFields(child.spec.value) == State.withoutServersFields(expected))
    #expect(child.spec.value.version == 0 && child.spec.value.createIndex == 11)
    #expect(state.reader.job(key)?.lastLaunch == Timestamp(nanoseconds: 5_000_000_000))
    #expect(state.reader.job(key)?.spec.value.version == 0, "a launch is no new version of the parent")
    #expect(state.reader.summary(ofJob: key)?.children?.pending == 1)
  }

  @Test func refusalsChangeNothing() throws {
    var state = try state { $0.parameterizedJob = ParameterizedJobConfig() }
    _ = try state.apply(launch("parent/dispatch-1"), index: 11, time: Timestamp(nanoseconds: 1)).get()
    let before = state.digest
    let refused: [(LogEntry, StateError)] = [
      (launch("parent/dispatch-1"), .jobExists(JobKey("default", "parent/dispatch-1"))),
      (launch("x") { $0.parentID = "none" }, .noSuchJob(JobKey("default", "none"))),
      (
        launch("x") { $0.parentID = "parent/dispatch-1" },
        .notLaunchable(JobKey("default", "parent/dispatch-1"), "it is neither periodic nor parameterized")
      ),
    ]
    for (entry, error) in refused {
      guard case .failure(let found) = state.apply(entry, index: 12, time: Timestamp(nanoseconds: 2)) else {
        Issue.record("\(entry) was not refused")
        continue
      }
      #expect(found == error)
      #expect(state.digest == before)
    }
  }

  @Test func launchesScalingsAndSourcesAreInSnapshotsAndEntries() throws {
    var state = try state { $0.periodic = PeriodicConfig() }
    var registration = JobRegistration()
    registration.job = makeJob("web")
    registration.submission = JobSubmission()
    registration.submission?.source = "job \"web\" {}"
    var scaling = JobScaling()
    scaling.namespace = "default"
    scaling.jobID = "web"
    scaling.group = "web"
    scaling.event.count = 7
    scaling.event.meta = ["why": "load"]
    let entries: [LogEntry] = [
      launch("parent/periodic-1", at: 1_000_000_000), .jobRegistration(registration), .jobScaling(scaling),
    ]
    for (number, entry) in entries.enumerated() {
      let bytes = entry.encoded(at: Timestamp(nanoseconds: 9))
      let (decoded, _) = try LogEntry.decode(kind: entry.kind, bytes: bytes)
      #expect(decoded == entry)
      _ = try state.apply(decoded, index: UInt64(20 + number), time: Timestamp(nanoseconds: 9)).get()
    }
    var encoder = StateEncoder(state.reader)
    var decoder = StateDecoder()
    while let piece = encoder.next() { try decoder.add(piece) }
    let restored = try decoder.finish()
    #expect(restored.digest == state.digest)
    let web = try #require(restored.reader.job(JobKey("default", "web")))
    #expect(web.versions.map { $0.submission?.value.source } == ["job \"web\" {}", "job \"web\" {}"])
    #expect(web.scalingEvents["web"]?.first?.count == 7 && web.spec.value.taskGroups[0].count == 7)
    #expect(restored.reader.job(JobKey("default", "parent"))?.lastLaunch == Timestamp(nanoseconds: 1_000_000_000))
  }
}
