import Codec
import HTTP
import Linux
import Testing

/// The HTTP API of a running agent: refusals, and what all reads have in common.
@Suite(.enabled(if: isRoot, needsRoot), .timeLimit(.minutes(40))) struct APITests {
  private static func sleeper(_ name: String) -> String { shellJob(name, script: "sleep 86400") }

  @Test func badRequestsAreRefusedWithTheirReason() async throws {
    try await Scratch.with { scratch in
      let agent = try await Agent.development(scratch)
      let cases: [(HTTPMethod, String, String?, Int, String)] = [
        (.get, "/v1/nothing", nil, 404, "/v1/nothing"),
        (.get, "/", nil, 404, "Invalid URL"),
        (.delete, "/v1/jobs", nil, 405, "Invalid method"),
        (.post, "/v1/agent/self", "{}", 405, "Invalid method"),
        (.put, "/v1/jobs", "{\"Job\": ", 400, "can't be read"),
        (.put, "/v1/jobs", "{\"Job\": {\"ID\": 5}}", 400, "ID"),
        (.put, "/v1/jobs", "{}", 400, "Job must be specified"),
        (.put, "/v1/jobs", nil, 400, "no body"),
        (.put, "/v1/jobs", "{\"Job\": {\"ID\": \"x\"}}", 400, "error(s)"),
        (.put, "/v1/jobs", String(repeating: "[", count: 1000), 400, "can't be read"),
        (.post, "/v1/jobs/parse", "{\"JobHCL\": \"job {\"}", 400, "input.hcl"),
        (.get, "/v1/jobs?index=x", nil, 400, "index"),
        (.get, "/v1/jobs?index=1&wait=soon", nil, 400, "wait"),
        (.get, "/v1/jobs?per_page=some", nil, 400, "per_page"),
        (.get, "/v1/jobs?reverse=maybe", nil, 400, "reverse"),
        (.get, "/v1/allocations?prefix=xyz", nil, 400, "xyz"),
        (.get, "/v1/job/nothing", nil, 404, "job not found"),
        (.get, "/v1/allocation/ffffffff-ffff-ffff-ffff-ffffffffffff", nil, 404, "alloc not found"),
        (.get, "/v1/node/ffffffff-ffff-ffff-ffff-ffffffffffff", nil, 404, "node not found"),
        (.get, "/v1/evaluation/ffffffff-ffff-ffff-ffff-ffffffffffff", nil, 404, "eval not found"),
        (
          .get, "/v1/client/fs/ls/ffffffff-ffff-ffff-ffff-ffffffffffff", nil, 404,
          "ffffffff-ffff-ffff-ffff-ffffffffffff"
        ),
        (.get, "/v1/jobs?region=elsewhere", nil, 500, "elsewhere"),
      ]
      for (method, path, body, status, text) in cases {
        let answer = try await agent.request(method, path, body: body)
        #expect(
          answer.status.rawValue == status && answer.text.contains(text), "\(method) \(path) \(body ?? ""): \(answer)")
      }
      let wrong = try await agent.request(.delete, "/v1/jobs")
      #expect(wrong.headers["Allow"] == "GET, PUT, POST")
      let large = String(repeating: " ", count: 65 << 20)
      let refused = try await agent.request(.put, "/v1/jobs", body: large)
      #expect(refused.status.rawValue == 413, "\(refused)")
      try #require(try await agent.request(.get, "/v1/agent/health").status == .ok, "the agent goes on")
    }
  }

  @Test func blockingQueryReturnsWithTheChange() async throws {
    try await Scratch.with { scratch in
      let agent = try await Agent.development(scratch)
      let first = try await agent.request(.get, "/v1/jobs")
      let index = try #require(first.index)
      try #require(first.headers["X-Nomad-KnownLeader"] == "true" && first.headers["X-Nomad-LastContact"] != nil)
      let waiting = Task { try await agent.request(.get, "/v1/jobs?index=\(max(index, 1))&wait=60s") }
      try await agent.submit("news", Self.sleeper("news"))
      let second = try await waiting.value
      try #require(try #require(second.index) > index)
      try #require(try second.json.arrayValue?.first?["ID"] == "news", "\(second)")
      // Without a change the answer comes when the time is over, with the index it had.
      _ = try await agent.allocation(of: "news", being: "running")
      let path = "/v1/job/news/deployments"
      let now = try #require(try await agent.request(.get, path).index)
      let late = try await agent.request(.get, "\(path)?index=\(now + 1000)&wait=50ms")
      try #require(late.status == .ok)
    }
  }

  @Test func listsArePagedFilteredAndPrinted() async throws {
    try await Scratch.with { scratch in
      let agent = try await Agent.development(scratch)
      try await agent.succeeds("namespace", "apply", "other")
      for name in ["alpha", "beta", "beta-2", "gamma"] { try await agent.submit(name, Self.sleeper(name)) }
      let elsewhere = Self.sleeper("delta").replacing(
        "job \"delta\" {", with: "job \"delta\" {\n namespace = \"other\"")
      try await agent.submit("delta", elsewhere)
      func ids(_ answer: Agent.Answer) throws -> [String] {
        try (answer.json.arrayValue ?? []).compactMap { $0["ID"]?.stringValue }
      }

      try #require(try ids(try await agent.request(.get, "/v1/jobs")) == ["alpha", "beta", "beta-2", "gamma"])
      try #require(try ids(try await agent.request(.get, "/v1/jobs?prefix=beta")) == ["beta", "beta-2"])
      try #require(try ids(try await agent.request(.get, "/v1/jobs?namespace=other")) == ["delta"])
      try #require(
        Set(try ids(try await agent.request(.get, "/v1/jobs?namespace=*"))) == [
          "alpha", "beta", "beta-2", "gamma", "delta",
        ])
      var seen: [String] = []
      var token: String?
      repeat {
        let page = try await agent.request(.get, "/v1/jobs?per_page=3" + (token.map { "&next_token=\($0)" } ?? ""))
        seen += try ids(page)
        token = page.headers["X-Nomad-NextToken"]
        try #require(seen.count <= 4)
      } while token != nil
      try #require(seen == ["alpha", "beta", "beta-2", "gamma"])

      let plain = try await agent.request(.get, "/v1/jobs")
      let pretty = try await agent.request(.get, "/v1/jobs?pretty")
      try #require(!plain.text.contains("\n    ") && pretty.text.contains("\n    "))
      let zipped = try await agent.request(.get, "/v1/jobs", headers: ["Accept-Encoding": "gzip"])
      try #require(zipped.headers["Content-Encoding"] == "gzip" && zipped.bytes.starts(with: [0x1F, 0x8B]))
      try #require(zipped.bytes.count < plain.bytes.count)
      try #require(plain.headers["Content-Type"]?.hasPrefix("application/json") == true)
    }
  }

  @Test func keysAreReadWithoutRegardToCaseAndSparseJobsAreFilled() async throws {
    try await Scratch.with { scratch in
      let agent = try await Agent.development(scratch)
      let job = """
        {"job": {"id": "sparse", "name": "sparse", "TYPE": "batch", "taskgroups": [{"name": "g", "tasks": [
          {"name": "t", "driver": "exec", "config": {"command": "/bin/true"}}]}]}}
        """
      let answer = try await agent.request(.post, "/v1/jobs", body: job)
      try #require(answer.status == .ok, "\(answer)")
      let evaluation = try #require(try answer.json["EvalID"]?.stringValue)
      _ = try await agent.allocation(of: "sparse", being: "complete")
      let stored = try await agent.get("/v1/job/sparse")
      try #require(
        stored["Datacenters"] == ["*"] && stored["NodePool"] == "default" && stored["Priority"] == 50,
        "\(JSON.text(stored))")
      try #require(stored["TaskGroups"]?.arrayValue?.first?["Count"] == 1)
      try #require(try await agent.get("/v1/evaluation/\(evaluation)")["TriggeredBy"] == "job-register")
      // An id in any letter case, and a job's evaluations and allocations by it.
      try #require(try await agent.get("/v1/evaluation/\(evaluation.uppercased())/allocations").arrayValue?.count == 1)
    }
  }

  @Test func readsOfARunningJobHaveTheDocumentedShape() async throws {
    try await Scratch.with { scratch in
      let agent = try await Agent.development(scratch)
      try await agent.submit("shape", Self.sleeper("shape"))
      let allocation = try await agent.allocation(of: "shape", being: "running")
      let paths: [(String, [String])] = [
        (
          "/v1/job/shape",
          ["ID", "TaskGroups", "Status", "Version", "CreateIndex", "ModifyIndex", "JobModifyIndex", "SubmitTime"]
        ),
        ("/v1/job/shape/summary", ["JobID", "Summary", "Namespace"]),
        ("/v1/job/shape/versions", ["Versions"]),
        ("/v1/job/shape/deployment", ["ID", "JobID", "Status", "TaskGroups"]),
        (
          "/v1/allocation/\(allocation.id)",
          ["ID", "Job", "AllocatedResources", "TaskStates", "Metrics", "NodeName", "DesiredStatus"]
        ),
        ("/v1/client/allocation/\(allocation.id)/stats", ["ResourceUsage", "Tasks", "Timestamp"]),
        ("/v1/client/stats", ["Memory", "CPU", "DiskStats", "Uptime"]),
        ("/v1/agent/self", ["config", "member", "stats"]), ("/v1/agent/members", ["Members", "ServerName"]),
        ("/v1/agent/health", ["server", "client"]), ("/v1/metrics", ["Gauges", "Timestamp"]),
      ]
      for (path, keys) in paths {
        let json = try await agent.get(path)
        for key in keys { #expect(json[key] != nil, "\(path) has \(key): \(JSON.text(json))") }
      }
      for path in [
        "/v1/nodes", "/v1/allocations", "/v1/evaluations", "/v1/deployments", "/v1/namespaces", "/v1/node/pools",
        "/v1/regions", "/v1/status/peers",
      ] {
        #expect(try await agent.get(path).arrayValue?.isEmpty == false, "\(path) lists something")
      }
      let found = try await agent.request(.post, "/v1/search", body: "{\"Prefix\": \"sha\", \"Context\": \"jobs\"}")
      #expect(try found.json["Matches"]?["jobs"] == ["shape"], "\(found)")
      let prometheus = try await agent.request(.get, "/v1/metrics?format=prometheus")
      #expect(prometheus.text.contains("# TYPE nomad_"))
      #expect(try await agent.request(.put, "/v1/system/gc").status == .ok)
    }
  }

  @Test func logIsFollowedWhileItGrows() async throws {
    try await Scratch.with { scratch in
      let agent = try await Agent.development(scratch)
      try await agent.submit(
        "talker", shellJob("talker", script: "i=0; while true; do i=$((i+1)); echo \"line $i\"; sleep 0.1; done"))
      let allocation = try await agent.allocation(of: "talker", being: "running")
      let response = try await scratch.http.request(
        HTTPClientRequest(
          url: "\(agent.address)/v1/client/fs/logs/\(allocation.id)?task=talker&type=stdout&plain=true&follow=true",
          timeout: .seconds(60)))
      var text = ""
      for try await chunk in response {
        text += String(decoding: chunk, as: UTF8.self)
        if text.contains("line 15\n") { break }
      }
      try #require(text.hasPrefix("line 1\nline 2\n"), "\(text)")
      // Frames are the other form: each a JSON object with the bytes as base64.
      let framed = try await agent.request(.get, "/v1/client/fs/logs/\(allocation.id)?task=talker&type=stdout")
      try #require(framed.text.contains("\"Data\":") && framed.text.contains("\"File\":"), "\(framed)")
    }
  }
}
