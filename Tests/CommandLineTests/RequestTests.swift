import Codec
import HTTP
import Testing

@testable import CommandLine

/// What the program asks agents for, and what it makes of refusals.
@Suite(.timeLimit(.minutes(10))) struct RequestTests {
  @Test func flagsAndEnvironmentNameTheAgentAndWhoAsks() async throws {
    let answers: [String: [FakeAgent.Answer]] = ["GET /v1/jobs": ["[]"]]
    let (_, flags) = try await FakeAgent.run(
      ["job", "status", "-namespace", "prod", "-region=eu", "--token", "secret"], answers,
      environment: ["NOMAD_NAMESPACE": "other", "NOMAD_REGION": "us", "NOMAD_TOKEN": "else"])
    #expect(flags.asked == ["GET /v1/jobs?region=eu&namespace=prod"])
    #expect(flags.requests.first?.headers["X-Nomad-Token"] == "secret")
    let (_, environment) = try await FakeAgent.run(
      ["job", "status"], answers,
      environment: ["NOMAD_NAMESPACE": "*", "NOMAD_REGION": "us", "NOMAD_TOKEN": "else", "NOMAD_HTTP_AUTH": "me:p:w"])
    #expect(environment.asked == ["GET /v1/jobs?region=us&namespace=%2A"])
    #expect(environment.requests.first?.headers["X-Nomad-Token"] == "else")
    #expect(environment.requests.first?.headers["Authorization"] == "Basic bWU6cDp3")
  }

  struct Case: Sendable, CustomTestStringConvertible {
    var arguments: [String]
    var request: String
    var body: JSONValue?
    var answer = "{}"
    var testDescription: String { arguments.joined(separator: " ") }
  }

  static let changes: [Case] = [
    Case(
      arguments: ["job", "stop", "-detach", "-purge", "hello"],
      request: "DELETE /v1/job/hello?purge=true&namespace=default"),
    Case(arguments: ["job", "revert", "-detach", "hello", "3"], request: "PUT /v1/job/hello/revert?namespace=default"),
    Case(
      arguments: ["job", "eval", "-detach", "-force-reschedule", "hello"],
      request: "PUT /v1/job/hello/evaluate?namespace=default",
      body: ["JobID": "hello", "EvalOptions": ["ForceReschedule": true]]),
    Case(
      arguments: ["alloc", "stop", "-detach", "ef92"],
      request: "PUT /v1/allocation/\(Canned.allocation)/stop?namespace=default", body: [:]),
    Case(
      arguments: ["alloc", "restart", "ef92", "server"],
      request: "PUT /v1/client/allocation/\(Canned.allocation)/restart?namespace=default", body: ["TaskName": "server"]),
    Case(
      arguments: ["alloc", "signal", "-s", "SIGHUP", "ef92"],
      request: "PUT /v1/client/allocation/\(Canned.allocation)/signal?namespace=default", body: ["Signal": "SIGHUP"]),
    Case(
      arguments: ["node", "eligibility", "-disable", "0959"], request: "PUT /v1/node/\(Canned.node)/eligibility",
      body: ["Eligibility": "ineligible"]),
    Case(
      arguments: ["deployment", "pause", "f7b6"],
      request: "PUT /v1/deployment/pause/\(Canned.deployment)?namespace=default",
      body: ["DeploymentID": .string(Canned.deployment), "Pause": true]),
    Case(
      arguments: ["deployment", "promote", "-detach", "-group", "a", "f7b6"],
      request: "PUT /v1/deployment/promote/\(Canned.deployment)?namespace=default",
      body: ["DeploymentID": .string(Canned.deployment), "All": false, "Groups": ["a"]]),
    Case(
      arguments: ["deployment", "fail", "-detach", "f7b6"],
      request: "PUT /v1/deployment/fail/\(Canned.deployment)?namespace=default"),
    Case(
      arguments: ["job", "revert", "-detach", "-check-version", "4", "hello", "golden"],
      request: "PUT /v1/job/hello/revert?namespace=default",
      body: ["JobID": "hello", "JobVersion": 0, "EnforcePriorVersion": 4, "TaggedVersion": "golden"]),
    Case(
      arguments: [
        "job", "dispatch", "-detach", "-meta", "a=1", "-meta", "b=x=y", "-idempotency-token", "t",
        "-id-prefix-template", "p", "-priority", "70", "hello",
      ], request: "PUT /v1/job/hello/dispatch?idempotency_token=t&namespace=default",
      body: [
        "JobID": "hello", "Payload": .null, "Meta": ["a": "1", "b": "x=y"], "IdPrefixTemplate": "p", "Priority": 70,
      ]),
    Case(
      arguments: ["job", "periodic", "force", "-detach", "hello"],
      request: "PUT /v1/job/hello/periodic/force?namespace=default"),
    Case(
      arguments: ["job", "scale", "-detach", "-message", "why", "hello", "example", "3"],
      request: "PUT /v1/job/hello/scale?namespace=default",
      body: [
        "Count": 3, "Target": ["Job": "hello", "Group": "example"], "Message": "why", "Error": false, "Meta": .null,
        "PolicyOverride": false,
      ]),
    Case(
      arguments: ["job", "tag", "apply", "-name", "golden", "-version", "3", "-description", "d", "hello"],
      request: "PUT /v1/job/hello/versions/golden/tag?namespace=default",
      body: ["Name": "golden", "Description": "d", "Version": 3]),
    Case(
      arguments: ["job", "tag", "unset", "-name", "golden", "hello"],
      request: "DELETE /v1/job/hello/versions/golden/tag?namespace=default"),
    Case(
      arguments: ["node", "drain", "-enable", "-detach", "-yes", "-force", "-ignore-system", "-m", "why", "0959"],
      request: "PUT /v1/node/\(Canned.node)/drain",
      body: [
        "NodeID": .string(Canned.node), "DrainSpec": ["Deadline": -1_000_000_000, "IgnoreSystemJobs": true],
        "MarkEligible": false, "Meta": ["message": "why"],
      ]),
    Case(
      arguments: ["node", "drain", "-disable", "0959"], request: "PUT /v1/node/\(Canned.node)/drain",
      body: ["NodeID": .string(Canned.node), "DrainSpec": .null, "MarkEligible": true, "Meta": .null]),
    Case(
      arguments: ["node", "drain", "-disable", "-keep-ineligible", "0959"],
      request: "PUT /v1/node/\(Canned.node)/drain",
      body: ["NodeID": .string(Canned.node), "DrainSpec": .null, "MarkEligible": false, "Meta": .null]),
    Case(
      arguments: ["node", "meta", "apply", "-node-id", "0959", "-unset", "old", "rack=r1"],
      request: "PUT /v1/client/metadata?node_id=\(Canned.node)", body: ["Meta": ["rack": "r1", "old": .null]]),
    Case(arguments: ["namespace", "delete", "a b"], request: "DELETE /v1/namespace/a%20b"),
    Case(arguments: ["node", "pool", "delete", "gpu"], request: "DELETE /v1/node/pool/gpu"),
    Case(arguments: ["system", "gc"], request: "PUT /v1/system/gc"),
  ]

  @Test(arguments: changes) func changesBecomeOneRequest(_ change: Case) async throws {
    let key = String(change.request.prefix { $0 != "?" })
    let (outcome, agent) = try await FakeAgent.run(
      change.arguments,
      [
        "GET /v1/jobs": [.init(Canned.jobs)], "GET /v1/allocations": [.init("[\(Canned.allocationStub)]")],
        "GET /v1/allocation/\(Canned.allocation)": [.init(Canned.wholeAllocation)],
        "GET /v1/nodes": [.init(#"[{"ID": "\#(Canned.node)", "Name": "client1"}]"#)],
        "GET /v1/node/\(Canned.node)": [.init(#"{"ID": "\#(Canned.node)", "Name": "client1"}"#)],
        "GET /v1/deployments": [.init("[\(Canned.deployment("running"))]")],
        "GET /v1/deployment/\(Canned.deployment)": [.init(Canned.deployment("running"))], key: [.init(change.answer)],
      ])
    #expect(outcome.status == 0 && outcome.errors == "")
    #expect(agent.asked.last == change.request)
    if let body = change.body { #expect(try agent.body(agent.requests.count - 1) == body) }
  }

  @Test func logsAndFilesStream() async throws {
    let base: [String: [FakeAgent.Answer]] = [
      "GET /v1/allocations": [.init("[\(Canned.allocationStub)]")],
      "GET /v1/allocation/\(Canned.allocation)": [.init(Canned.wholeAllocation)],
    ]
    let logs = "GET /v1/client/fs/logs/\(Canned.allocation)"
    let (outcome, agent) = try await FakeAgent.run(
      ["logs", "-stderr", "ef92c6bb"], base.merging([logs: ["one\ntwo\n"]]) { $1 })
    #expect(outcome.output == "one\ntwo\n" && outcome.status == 0)
    #expect(agent.asked.last == logs + "?follow=false&plain=true&task=server&type=stderr&namespace=default")
    let tail = try await FakeAgent.run(
      ["alloc", "logs", "-tail", "-n", "2", "ef92"], base.merging([logs: ["1\n2\n3\n"]]) { $1 })
    #expect(tail.outcome.output == "2\n3\n")
    let refused = try await FakeAgent.run(
      ["logs", "ef92"], base.merging([logs: [.init("task not started yet\n", status: .notFound)]]) { $1 }
    ).outcome
    #expect(refused.status == 1 && refused.output == "")
    #expect(refused.errors == "Unexpected response code: 404 (task not started yet)\n")
    let unknown = try await FakeAgent.run(["logs", "ef92", "other"], base).outcome
    #expect(unknown.errors == "Allocation \"ef92c6bb\" has no task \"other\": it has server\n")
  }

  @Test func theLastLinesAreFoundHoweverLongTheyAre() {
    let text =
      Array(String(repeating: "x", count: 900).utf8) + Array("\na\n".utf8)
      + Array(String(repeating: "y", count: 500).utf8)
    var asked: [Int] = []
    func last(_ count: Int) -> String {
      asked = []
      return String(
        decoding: lastLines(count: count) { offset in
          asked.append(offset)
          return Array(text.suffix(offset))
        }, as: UTF8.self)
    }
    #expect(last(1) == String(repeating: "y", count: 500) && asked == [160, 1280])
    #expect(last(2) == "a\n" + String(repeating: "y", count: 500) && asked == [320, 2560])
    #expect(last(9) == String(decoding: text, as: UTF8.self) && asked == [1440])
    #expect(last(0) == "" && asked == [])
  }

  @Test func refusalsSayWhatToDo() async throws {
    let forbidden = try await FakeAgent.run(
      ["job", "status"], ["GET /v1/jobs": [.init("Permission denied", status: .forbidden)]]
    ).outcome
    #expect(forbidden.status == 1)
    #expect(
      forbidden.errors
        == "Unexpected response code: 403 (Permission denied): the token may not do this: give another with -token or NOMAD_TOKEN\n"
    )
    let broken = try await FakeAgent.run(["job", "status"], ["GET /v1/jobs": ["{]"]]).outcome
    #expect(broken.status == 1 && broken.errors.hasPrefix("The agent's answer can't be understood: "))
    // Port 1 is privileged and unused: nothing that a test starts can listen there.
    let nobody = await runTool(["job", "status"], environment: ["NOMAD_ADDR": "http://127.0.0.1:1"])
    #expect(
      nobody.status == 1 && nobody.errors.contains("connection refused by 127.0.0.1:1")
        && nobody.errors.contains("-address"))
  }

  @Test func prefixesMeanOneThing() async throws {
    let two = #"[{"ID": "hello-1", "Namespace": "default"}, {"ID": "hello-2", "Namespace": "default"}]"#
    let jobs = try await FakeAgent.run(["job", "status", "hello"], ["GET /v1/jobs": [.init(two)]]).outcome
    #expect(jobs.status == 1 && jobs.errors.contains("multiple jobs") && jobs.errors.contains("hello-2"))
    let none = try await FakeAgent.run(["alloc", "status", "ab"], ["GET /v1/allocations": ["[]"]]).outcome
    #expect(none.errors == "No allocation(s) with prefix or id \"ab\" found\n")
    let short = try await FakeAgent.run(["alloc", "status", "a"]).outcome
    #expect(short.errors == "An identifier must have at least two characters\n")
    let word = try await FakeAgent.run(["alloc", "status", "xyz"]).outcome
    #expect(word.errors.contains("ids are hexadecimal"))
  }

  @Test func statusFindsWhatAnIdBelongsTo() async throws {
    let (outcome, agent) = try await FakeAgent.run(
      ["status", "0302"],
      [
        "PUT /v1/search": [.init(#"{"Matches": {"evals": ["\#(Canned.evaluation)"], "jobs": []}}"#)],
        "GET /v1/evaluations": [.init("[\(Canned.evaluation("complete"))]")],
        "GET /v1/evaluation/\(Canned.evaluation)": [.init(Canned.evaluation("complete"))],
        "GET /v1/evaluation/\(Canned.evaluation)/allocations": ["[]"],
      ])
    #expect(outcome.status == 0 && outcome.output.hasPrefix("ID                 = 0302ca06\n"))
    #expect(try agent.body(0)["Prefix"] == "0302")
  }

  @Test func schedulerConfigurationChangesOnlyWhatIsNamed() async throws {
    let path = "/v1/operator/scheduler/configuration"
    let (outcome, agent) = try await FakeAgent.run(
      ["operator", "scheduler", "set-config", "-scheduler-algorithm", "spread"],
      [
        "GET \(path)": [
          #"{"SchedulerConfig": {"SchedulerAlgorithm": "binpack", "MemoryOversubscriptionEnabled": true, "ModifyIndex": 12}, "Index": 14}"#
        ],
        "PUT \(path)": [#"{"Updated": true, "Index": 13}"#],
      ])
    #expect(outcome.status == 0 && agent.asked.last == "PUT \(path)?cas=12")
    #expect(
      try agent.body(1)["SchedulerAlgorithm"] == "spread" && agent.body(1)["MemoryOversubscriptionEnabled"] == true)
  }
}
