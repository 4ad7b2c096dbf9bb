import Codec
import HTTP
import Model
import Testing

@testable import API

/// Every kind of bad request has the documented status and a text that says what is wrong.
@Suite(.timeLimit(.minutes(10))) struct ErrorTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let method: HTTPMethod
    let target: String
    var body = ""
    let status: Int
    let says: String
    var testDescription: String { "\(method.rawValue) \(target) → \(status)" }
  }

  static let id = "11111111-2222-3333-4444-555555555555"
  static let cases: [Case] = [
    Case(method: .get, target: "/v1/nothing", status: 404, says: "/v1/nothing"),
    Case(method: .get, target: "/", status: 404, says: "Invalid URL"),
    Case(method: .delete, target: "/v1/jobs", status: 405, says: "Invalid method"),
    Case(method: .get, target: "/v1/job/none", status: 404, says: "job not found"),
    Case(method: .get, target: "/v1/allocation/\(id)", status: 404, says: "alloc not found"),
    Case(method: .get, target: "/v1/allocation/xyz", status: 404, says: "alloc not found"),
    Case(method: .get, target: "/v1/evaluation/\(id)", status: 404, says: "eval not found"),
    Case(method: .get, target: "/v1/deployment/\(id)", status: 404, says: "deployment not found"),
    Case(method: .get, target: "/v1/node/\(id)", status: 404, says: "node not found"),
    Case(method: .get, target: "/v1/namespace/none", status: 404, says: "not found"),
    Case(method: .get, target: "/v1/node/pool/none", status: 404, says: "not found"),
    Case(method: .put, target: "/v1/jobs", status: 400, says: "no body"),
    Case(method: .put, target: "/v1/jobs", body: "{", status: 400, says: "body"),
    Case(method: .put, target: "/v1/jobs", body: "{}", status: 400, says: "Job must be specified"),
    Case(method: .put, target: "/v1/jobs", body: "{\"Job\": {\"ID\": 7}}", status: 400, says: "ID"),
    Case(method: .put, target: "/v1/job/other", body: job("web"), status: 400, says: "Job ID does not match"),
    Case(method: .put, target: "/v1/validate/job", body: "{}", status: 400, says: "Job must be specified"),
    Case(method: .put, target: "/v1/jobs/parse", body: "{\"JobHCL\": \"job {\"}", status: 400, says: "input.hcl"),
    Case(method: .get, target: "/v1/jobs?index=x", status: 400, says: "index"),
    Case(method: .get, target: "/v1/jobs?index=1&wait=long", status: 400, says: "wait"),
    Case(method: .get, target: "/v1/jobs?per_page=x", status: 400, says: "per_page"),
    Case(method: .get, target: "/v1/jobs?meta=maybe", status: 400, says: "meta"),
    Case(method: .get, target: "/v1/jobs?filter=x", status: 400, says: "filter"),
    Case(method: .get, target: "/v1/jobs?region=mars", status: 500, says: "No path to region"),
    Case(method: .get, target: "/v1/nodes?prefix=xyz", status: 400, says: "hexadecimal"),
    Case(method: .put, target: "/v1/namespaces", body: "{\"Name\": \"a b\"}", status: 400, says: "a b"),
    Case(method: .delete, target: "/v1/namespace/default", status: 400, says: "default"),
    Case(
      method: .put, target: "/v1/search", body: "{\"Prefix\": \"a\", \"Context\": \"fish\"}", status: 400, says: "fish"),
    Case(method: .put, target: "/v1/search/fuzzy", body: "{\"Text\": \"a\"}", status: 400, says: "at least 2"),
    Case(
      method: .put, target: "/v1/node/\(id)/eligibility", body: "{\"Eligibility\": \"perhaps\"}", status: 400,
      says: "perhaps"),
    Case(method: .get, target: "/v1/client/stats", status: 404, says: "no client"),
    Case(method: .get, target: "/v1/client/fs/ls/\(id)", status: 404, says: "allocation"),
    Case(method: .put, target: "/v1/deployment/fail/\(id)", status: 404, says: "deployment not found"),
  ]

  @Test(arguments: cases) func isRefused(_ bad: Case) async throws {
    let api = try await TestAPI()
    let answer = try await api.ask(bad.method, bad.target, bad.body)
    #expect(answer.status == bad.status)
    #expect(answer.text.contains(bad.says), "\(answer.text)")
    if bad.status == 405 { #expect(answer.headers["Allow"] == "GET, PUT, POST") }
    try await api.remove()
  }

  @Test func stoppingAJobThatIsNotThereSucceeds() async throws {
    let api = try await TestAPI()
    let answer = try await api.ask(.delete, "/v1/job/none?purge=true")
    #expect(answer.status == 200)
    #expect(try answer.json["EvalID"] == "")
    try await api.remove()
  }

  @Test func anEndedDeploymentsRefusalsAreTheWordsThatClientsKnow() async throws {
    let api = try await TestAPI()
    try await api.register("web")
    let id = try #require(try await api.get("/v1/deployments").members("ID").first)
    #expect(try await api.ask(.put, "/v1/deployment/fail/\(id)").status == 200)
    for (path, body, text) in [
      ("fail", "", "can't fail terminal deployment"),
      ("pause", "{\"Pause\": true}", "can't pause terminal deployment"),
      ("pause", "{\"Pause\": false}", "can't resume terminal deployment"),
      ("promote", "{\"All\": true}", "can't promote terminal deployment"),
      (
        "allocation-health", "{\"HealthyAllocationIDs\": []}",
        "can't set health of allocations for a terminal deployment"
      ),
    ] {
      let answer = try await api.ask(.put, "/v1/deployment/\(path)/\(id)", body)
      #expect(answer.status == 404)
      #expect(answer.text == text)
    }
    try await api.remove()
  }
}
