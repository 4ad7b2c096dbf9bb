import Codec
import HTTP
import Linux
import Testing

/// A batch job whose allocations end, one of them after two failures.
@Suite(.enabled(if: isRoot, needsRoot), .timeLimit(.minutes(40))) struct BatchJobTests {
  private static let job = """
    variable "lines" {
      type        = number
      default     = 1000
      description = "how many lines each allocation prints"
      validation {
        condition     = var.lines > 0
        error_message = "lines must be positive."
      }
    }
    locals {
      shell = "/bin/sh"
    }
    job "report" {
      datacenters = ["*"]
      type        = "batch"
      priority    = 40
      group "work" {
        count = 5
        restart {
          attempts = 3
          interval = "10m"
          delay    = "1s"
          mode     = "fail"
        }
        task "report" {
          driver = "exec"
          config {
            command = local.shell
            args    = ["-c", "seq 1 ${var.lines}; n=$(cat $NOMAD_ALLOC_DIR/data/n 2>/dev/null || echo 0); n=$((n+1)); echo $n > $NOMAD_ALLOC_DIR/data/n; if [ $NOMAD_ALLOC_INDEX = 3 ] && [ $n -lt 3 ]; then exit 7; fi"]
          }
          resources {
            cpu    = 50
            memory = 32
          }
        }
      }
    }

    """

  @Test func allocationsEndAndAFailingOneIsRestarted() async throws {
    try await Scratch.with { scratch in
      let agent = try await Agent.development(scratch)
      let file = try scratch.write("batch.nomad.hcl", Self.job)
      let refused = try await agent.serai("job", "run", "-var", "lines=0", file)
      try #require(refused.code == 1 && refused.errors.contains("lines must be positive."), "\(refused)")
      let run = try await agent.succeeds("job", "run", "-var", "lines=700", file)
      try #require(run.contains("finished with status \"complete\""))

      let all = try await eventually("five allocations are complete") {
        let all = try await agent.allocations(of: "report")
        return all.filter { $0.status == "complete" }.count == 5 ? all : nil
      }
      try #require(all.count == 5, "nothing is rescheduled: \(all.map(\.name))")
      try #require(Set(all.map(\.name)) == Set((0..<5).map { "report.work[\($0)]" }))
      for allocation in all {
        let isThird = allocation.name == "report.work[3]"
        try #require(allocation.task.state == "dead" && !allocation.task.failed)
        try #require(allocation.task.restarts == (isThird ? 2 : 0), "\(allocation.name): \(allocation.task.messages)")
        let ends = allocation.task.messages("Terminated")
        try #require(
          ends == (isThird ? ["Exit Code: 7", "Exit Code: 7", "Exit Code: 0"] : ["Exit Code: 0"]), "\(ends)")
        let log = try await agent.log(allocation, "report").split(separator: "\n").map(String.init)
        try #require(
          log.count == (isThird ? 2100 : 700) && log.last == "700", "\(allocation.name) printed \(log.count) lines")
      }
      try await until("the job is dead") { try await agent.get("/v1/job/report")["Status"] == "dead" }
      let status = try await agent.succeeds("job", "status", "report")
      try #require(status.contains("dead") && status.contains("complete"), "\(status)")
      try #require(try await agent.allocations(of: "report").count == 5)
    }
  }
}
