import HTTP
import Testing

@testable import API

@Suite struct RouterTests {
  private let router = Router(routes: jobRoutes + allocationRoutes + nodeRoutes + namespaceRoutes + agentRoutes)

  private func pattern(_ method: HTTPMethod, _ path: String) throws -> (pattern: String, parameters: [String: String])? {
    switch router.find(method, try HTTPTarget(parsing: path).segments) {
    case .route(let route, let parameters): ("/" + route.pattern.joined(separator: "/"), parameters)
    case .wrongMethod, .nothing: nil
    }
  }

  @Test(arguments: [
    ("/v1/jobs", "/v1/jobs", ""),
    ("/v1/job/web", "/v1/job/:id*", "web"),
    ("/v1/job/web/allocations", "/v1/job/:id*/allocations", "web"),
    ("/v1/job/team/web", "/v1/job/:id*", "team/web"),
    ("/v1/job/team/web/summary", "/v1/job/:id*/summary", "team/web"),
    ("/v1/job/team%2Fweb/summary", "/v1/job/:id*/summary", "team/web"),
    ("/v1/job/batch/periodic-1700000000/evaluations", "/v1/job/:id*/evaluations", "batch/periodic-1700000000"),
    ("/v1/job/allocations", "/v1/job/:id*", "allocations"),
    ("/v1/job/allocations/allocations", "/v1/job/:id*/allocations", "allocations"),
    ("/v1/job/%C3%BCber%20alles", "/v1/job/:id*", "über alles"),
  ])
  func aPathLeadsToItsRoute(_ path: String, _ expected: String, _ id: String) throws {
    let found = try #require(try pattern(.get, path))
    #expect(found.pattern == expected)
    #expect(found.parameters["id"] ?? "" == id)
  }

  @Test func literalsWinOverParameters() throws {
    #expect(try pattern(.get, "/v1/node/pools")?.pattern == "/v1/node/pools")
    #expect(try pattern(.get, "/v1/node/pool/gpu")?.parameters == ["name": "gpu"])
    #expect(try pattern(.get, "/v1/node/abc")?.parameters == ["id": "abc"])
  }

  @Test func headIsAnsweredAsGet() throws { #expect(try pattern(.head, "/v1/jobs") != nil) }

  @Test func postAndPutAreTheSame() throws {
    for method in [HTTPMethod.put, .post] { #expect(try pattern(method, "/v1/jobs/parse")?.pattern == "/v1/jobs/parse") }
  }

  @Test func anEmptyIdIsNone() throws { #expect(try pattern(.get, "/v1/job/") == nil) }

  @Test func theMethodsOfAPathAreTold() throws {
    guard case .wrongMethod(let allowed) = router.find(.delete, ["v1", "jobs"]) else {
      Issue.record("DELETE /v1/jobs is answered")
      return
    }
    #expect(Set(allowed.map(\.rawValue)) == ["GET", "PUT", "POST"])
  }
}
