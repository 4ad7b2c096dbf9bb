import Codec
import HTTP
import Linux
import Testing

/// What is done for a task before it starts: artifacts and templates.
@Suite(.enabled(if: isRoot, needsRoot), .timeLimit(.minutes(40))) struct PreparationTests {
  private static let once =
    "restart {\n attempts = 0\n mode = \"fail\"\n}\nreschedule {\n attempts = 0\n unlimited = false\n}"

  @Test func artifactsAreThereBeforeTheTaskStarts() async throws {
    try await Scratch.with { scratch in
      let server = try FileServer(
        scratch, ["/tool": Array("#!/bin/sh\necho tool $1\n".utf8), "/data.txt": Array("data\n".utf8)])
      let agent = try await Agent.development(scratch)
      try await agent.submit(
        "fetch",
        shellJob(
          "fetch", type: "batch", script: "local/bin/tool one; cat /alloc/data/data.txt; cat local/renamed",
          group: Self.once,
          task: """
            artifact {
              source      = "\(server.address)/tool"
              destination = "${NOMAD_TASK_DIR}/bin"
            }
            artifact {
              source      = "\(server.address)/data.txt"
              destination = "/alloc/data"
              options {
                checksum = "sha256:6667b2d1aab6a00caa5aee5af8ad9f1465e567abf1c209d15727d57b3e8f6e5f"
              }
            }
            artifact {
              source      = "\(server.address)/data.txt"
              mode        = "file"
              destination = "local/renamed"
            }
            """))
      let done = try await agent.allocation(of: "fetch", being: "complete")
      try #require(try await agent.log(done, "fetch") == "tool one\ndata\ndata\n")
      try #require(done.task.messages("Downloading Artifacts") == ["Client is downloading artifacts"])
    }
  }

  @Test func failedDownloadsFollowTheRestartPolicyAndAreNamed() async throws {
    try await Scratch.with { scratch in
      let server = try FileServer(scratch, ["/tool": Array("tool\n".utf8)])
      let agent = try await Agent.development(scratch)
      func run(_ name: String, _ artifact: String, restarts: Int) async throws -> Allocation {
        try await agent.submit(
          name,
          shellJob(
            name, type: "batch", script: "true",
            group: """
              restart {
                attempts = \(restarts)
                delay    = "100ms"
                interval = "10m"
                mode     = "fail"
              }
              reschedule {
                attempts  = 0
                unlimited = false
              }
              """, task: "artifact {\n \(artifact)\n}"))
        return try await agent.allocation(of: name, being: "failed")
      }
      let missing = try await run("missing", "source = \"\(server.address)/nothing\"", restarts: 2)
      let failures = missing.task.messages("Failed Artifact Download")
      try #require(failures.count == 3 && failures[0].contains("404"), "\(missing.task.messages)")
      let wrong = try await run(
        "wrong", "source = \"\(server.address)/tool?checksum=md5:00000000000000000000000000000000\"", restarts: 0)
      try #require(wrong.task.messages("Failed Artifact Download").first?.contains("checksum does not match") == true)
      // What no repetition can mend fails at once.
      let host = try await run("host", "source = \"file:///etc/shadow\"", restarts: 5)
      try #require(host.task.messages("Failed Artifact Download").count == 1, "\(host.task.messages)")
      let git = try await run("git", "source = \"git::https://example.org/x.git\"", restarts: 5)
      try #require(git.task.messages("Failed Artifact Download").first?.contains("not over git") == true)
    }
  }

  @Test func aDownloadThatIsNotWantedAnyMoreIsGivenUp() async throws {
    try await Scratch.with { scratch in
      let server = try FileServer(scratch, [:])
      let agent = try await Agent.development(scratch)
      try await agent.submit(
        "slow", shellJob("slow", script: "true", task: "artifact {\n source = \"\(server.address)/slow\"\n}"))
      let begun = try await agent.allocation(of: "slow", "the download has begun") {
        !$0.task.messages("Downloading Artifacts").isEmpty
      }
      try await until("some of it is there") {
        Files.exists("\(agent.dataFolder)/alloc/\(begun.id)/slow/local/.slow.part")
      }
      try await agent.stop("slow")
      let ended = try await agent.allocation(of: "slow", being: "complete")
      try #require(ended.task.messages("Started").isEmpty && !ended.task.failed, "\(ended.task.messages)")
      try #require(!Files.exists("\(agent.dataFolder)/alloc/\(begun.id)/slow/local/.slow.part"))
    }
  }

  @Test func templatesAreRenderedWithTheTasksEnvironment() async throws {
    try await Scratch.with { scratch in
      let agent = try await Agent.development(scratch)
      try await agent.submit(
        "render",
        shellJob(
          "render", type: "batch",
          script: """
            cat local/plain secrets/own; stat -c %a secrets/own; echo $FROM_TEMPLATE $COLOR "$QUOTED"
            """,
          group: Self.once,
          task: """
            env {
              COLOR = "blue"
            }
            template {
              destination = "local/plain"
              data        = "job {{ env \\"NOMAD_JOB_NAME\\" }} {{ env \\"COLOR\\" | toUpper }}\\n"
            }
            template {
              destination     = "secrets/own"
              perms           = "640"
              left_delimiter  = "<<"
              right_delimiter = ">>"
              data            = "<< sprig_repeat 2 \\"ab\\" >> {{ }}\\n"
              uid             = 65534
            }
            template {
              destination = "secrets/file.env"
              env         = true
              data        = <<-EOT
                # a comment
                FROM_TEMPLATE={{ env "NOMAD_ALLOC_INDEX" }}
                export COLOR=red
                QUOTED="a \\"b\\" # c"
              EOT
            }
            """))
      let done = try await agent.allocation(of: "render", being: "complete")
      try #require(
        try await agent.log(done, "render") == "job render BLUE\nabab {{ }}\n640\n0 red a \"b\" # c\n",
        "\(done.task.messages)")
    }
  }

  @Test func whatATemplateCannotHaveFailsTheTaskByName() async throws {
    try await Scratch.with { scratch in
      let agent = try await Agent.development(scratch)
      for (name, template, words) in [
        ("syntax", "data = \"{{ if }}\"", "missing value for if"),
        ("variable", "data = \"{{ key \\\"a/b\\\" }}\"", "this version has no key"),
        ("outside", "source = \"../../../../etc/passwd\"", "leads out of the task's directories"),
        ("missing", "source = \"local/nothing\"", "ENOENT"),
      ] {
        try await agent.submit(
          name,
          shellJob(
            name, type: "batch", script: "true", group: Self.once,
            task: "template {\n \(template)\n destination = \"local/x\"\n}"))
        let failed = try await agent.allocation(of: name, being: "failed")
        try #require(failed.task.messages("Setup Failure").first?.contains(words) == true, "\(failed.task.messages)")
      }
    }
  }

  @Test func aChangedSourceIsRenderedAgainAndToldToTheTask() async throws {
    try await Scratch.with { scratch in
      let agent = try await Agent.development(scratch)
      func job(_ name: String, _ change: String) -> String {
        shellJob(
          name,
          script: """
            [ -e /alloc/data/in ] || echo one > /alloc/data/in
            trap 'echo got; cat local/out' HUP
            echo start; cat local/out; while true; do sleep 0.1; done
            """,
          task: """
            template {
              destination = "local/out"
              data        = "{{ if eq (env \\"NOMAD_ALLOC_INDEX\\") \\"0\\" }}{{ file \\"/alloc/data/in\\" }}{{ end }}"
              splay       = "10ms"
              \(change)
            }
            """
        ).replacing(
          "task \"\(name)\" {",
          with: """
            task "first" {
              lifecycle {
                hook = "prestart"
              }
              driver = "exec"
              config {
                command = "/bin/sh"
                args    = ["-c", "echo one > /alloc/data/in"]
              }
            }
            task "\(name)" {
            """)
      }
      try await agent.submit("signal", job("signal", "change_mode = \"signal\"\nchange_signal = \"SIGHUP\""))
      try await agent.submit("restart", job("restart", "change_mode = \"restart\""))
      for name in ["signal", "restart"] {
        let allocation = try await agent.allocation(of: name, being: "running")
        try await until("\(name) has begun") { try await agent.log(allocation, name) == "start\none\n" }
        try await agent.succeeds(
          "exec", "-i=false", "-task", name, allocation.short, "sh", "-c", "echo two > /alloc/data/in")
        let expected = name == "signal" ? "start\none\ngot\ntwo\n" : "start\none\nstart\ntwo\n"
        try await until("\(name) has the new text") { try await agent.log(allocation, name) == expected }
      }
    }
  }
}
