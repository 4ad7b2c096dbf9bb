import Codec
import HTTP
import Linux
import Testing

/// What this version does not run is refused by name, and mistakes are shown where they are.
@Suite(.enabled(if: isRoot, needsRoot), .timeLimit(.minutes(5))) struct RefusalTests {
  struct Block: Sendable, CustomTestStringConvertible {
    var name: String
    var job = ""
    var group = ""
    var task = ""
    var testDescription: String { name }
  }

  private static let blocks: [Block] = [
    Block(name: "multiregion", job: "multiregion {\n region \"global\" {\n count = 1\n}\n}"),
    Block(name: "service", group: "service {\n name = \"web\"\n provider = \"nomad\"\n}"),
    Block(name: "service", task: "service {\n name = \"web\"\n provider = \"nomad\"\n}"),
    Block(name: "bridge", group: "network {\n mode = \"bridge\"\n}"),
    Block(name: "dns", group: "network {\n dns {\n servers = [\"1.1.1.1\"]\n}\n}"),
    Block(
      name: "volume",
      group: """
        volume "data" {
          type            = "csi"
          source          = "data"
          access_mode     = "single-node-writer"
          attachment_mode = "file-system"
        }
        """),
    Block(name: "vault", task: "vault {\n role = \"x\"\n}"),
    Block(name: "identity", task: "identity {\n env = true\n}"),
    Block(
      name: "schedule",
      task: "schedule {\n cron {\n start = \"0 12 * * * *\"\n end = \"0 16\"\n timezone = \"UTC\"\n}\n}"),
  ]

  @Test func blocksThatAreNotRunAreNamed() async throws {
    try await Scratch.with { scratch in
      let agent = try await Agent.development(scratch)
      for (number, block) in Self.blocks.enumerated() {
        let job = """
          job "refused" {
            \(block.job)
            group "g" {
              \(block.group)
              task "t" {
                driver = "exec"
                config {
                  command = "/bin/true"
                }
                \(block.task)
              }
            }
          }

          """
        let outcome = try await agent.serai("job", "run", try scratch.write("refused-\(number).nomad.hcl", job))
        #expect(outcome.code == 1 && outcome.errors.contains(block.name), "\(block.name): \(outcome)")
        #expect(outcome.errors.contains("this version does not"), "\(block.name): \(outcome)")
      }
      try #require(try await agent.get("/v1/jobs").arrayValue?.isEmpty == true, "nothing that is refused is registered")
    }
  }

  @Test func unknownDriverIsNotPlaced() async throws {
    try await Scratch.with { scratch in
      let agent = try await Agent.development(scratch)
      let job = shellJob("foreign", script: "true", driver: "docker")
      let outcome = try await agent.serai("job", "run", try scratch.write("foreign.nomad.hcl", job))
      // Nomad's exit code for a job that can't be placed.
      try #require(outcome.code == 2, "\(outcome)")
      try #require(outcome.output.contains("missing drivers"), "\(outcome)")
      let plan = try await agent.serai("job", "plan", "\(scratch.folder)/foreign.nomad.hcl")
      try #require(plan.output.contains("WARNING: Failed to place all allocations."), "\(plan)")
    }
  }
}
