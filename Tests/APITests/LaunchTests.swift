import Codec
import HTTP
import Model
import Server
import Testing

@testable import API

/// Periodic and parameterized jobs, scaling, drains and sources, as clients of the API see them.
@Suite(.timeLimit(.minutes(10))) struct LaunchTests {
  private func job(_ id: String, _ more: String) -> String {
    """
    {"Job": {"ID": "\(id)", "Type": "batch", \(more), "TaskGroups": [{"Name": "g", "Tasks": [
      {"Name": "main", "Driver": "exec", "Config": {"command": "/bin/true"}}]}]}}
    """
  }

  @Test func aParameterizedJobIsDispatched() async throws {
    let api = try await TestAPI()
    let body = job("import", #""ParameterizedJob": {"Payload": "required", "MetaRequired": ["who"]}"#)
    #expect(try await api.ask(.put, "/v1/jobs", body).json["EvalID"] == "")
    let answer = try await api.ask(
      .put, "/v1/job/import/dispatch?idempotency_token=t", #"{"Payload": "aGVsbG8=", "Meta": {"who": "me"}}"#)
    #expect(answer.status == 200, "\(answer.text)")
    let child = try #require(try answer.json["DispatchedJobID"]?.stringValue)
    #expect(child.hasPrefix("import/dispatch-"))
    #expect(try answer.json["EvalID"]?.stringValue?.count == 36)
    #expect(answer.headers["X-Nomad-Index"] != nil)
    let found = try await api.get("/v1/job/\(percentEncoded(child))").json
    #expect(found["Payload"] == "aGVsbG8=" && found["Meta"]?["who"] == "me" && found["ParentID"] == "import")
    #expect(try await api.get("/v1/job/import/summary").json["Children"]?["Pending"] == 1)
    let again = try await api.ask(
      .put, "/v1/job/import/dispatch?idempotency_token=t", #"{"Payload": "aGVsbG8=", "Meta": {"who": "me"}}"#)
    #expect(try again.json["DispatchedJobID"]?.stringValue == child)
    let refused = try await api.ask(.put, "/v1/job/import/dispatch", "{}")
    #expect(refused.status == 400 && refused.text.contains("required"))
    #expect(try await api.ask(.put, "/v1/job/none/dispatch", "{}").status == 404)
    try await api.remove()
  }

  @Test func aPeriodicJobIsForced() async throws {
    let api = try await TestAPI()
    let body = job("tick", #""Periodic": {"Spec": "@yearly", "TimeZone": "Europe/Berlin"}"#)
    #expect(try await api.ask(.put, "/v1/jobs", body).status == 200)
    let answer = try await api.ask(.put, "/v1/job/tick/periodic/force")
    #expect(answer.status == 200, "\(answer.text)")
    let evaluation = try #require(try answer.json["EvalID"]?.stringValue)
    #expect(try await api.get("/v1/evaluation/\(evaluation)").json["TriggeredBy"] == "periodic-job")
    let jobs = try await api.get("/v1/jobs")
    #expect(try jobs.json.arrayValue?.map { $0["Periodic"]?.boolValue } == [true, false])
    let bad = try await api.ask(.put, "/v1/jobs", job("bad", #""Periodic": {"Spec": "0 0 * *"}"#))
    #expect(bad.status == 400 && bad.text.contains("cron"), "\(bad.text)")
    try await api.remove()
  }

  @Test func aGroupIsScaledAndItsPolicyIsListed() async throws {
    let api = try await TestAPI()
    let body = """
      {"Job": {"ID": "web", "Type": "service", "Update": {"MaxParallel": 0}, "TaskGroups": [{"Name": "g", "Count": 1,
        "Scaling": {"Min": 1, "Max": 3, "Policy": {"cooldown": "20s"}},
        "Tasks": [{"Name": "main", "Driver": "exec", "Config": {"command": "/bin/true"}}]}]}}
      """
    #expect(try await api.ask(.put, "/v1/jobs", body).status == 200)
    let policies = try await api.get("/v1/scaling/policies?job=web&type=horizontal").json
    let id = try #require(policies.arrayValue?.first?["ID"]?.stringValue)
    #expect(policies.arrayValue?.first?["Target"]?["Group"] == "g")
    #expect(try await api.get("/v1/scaling/policies?job=other").json.arrayValue?.isEmpty == true)
    let policy = try await api.get("/v1/scaling/policy/\(id)").json
    #expect(policy["Max"] == 3 && policy["Policy"]?["cooldown"] == "20s")
    #expect(try await api.get("/v1/scaling/policy/none").status == 404)
    let scaled = try await api.ask(
      .put, "/v1/job/web/scale", #"{"Count": 2, "Target": {"Group": "g"}, "Message": "load", "Meta": {"cpu": 97}}"#)
    #expect(scaled.status == 200, "\(scaled.text)")
    let status = try await api.get("/v1/job/web/scale").json["TaskGroups"]?["g"]
    #expect(status?["Desired"] == 2)
    let event = status?["Events"]?.arrayValue?.first
    #expect(event?["Count"] == 2 && event?["PreviousCount"] == 1 && event?["Meta"]?["cpu"] == 97)
    let above = try await api.ask(.put, "/v1/job/web/scale", #"{"Count": 4, "Target": {"Group": "g"}}"#)
    #expect(above.status == 400 && above.text.contains("maximum"))
    try await api.remove()
  }

  @Test func theTextOfAJobIsKeptWithItsVersion() async throws {
    let api = try await TestAPI()
    for (number, source) in ["job \"a\" { # one }", "job \"a\" { # two }"].enumerated() {
      let body = """
        {"Job": {"ID": "a", "Priority": \(50 + number), "TaskGroups": [{"Name": "g", "Tasks": [
          {"Name": "main", "Driver": "exec", "Config": {"command": "/bin/true"}}]}]},
         "Submission": {"Source": \(JSON.text(source)), "Format": "hcl2", "VariableFlags": {"x": "1"}}}
        """
      #expect(try await api.ask(.put, "/v1/jobs", body).status == 200)
    }
    let newest = try await api.get("/v1/job/a/submission").json
    #expect(newest["Source"] == "job \"a\" { # two }" && newest["Version"] == 1 && newest["JobID"] == "a")
    #expect(newest["Namespace"] == "default" && newest["Format"] == "hcl2" && newest["VariableFlags"]?["x"] == "1")
    #expect(try await api.get("/v1/job/a/submission?version=0").json["Source"] == "job \"a\" { # one }")
    #expect(try await api.get("/v1/job/a/submission?version=9").status == 404)
    #expect(try await api.ask(.put, "/v1/job/a/revert", #"{"JobID": "a", "JobVersion": 0}"#).status == 200)
    #expect(try await api.get("/v1/job/a/submission").json["Source"] == "job \"a\" { # one }", "reverted with its text")
    try await api.remove()
  }

  @Test func filtersSelectFromLists() async throws {
    let api = try await TestAPI()
    for id in ["web-1", "web-2", "db"] { try await api.register(id) }
    func ids(_ filter: String, _ path: String = "/v1/jobs") async throws -> [String] {
      try await api.get("\(path)?filter=\(percentEncoded(filter))").members("ID")
    }
    #expect(try await ids("ID matches \"^web\"") == ["web-1", "web-2"])
    #expect(try await ids("Type == service and ID != db") == ["web-1", "web-2"])
    #expect(try await ids("dc1 in Datacenters and Priority == 50 and not (ID contains web)") == ["db"])
    #expect(try await ids("any TaskGroups as g { g.Name == g }").count == 3)
    let evaluations = try await api.get("/v1/evaluations?filter=\(percentEncoded("JobID == db"))")
    #expect(try Set(evaluations.members("JobID")) == ["db"])
    let page = try await api.get("/v1/jobs?per_page=1&filter=\(percentEncoded("ID matches \"^web\""))")
    #expect(try page.members("ID") == ["web-1"] && page.headers["X-Nomad-NextToken"] == "default.web-2")
    for bad in ["ID ==", "Nothing == 1", "Priority == x"] {
      let answer = try await api.get("/v1/jobs?filter=\(percentEncoded(bad))")
      #expect(answer.status == 400 && answer.text.contains("filter"), "\(bad): \(answer.text)")
    }
    #expect(try await api.get("/v1/regions?filter=x").status == 400, "where there is nothing to filter")
    try await api.remove()
  }

  @Test func theEventStreamTellsWhatChanges() async throws {
    let api = try await TestAPI()
    try await api.register("before")
    let request = HTTPRequest(
      method: .get, target: try HTTPTarget(parsing: "/v1/event/stream?topic=Job:*&topic=Evaluation:after"),
      headers: [:], body: [])
    let response = await api.api.respond(to: request)
    guard case .stream(let produce) = response.body else {
      Issue.record("\(response)")
      return
    }
    let (lines, sink) = AsyncStream.makeStream(of: [UInt8].self)
    let streaming = Task {
      try await produce(HTTPBodyWriter(forwardingTo: { sink.yield($0) }))
      sink.finish()
    }
    try await api.register("after")
    var seen: [String] = []
    for await line in lines {
      #expect(line.last == 0x0A, "one document a line")
      let message = try JSON.decode(JSONValue.self, from: line)
      for event in message["Events"]?.arrayValue ?? [] {
        #expect(event["Index"] == message["Index"])
        let kind = event["Topic"]?.stringValue ?? ""
        let key = event["Payload"]?["Job"]?["ID"] ?? event["Payload"]?["Evaluation"]?["JobID"]
        seen.append("\(kind) \(event["Type"]?.stringValue ?? "") \(key?.stringValue ?? "")")
      }
      if seen.contains(where: { $0.hasPrefix("Evaluation PlanResult after") }) { break }
    }
    streaming.cancel()
    _ = try? await streaming.value
    #expect(seen.first == "Job JobRegistered before", "what is kept comes first")
    #expect(
      seen.contains("Evaluation JobRegistered after")
        && !seen.contains { $0.contains("Evaluation") && $0.hasSuffix("before") })
    #expect(try await api.get("/v1/event/stream?topic=Nonsense").status == 400)
    try await api.remove()
  }
}

@Suite(.timeLimit(.minutes(10))) struct EvaluationDeletionTests {
  @Test func evaluationsAreDeletedOnlyWhileTheSchedulerIsPaused() async throws {
    let api = try await TestAPI()
    try await api.register("web")
    let body = #"{"Filter": "JobID == web"}"#
    let refused = try await api.ask(.delete, "/v1/evaluations", body)
    #expect(refused.status == 400 && refused.text.contains("paused"))
    #expect(
      try await api.ask(.put, "/v1/operator/scheduler/configuration", #"{"PauseEvalBroker": true}"#).status == 200)
    let count = try await api.get("/v1/evaluations").members("ID").count
    #expect(count > 0)
    let answer = try await api.ask(.delete, "/v1/evaluations", body)
    #expect(try answer.json["Count"]?.intValue == Int64(count), "\(answer.text)")
    #expect(try await api.get("/v1/evaluations").members("ID").isEmpty)
    #expect(try await api.ask(.delete, "/v1/evaluations", "{}").status == 400)
    try await api.remove()
  }
}
