import Codec
import HTTP
import Model
import Server
import Testing

@testable import API

@Suite(.timeLimit(.minutes(10))) struct ListingTests {
  @Test func pagesJoinToTheWholeList() async throws {
    let api = try await TestAPI()
    let names = (0..<7).map { "job-\($0)" }
    for name in names { try await api.register(name) }
    var seen: [String] = []
    var token: String? = ""
    while let next = token {
      let answer = try await api.get("/v1/jobs?per_page=3&next_token=\(next)")
      let page = try answer.members("ID")
      #expect(page.count <= 3)
      seen += page
      token = answer.headers["X-Nomad-NextToken"]
    }
    #expect(seen == names)
    try await api.remove()
  }

  @Test func aPageGoesOnBehindAnElementThatIsGone() async throws {
    let api = try await TestAPI()
    for name in ["a", "b", "c", "d"] { try await api.register(name) }
    let first = try await api.get("/v1/jobs?per_page=2")
    let token = try #require(first.headers["X-Nomad-NextToken"])
    _ = try await api.ask(.delete, "/v1/job/c?purge=true")
    #expect(try await api.get("/v1/jobs?per_page=2&next_token=\(token)").members("ID") == ["d"])
    try await api.remove()
  }

  @Test func aListCanBeReversed() async throws {
    let api = try await TestAPI()
    for name in ["a", "b", "c"] { try await api.register(name) }
    let first = try await api.get("/v1/jobs?reverse=true&per_page=2")
    #expect(try first.members("ID") == ["c", "b"])
    let token = try #require(first.headers["X-Nomad-NextToken"])
    #expect(try await api.get("/v1/jobs?reverse=true&per_page=2&next_token=\(token)").members("ID") == ["a"])
    try await api.remove()
  }

  @Test func prefixAndNamespaceChoose() async throws {
    let api = try await TestAPI()
    #expect(try await api.ask(.put, "/v1/namespaces", "{\"Name\": \"team\"}").status == 200)
    try await api.register("web")
    try await api.register("worker")
    try await api.register("web", namespace: "team")
    #expect(try await api.get("/v1/jobs").members("ID") == ["web", "worker"])
    #expect(try await api.get("/v1/jobs?prefix=we").members("ID") == ["web"])
    #expect(try await api.get("/v1/jobs?namespace=team").members("Namespace") == ["team"])
    #expect(try await api.get("/v1/jobs?namespace=*").members("Namespace") == ["default", "default", "team"])
    #expect(try await api.get("/v1/jobs?namespace=*&prefix=web").members("Namespace") == ["default", "team"])
    let header = try await api.ask(.get, "/v1/jobs", headers: ["X-Nomad-Namespace": "team"])
    #expect(try header.members("ID") == ["web"])
    let evaluation = try #require(try await api.get("/v1/evaluations?namespace=team").members("ID").first)
    #expect(
      try await api.get("/v1/evaluations?namespace=*&prefix=\(evaluation.prefix(6))").members("ID") == [evaluation])
    #expect(try await api.get("/v1/evaluations?prefix=\(evaluation)").members("ID") == [])
    try await api.remove()
  }

  @Test func keysAreMatchedWithoutRegardToCase() async throws {
    let api = try await TestAPI()
    let body = job("web").replacing("\"Job\"", with: "\"job\"").replacing("\"TaskGroups\"", with: "\"taskgroups\"")
    #expect(try await api.ask(.put, "/v1/jobs", body).status == 200)
    #expect(try await api.get("/v1/job/web").json["TaskGroups"]?.arrayValue?.count == 1)
    try await api.remove()
  }

  @Test func prettyAnswersHaveLines() async throws {
    let api = try await TestAPI()
    let plain = try await api.get("/v1/namespaces")
    let pretty = try await api.get("/v1/namespaces?pretty")
    #expect(!plain.text.contains("\n"))
    #expect(pretty.text.contains("\n"))
    #expect(try plain.json == pretty.json)
    #expect(plain.headers["Content-Type"] == "application/json")
    try await api.remove()
  }

  @Test func aVersionCanBeTaggedAndReverted() async throws {
    let api = try await TestAPI()
    try await api.register("web")
    let tagged = try await api.ask(
      .post, "/v1/job/web/versions/golden/tag", "{\"Version\": 0, \"Description\": \"good\"}")
    #expect(tagged.status == 200)
    #expect(try tagged.json["Name"] == "golden")
    #expect(try await api.ask(.put, "/v1/jobs", job("web").replacing("/bin/true", with: "/bin/false")).status == 200)
    let versions = try await api.get("/v1/job/web/versions").json["Versions"]?.arrayValue ?? []
    #expect(versions.map { $0["VersionTag"]?["Name"] } == [nil, "golden"])
    let taken = try await api.ask(.post, "/v1/job/web/versions/golden/tag", "{\"Version\": 1}")
    #expect(taken.status == 409)
    let reverted = try await api.ask(.put, "/v1/job/web/revert", "{\"JobID\": \"web\", \"TaggedVersion\": \"golden\"}")
    #expect(reverted.status == 200)
    #expect(try await api.get("/v1/job/web").json["Version"] == 2)
    #expect(try await api.ask(.delete, "/v1/job/web/versions/golden/tag").status == 200)
    #expect(try await api.ask(.delete, "/v1/job/web/versions/golden/tag").status == 404)
    try await api.remove()
  }

  @Test func theScaleOfAJobCountsItsGroups() async throws {
    let api = try await TestAPI()
    try await api.register("web")
    let scale = try await api.get("/v1/job/web/scale").json
    #expect(scale["TaskGroups"]?["g"]?["Desired"] == 1)
    #expect(scale["TaskGroups"]?["g"]?["Placed"] == 0)
    #expect(try await api.get("/v1/job/none/scale").status == 404)
    try await api.remove()
  }

  @Test func searchFindsIdsByPrefixAndNamesByPart() async throws {
    let api = try await TestAPI()
    try await api.register("web-front")
    try await api.register("back")
    let prefix = try await api.ask(.put, "/v1/search", "{\"Prefix\": \"web\", \"Context\": \"jobs\"}").json
    #expect(prefix["Matches"]?["jobs"] == ["web-front"])
    #expect(prefix["Truncations"]?["jobs"] == false)
    let fuzzy = try await api.ask(.put, "/v1/search/fuzzy", "{\"Text\": \"FRONT\", \"Context\": \"jobs\"}").json
    #expect(fuzzy["Matches"]?["jobs"]?.arrayValue?.first?["ID"] == "web-front")
    #expect(fuzzy["Matches"]?["jobs"]?.arrayValue?.first?["Scope"] == ["default", "web-front"])
    let all = try await api.ask(.put, "/v1/search/fuzzy", "{\"Text\": \"main\", \"Context\": \"all\"}").json
    #expect(all["Matches"]?["tasks"]?.arrayValue?.count == 2)
    try await api.remove()
  }
}
