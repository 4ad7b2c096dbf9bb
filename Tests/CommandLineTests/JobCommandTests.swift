import Codec
import Glibc
import HTTP
import Testing

@testable import CommandLine

/// `job run`, `job plan`, `job validate`, and what they print and return.
@Suite(.timeLimit(.minutes(10))) struct JobCommandTests {
  /// A file that is removed at the end.
  private func withFile<T>(_ text: String, _ body: (String) async throws -> T) async throws -> T {
    var template = Array("/tmp/serai-cli-XXXXXX".utf8CString)
    let descriptor = mkstemp(&template)
    try #require(descriptor >= 0)
    let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    defer { unlink(path) }
    let bytes = Array(text.utf8)
    try #require(write(descriptor, bytes, bytes.count) == bytes.count)
    close(descriptor)
    return try await body(path)
  }

  private func answers(_ evaluations: [FakeAgent.Answer], deployment: [FakeAgent.Answer] = []) -> [String: [FakeAgent
    .Answer]]
  {
    [
      "PUT /v1/jobs": [.init(Canned.registered)], "GET /v1/evaluation/\(Canned.evaluation)": evaluations,
      "GET /v1/evaluation/\(Canned.evaluation)/allocations": [.init("[\(Canned.allocationStub)]")],
      "GET /v1/deployment/\(Canned.deployment)": deployment,
    ]
  }

  @Test func runFollowsTheEvaluationAndTheDeployment() async throws {
    let (outcome, agent) = try await withFile(Canned.jobspec) { path in
      try await FakeAgent.run(
        ["run", "-var", "message=good day", path],
        answers(
          [
            .init(Canned.evaluation("pending"), index: 5),
            .init(Canned.evaluation("complete", deployment: Canned.deployment), index: 9),
          ],
          deployment: [.init(Canned.deployment("running"), index: 3), .init(Canned.deployment("successful"), index: 4)])
      )
    }
    #expect(outcome.status == 0 && outcome.errors == "")
    #expect(
      outcome.output == """
        ==> Monitoring evaluation "0302ca06"
            Evaluation triggered by job "hello"
            Allocation "ef92c6bb" created: node "09592e86", group "example"
            Evaluation within deployment: "f7b6bd26"
            Evaluation status changed: "pending" -> "complete"
        ==> Evaluation "0302ca06" finished with status "complete"
        ==> Monitoring deployment "f7b6bd26"

            Deployed
            Task Group  Desired  Placed  Healthy  Unhealthy  Progress Deadline
            example     1        1       1        0          2026-07-23T12:32:22Z

        ==> Deployment "f7b6bd26" successful
            Deployment completed successfully

        """)
    #expect(agent.asked[1] == "GET /v1/evaluation/\(Canned.evaluation)")
    #expect(agent.asked[3] == "GET /v1/evaluation/\(Canned.evaluation)?index=5&wait=60s")
    #expect(agent.asked.last == "GET /v1/deployment/\(Canned.deployment)?index=3&wait=60s")
    let body = try agent.body(0)
    #expect(body["Job"]?["TaskGroups"]?.arrayValue?[0]["Tasks"]?.arrayValue?[0]["Config"]?["args"] == ["good day"])
    #expect(body["Submission"]?["Source"]?.stringValue == Canned.jobspec && body["Submission"]?["Format"] == "hcl2")
    #expect(body["Submission"]?["VariableFlags"]?["message"] == "good day")
  }

  @Test func theExitStatusTellsHowItEnded() async throws {
    let failed =
      #"{"example": {"NodesEvaluated": 2, "NodesExhausted": 2, "DimensionExhausted": {"memory": 2}, "CoalescedFailures": 1}}"#
    try await withFile(Canned.jobspec) { path in
      let unplaced = try await FakeAgent.run(
        ["job", "run", path], answers([.init(Canned.evaluation("complete", failed: failed))])
      ).outcome
      #expect(unplaced.status == 2)
      #expect(unplaced.output.contains("Task Group \"example\" (failed to place 2 allocation(s)):"))
      #expect(unplaced.output.contains("* Dimension \"memory\" exhausted on 2 nodes"))
      let broken = try await FakeAgent.run(["job", "run", path], answers([.init(Canned.evaluation("failed"))])).outcome
      #expect(broken.status == 1)
      let deployment = try await FakeAgent.run(
        ["job", "run", path],
        answers(
          [.init(Canned.evaluation("complete", deployment: Canned.deployment))],
          deployment: [.init(Canned.deployment("failed"))])
      ).outcome
      #expect(deployment.status == 1 && deployment.output.contains("Deployment \"f7b6bd26\" failed"))
      let detached = try await FakeAgent.run(["job", "run", "-detach", path], answers([])).outcome
      #expect(detached.status == 0)
      #expect(detached.output == "Job registration successful\nEvaluation ID: \(Canned.evaluation)\n")
      let refused = try await FakeAgent.run(
        ["job", "run", "-check-index", "3", path],
        ["PUT /v1/jobs": [.init("Enforcing job modify index 3", status: .conflict)]])
      #expect(refused.outcome.status == 1 && refused.outcome.errors.contains("Enforcing job modify index 3"))
      #expect(try refused.agent.body(0)["EnforceIndex"] == true && refused.agent.body(0)["JobModifyIndex"] == 3)
    }
  }

  @Test func mistakesInAJobspecAreShownAtTheirPlaces() async throws {
    let text = "job \"hello\" {\n  group \"g\" {\n    task \"t\" {\n      drivr = \"exec\"\n    }\n  }\n}\n"
    try await withFile(text) { path in
      for (command, status) in [(["job", "run"], 1), (["job", "plan"], 255), (["validate"], 1)] as [([String], Int32)] {
        let outcome = try await FakeAgent.run(command + [path]).outcome
        #expect(outcome.status == status && outcome.output == "")
        #expect(
          outcome.errors.contains("on \(path) line 4, column 7:\n  4 │       drivr = \"exec\"\n    │       ^^^^^"))
        #expect(outcome.errors.contains("Did you mean \"driver\"?"))
      }
    }
    let missing = await runTool(["job", "run", "/nonexistent.nomad.hcl"])
    #expect(
      missing.status == 1 && missing.errors.hasPrefix("Error reading /nonexistent.nomad.hcl: ")
        && missing.errors.contains("ENOENT"))
  }

  @Test func variablesComeFromFilesEnvironmentAndFunctions() async throws {
    let spec = """
      variable "a" {}
      variable "b" {}
      job "v" {
        group "g" {
          task "t" {
            driver = "exec"
            config { command = "${var.a}-${var.b}-${trimspace(file("/proc/self/comm"))}" }
          }
        }
      }
      """
    try await withFile("b = \"file\"\n") { variables in
      try await withFile(spec) { path in
        let outcome = await runTool(
          ["job", "run", "-output", "-var-file", variables, path], environment: ["NOMAD_VAR_a": "environment"])
        #expect(outcome.errors == "" && outcome.status == 0)
        let job = try JSON.decode(JSONValue.self, from: outcome.output)
        let config = job["Job"]?["TaskGroups"]?.arrayValue?[0]["Tasks"]?.arrayValue?[0]["Config"]
        #expect(config?["command"]?.stringValue?.hasPrefix("environment-file-") == true)
        let again = try await withFile(outcome.output) { await runTool(["job", "run", "-output", "-json", $0]) }
        #expect(try JSON.decode(JSONValue.self, from: again.output) == job)
        let bad = await runTool(["job", "run", "-output", "-var", "a", path])
        #expect(bad.errors.hasPrefix("-var takes name=value, not \"a\"\n") && bad.status == 1)
      }
    }
  }

  @Test func planShowsDifferencesAndItsExitStatus() async throws {
    let response = """
      {"JobModifyIndex": 7, "Annotations": {"DesiredTGUpdates": {"example": {"DestructiveUpdate": 1, "Ignore": 2}}},
       "Diff": {"Type": "Edited", "ID": "hello", "TaskGroups": [{"Type": "Edited", "Name": "example",
         "Fields": [{"Type": "Edited", "Name": "Count", "Old": "1", "New": "3", "Annotations": ["forces create"]}],
         "Tasks": [{"Type": "Edited", "Name": "server", "Annotations": ["forces create/destroy update"],
           "Objects": [{"Type": "Edited", "Name": "Config", "Fields": [
             {"Type": "Added", "Name": "args[0]", "Old": "", "New": "x"},
             {"Type": "None", "Name": "command", "Old": "a", "New": "a"}]}]}]}]}}
      """
    try await withFile(Canned.jobspec) { path in
      let (outcome, agent) = try await FakeAgent.run(["plan", path], ["PUT /v1/job/hello/plan": [.init(response)]])
      #expect(outcome.status == 1 && outcome.errors == "")
      #expect(
        outcome.output == """
          +/- Job: "hello"
          +/- Task Group: "example" (1 create/destroy update, 2 ignore)
            +/- Count: "1" => "3" (forces create)
            +/- Task: "server" (forces create/destroy update)
              +/- Config {
                + args[0]: "x"
                }

          Scheduler dry-run:
          - All tasks successfully allocated.

          Job Modify Index: 7
          To run exactly what is planned here, and nothing if the job changes before, use:

          serai job run -check-index 7 \(path)

          """)
      #expect(try agent.body(0)["Diff"] == true)
      let nothing = try await FakeAgent.run(
        ["job", "plan", "-diff=false", path],
        ["PUT /v1/job/hello/plan": [#"{"Annotations": {"DesiredTGUpdates": {"example": {"Ignore": 1}}}}"#]]
      ).outcome
      #expect(nothing.status == 0 && nothing.output.hasPrefix("Scheduler dry-run:"))
      // What is shown to be run reads the same job.
      let loose = try await FakeAgent.run(
        ["job", "plan", "-diff=false", "-hcl2-strict=false", "-var", "no=it's", path],
        ["PUT /v1/job/hello/plan": [#"{"JobModifyIndex": 7}"#]]
      ).outcome
      #expect(
        loose.output.contains("run -check-index 7 -hcl2-strict=false -var 'no=it'\\''s' \(path)"), "\(loose.output)")
      let broken = try await FakeAgent.run(["job", "plan", path], [:]).outcome
      #expect(broken.status == 255)
    }
  }

  @Test func validateAsksAnAgentAndDoesWithoutOne() async throws {
    try await withFile(Canned.jobspec) { path in
      let wrong = try await FakeAgent.run(
        ["job", "validate", path],
        ["PUT /v1/validate/job": [#"{"ValidationErrors": ["group example: no"], "Error": "e"}"#]]
      ).outcome
      #expect(wrong.status == 1 && wrong.errors == "Job validation errors:\n  * group example: no\n")
      let alone = await runTool(["job", "validate", path], environment: ["NOMAD_ADDR": "http://127.0.0.1:1"])
      #expect(alone.status == 0 && alone.output.contains("Job validation successful"))
      #expect(alone.errors.hasPrefix("No agent answers, so only the jobspec itself was checked: "))
    }
  }

  @Test func initWritesAJobThatIsValidAndOverwritesNothing() async throws {
    var template = Array("/tmp/serai-cli-XXXXXX".utf8CString)
    try #require(mkdtemp(&template) != nil)
    let folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    defer { rmdir(folder) }
    for flags in [["-short"], []] {
      let path = folder + "/example.nomad.hcl"
      let made = await runTool(["init"] + flags + [path])
      defer { unlink(path) }
      #expect(made.status == 0 && made.output == "Example job file written to \(path)\n")
      let valid = await runTool(["validate", path], environment: ["NOMAD_ADDR": "http://127.0.0.1:1"])
      #expect(valid.status == 0, "\(valid.errors)")
      let again = await runTool(["job", "init", path])
      #expect(again.status == 1 && again.errors.contains("already exists"))
    }
  }
}
