import Testing

@testable import HTTP

@Suite struct MessageTests {
  @Test(arguments: [
    ("/", [""]), ("/v1/jobs", ["v1", "jobs"]), ("/v1/job/a%2Fb/plan", ["v1", "job", "a/b", "plan"]),
    ("/v1/", ["v1", ""]), ("/a%20b+c", ["a b+c"]), ("http://host:4646/v1/x?y", ["v1", "x"]), ("/%C3%A9", ["é"]),
    ("http://host", [""]),
  ])
  func pathsAreSplitBeforeTheyAreDecoded(raw: String, segments: [String]) throws {
    #expect(try HTTPTarget(parsing: raw).segments == segments)
  }

  @Test(arguments: ["/%", "/%4", "/%zz", "/%00", "/%FF", "v1/jobs", "/?a=%"])
  func malformedTargetsAreRefusedInWords(raw: String) {
    let error = #expect(throws: HTTPTargetError.self) { try HTTPTarget(parsing: raw) }
    #expect(error?.message.isEmpty == false)
  }

  @Test func queryItemsKeepOrderAndRepeats() throws {
    let query = try HTTPTarget(parsing: "/x?a=1&b&a=2+3&c=%26%3D&&=v").query
    #expect(query.items.map(\.name) == ["a", "b", "a", "c", ""])
    #expect(query["a"] == "1" && query.all("a") == ["1", "2 3"] && query["b"] == "" && query["c"] == "&=")
    #expect(query.has("b") && !query.has("d") && query["d"] == nil)
    #expect(HTTPQuery([.init(name: "a b", value: "é&")]).encoded == "a%20b=%C3%A9%26")
  }

  @Test func headerNamesIgnoreCase() {
    var headers: HTTPHeaders = ["Content-Type": "a", "X-Nomad-Token": "t"]
    #expect(headers["content-type"] == "a" && headers["x-nomad-TOKEN"] == "t" && headers["x"] == nil)
    headers.append("x-multi", "1, 2")
    headers.append("X-Multi", "3")
    #expect(headers.list("X-MULTI") == ["1", "2", "3"])
    headers["X-MULTI"] = "4"
    #expect(headers.all("x-multi") == ["4"])
    headers["x-multi"] = nil
    #expect(headers.fields.count == 2)
    #expect(
      !equalsIgnoringASCIICase("É", "é") && equalsIgnoringASCIICase("@[", "@[") && !equalsIgnoringASCIICase("@", "`"))
  }

  @Test(arguments: [
    (["gzip"], true), (["deflate", "gzip;q=0.5"], true), (["gzip;q=0"], false), (["*"], true), (["*;q=0"], false),
    (["gzip; q=0.000", "*"], false), ([], false), (["br"], false), (["GZIP"], true),
  ])
  func acceptEncodingIsUnderstood(list: [String], accepted: Bool) {
    #expect(Gzip.isAccepted(list) == accepted)
  }
}
