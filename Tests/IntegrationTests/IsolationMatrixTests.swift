import Codec
import Glibc
import HTTP
import Linux
import Testing

/// The attempts of Tests/IsolationProbes, made by tasks of a real agent's jobs: what the supervisor's own tests show for a
/// sandbox must hold for what drivers make of a job. Each attempt's walls are tried one by one there.
@Suite(.enabled(if: isRoot, needsRoot), .timeLimit(.minutes(10))) struct IsolationMatrixTests {
  /// What any task of nobody may do: its effect stays in the task.
  static let harmless: Set<String> = [
    "memfd-create", "pidfd-open-self", "landlock-create-ruleset", "seccomp-own-filter", "ptrace-own-child",
    "terminal-open-master", "socket-netlink-route", "read-core-pattern", "setuid-bit", "clear-no-new-privileges",
    "raise-core-size", "connect-host-loopback",
  ]
  /// What nobody may do in a task, root of the task least of all.
  static func reachesOut(_ name: String) -> Bool {
    ["unshare-", "clone-", "clone3-"].contains { name.hasPrefix($0) } || name.contains("keyctl") || name.contains("bpf")
  }

  struct Kind: Sendable, CustomTestStringConvertible {
    var name: String
    var driver = "exec"
    var user = ""
    var config = ""
    var testDescription: String { name }
  }

  static let kinds = [
    Kind(name: "nobody"), Kind(name: "nobody-host", config: "userns = \"host\""), Kind(name: "root", user: "root"),
    Kind(name: "root-host", user: "root", config: "userns = \"host\""), Kind(name: "java", driver: "java"),
    Kind(name: "raw", driver: "raw_exec"),
  ]

  private func job(_ kind: Kind, _ server: FileServer) -> String {
    let config =
      switch kind.driver {
      // The virtual machine has nothing but this to run a command with, and it runs it as itself.
      case "java":
        """
        jar_path    = "local/app.jar"
        jvm_options = ["-Xmx16m", "-XX:OnOutOfMemoryError=cp /local/probe /local/p;chmod 755 /local/p;/local/p"]
        args        = ["eat"]
        """
      default:
        """
        command = "/bin/sh"
        args    = ["-c", "cp local/probe local/p && chmod 755 local/p && exec local/p"]
        \(kind.config)
        """
      }
    return """
      job "\(kind.name)" {
        type = "batch"
        group "g" {
          restart {
            attempts = 0
            mode     = "fail"
          }
          reschedule {
            attempts  = 0
            unlimited = false
          }
          task "probe" {
            driver = "\(kind.driver)"
            \(kind.user.isEmpty ? "" : "user = \"\(kind.user)\"")
            artifact {
              source      = "\(server.address)/probe"
              destination = "local/"
            }
            artifact {
              source      = "\(server.address)/app.jar"
              destination = "local/"
            }
            config {
              \(config)
            }
            resources {
              cpu    = 200
              memory = 256
            }
          }
        }
      }

      """
  }

  private func probe(_ scratch: Scratch) async throws -> [UInt8] {
    let folder = Files.parent(of: Files.parent(of: #filePath)) + "/IsolationProbes/attempts"
    let sources = try FileDescriptor.open(folder, [.readOnly, .directory]).entries().map(\.name)
      .filter { $0.hasSuffix(".c") }.sorted().map { "\(folder)/\($0)" }
    let made = try await scratch.run(
      "/usr/bin/cc", ["-std=gnu17", "-O1", "-static", "-o", "\(scratch.folder)/probe"] + sources)
    try #require(made.code == 0, "\(made)")
    return try Files.read("\(scratch.folder)/probe")
  }

  @Test func tasksOfJobsReachWhatIsHarmlessAndNothingElse() async throws {
    try await Scratch.with { scratch in
      let server = try FileServer(
        scratch, ["/probe": try await probe(scratch), "/app.jar": try await JavaJobTests.jar(scratch)])
      let agent = try Agent(
        scratch, .development,
        settings: """
          client {
            options = {
              "user.denylist" = "nemo"
            }
          }
          plugin "raw_exec" {
            config {
              enabled = true
            }
          }
          """)
      try await agent.start()
      for kind in Self.kinds {
        try await agent.submit(kind.name, job(kind, server))
        let allocation = try await agent.allocation(of: kind.name, being: kind.driver == "java" ? "failed" : "complete")
        let lines = try await agent.log(allocation, "probe").split(separator: "\n").map { $0.split(separator: "\t") }
        let outcomes = lines.filter { $0.count == 2 }
        try #require(outcomes.count >= 154, "\(kind): \(lines.prefix(5)) \(allocation.task.messages)")
        let reached = Set(outcomes.filter { $0[1] == "ok" }.map { String($0[0]) })
        print("isolation: job \(kind): a task reaches \(reached.count) of \(outcomes.count) primitives")
        switch kind.name {
        case "raw":
          // The control: the same program, and no sandbox.
          #expect(reached.count > 100 && reached.contains(where: Self.reachesOut), "\(kind): \(reached.sorted())")
        case "root", "root-host": #expect(!reached.contains(where: Self.reachesOut), "\(kind): \(reached.sorted())")
        default:
          #expect(reached.count <= 10, "\(kind): \(reached.sorted())")
          #expect(reached.subtracting(Self.harmless).isEmpty, "\(kind): \(reached.sorted())")
        }
      }
    }
  }
}
