import Codec
import HTTP
import Linux
import Testing

/// A jobspec with twenty mistakes gives twenty errors, each at its place.
@Suite(.enabled(if: isRoot, needsRoot), .timeLimit(.minutes(40))) struct MistakeTests {
  /// Each line that ends in `# n` has the mistake of that number.
  private static let job = """
    job "mistakes" {
      datacentres = ["dc1"] # 1
      type        = ["service"] # 2
      priority    = "high" # 3
      all_at_once = "perhaps" # 4
      periodicc {} # 5
      meta = 5 # 6

      group "web" {
        count = "many" # 7
        shutdown_delay = "soon" # 8
        network {
          mbits = "x" # 9
          prot "http" {} # 10
          port "https" {
            static = "eighty" # 11
          }
        }
        restart {
          attempts = [] # 12
          interval = "x" # 13
          dealy = "1s" # 14
        }
        task "server" {
          diver = "exec" # 15
          kill_timeout = {} # 16
          resources {
            cpu = "lots" # 17
            memori = 64 # 18
          }
          logs {
            max_files = "x" # 19
          }
          user = uper("x") # 20
        }
      }
    }

    """

  @Test func twentyMistakesAreTwentyLocatedErrors() async throws {
    try await Scratch.with { scratch in
      let agent = try await Agent.development(scratch)
      let lines = Self.job.split(separator: "\n", omittingEmptySubsequences: false).enumerated()
        .filter { $0.element.contains("# ") }.map { $0.offset + 1 }
      try #require(lines.count == 20)
      let file = try scratch.write("mistakes.nomad.hcl", Self.job)
      for command in ["validate", "run", "plan"] {
        let outcome = try await agent.serai("job", command, file)
        try #require(outcome.code == (command == "plan" ? 255 : 1), "\(outcome)")
        for line in lines {
          try #require(
            outcome.errors.contains("mistakes.nomad.hcl:\(line),") || outcome.errors.contains("line \(line),"),
            "job \(command) names line \(line): \(outcome)")
        }
        try #require(
          outcome.errors.contains("datacenters") && outcome.errors.contains("memory"), "with a suggestion: \(outcome)")
      }
      let body: JSONValue = ["JobHCL": .string(Self.job), "Canonicalize": true]
      let answer = try await agent.request(.post, "/v1/jobs/parse", body: JSON.text(body))
      try #require(answer.status == .badRequest, "\(answer)")
      for line in lines {
        try #require(
          answer.text.contains("input.hcl:\(line),") || answer.text.contains("line \(line),"), "line \(line): \(answer)"
        )
      }
      try #require(try await agent.get("/v1/jobs").arrayValue?.isEmpty == true)
    }
  }
}
