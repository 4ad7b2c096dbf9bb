import Codec
import Glibc
import HTTP
import Linux
import Testing

/// What a job's `config` block changes for a running task, and what users are told.
@Suite(.enabled(if: isRoot, needsRoot), .timeLimit(.minutes(5))) struct TaskOptionsTests {
  private static let once =
    "restart {\n attempts = 0\n mode = \"fail\"\n}\nreschedule {\n attempts = 0\n unlimited = false\n}"

  /// A batch job of one task that runs a shell script.
  private func job(
    _ name: String, driver: String = "exec", script: String, config: String = "", group: String = "", task: String = "",
    memory: Int = 64
  ) -> String {
    shellJob(
      name, type: "batch", script: script, driver: driver, group: Self.once + "\n" + group, task: task, memory: memory
    ).replacing("command = \"/bin/sh\"", with: "command = \"/bin/sh\"\n" + config)
  }

  @Test func theConfigBlockIsActedOn() async throws {
    try await Scratch.with { scratch in
      try Files.makeDirectories(scratch.folder + "/shared/open", permissions: 0o755)
      #expect(chmod(scratch.folder + "/shared/open", 0o777) == 0)
      try scratch.write("shared/note", "from the host\n")
      let agent = try Agent(
        scratch, .development,
        settings: """
          plugin "exec" {
            config {
              allow_host_paths = ["\(scratch.folder)/shared"]
            }
          }
          """)
      try await agent.start()
      try await agent.submit(
        "options",
        job(
          "options",
          script: """
            pwd; cat /note; (echo x > /note) 2>/dev/null || echo no write
            df -B1 --output=size /scratch | tail -1 | tr -d ' '; echo x > /scratch/x && echo scratch
            (echo x > /etc/x) 2>/dev/null || echo read-only; echo x > /local/x && echo local
            ulimit -Sn; ulimit -Hn; cat /proc/sys/kernel/msgmax; cat /proc/self/oom_score_adj; echo "pid $$"
            """,
          config: """
            work_dir       = "/local"
            readonly_root  = true
            init           = false
            oom_score_adj  = 100
            sysctl         = { "kernel.msgmax" = "12345" }
            mount {
              type     = "bind"
              source   = "\(scratch.folder)/shared/note"
              target   = "/note"
              readonly = true
            }
            mount {
              type   = "tmpfs"
              target = "/scratch"
              tmpfs_options {
                size = 1048576
              }
            }
            ulimit {
              nofile = "1000:2000"
            }
            """))
      let done = try await agent.allocation(of: "options", being: "complete")
      let log = try await agent.log(done, "options")
      try #require(
        log
          == "/local\nfrom the host\nno write\n1048576\nscratch\nread-only\nlocal\n1000\n2000\n12345\n100\npid 1\n",
        "\(log)\(done.task.messages)")

      // A directory of the host that the task may write to: with the host's ids, which users are told.
      try await agent.submit(
        "bind",
        job(
          "bind", script: "cat /proc/self/uid_map; echo written > /host/open/file",
          config: "mount {\n source = \"\(scratch.folder)/shared\"\n target = \"/host\"\n}"))
      let bound = try await agent.allocation(of: "bind", being: "complete")
      try #require(try Files.readText(scratch.folder + "/shared/open/file") == "written\n")
      try #require(try await agent.log(bound, "bind").split(separator: " ").map(String.init)[1] == "0")
      try #require(
        bound.task.messages("Driver").contains { $0.contains("host's user ids: /host") }, "\(bound.task.messages)")

      // A link below an allowed directory leads nowhere.
      let shared = try FileDescriptor.open(scratch.folder + "/shared", [.readOnly, .directory])
      try shared.makeSymbolicLink("out", to: "/etc")
      try await agent.submit(
        "link",
        job(
          "link", script: "cat /host/passwd",
          config: "mount {\n source = \"\(scratch.folder)/shared/out\"\n target = \"/host\"\n readonly = true\n}"))
      let refused = try await agent.allocation(of: "link", being: "failed")
      try #require(refused.task.messages.contains { $0.contains("ELOOP") }, "\(refused.task.messages)")
    }
  }

  @Test func mistakesInTheConfigBlockAreShownAtTheirLine() async throws {
    try await Scratch.with { scratch in
      let agent = try await Agent.development(scratch)
      let file = try scratch.write(
        "typo.nomad.hcl", job("typo", script: "true", config: "readonly_rot = true\n mount {\n target = \"/x\"\n}"))
      let refused = try await agent.serai("job", "validate", file)
      try #require(
        refused.code == 1 && refused.errors.contains("Did you mean \"readonly_root\"?")
          && refused.errors.contains("typo.nomad.hcl line "), "\(refused)")
      // What only the node knows is told by the node.
      try await agent.submit(
        "late", job("late", script: "true", config: "mount {\n source = \"/etc\"\n target = \"/x\"\n}"))
      let failed = try await agent.allocation(of: "late", being: "failed")
      try #require(failed.task.messages("Setup Failure").first?.contains("mount[0]: source \"/etc\"") == true)
    }
  }

  @Test func aHardLimitHoldsBackATaskThatIsBusy() async throws {
    try await Scratch.with { scratch in
      let agent = try await Agent.development(scratch)
      try await agent.submit(
        "busy", job("busy", script: "while :; do :; done", config: "cpu_hard_limit = true"))
      let allocation = try await agent.allocation(of: "busy", being: "running")
      try await until("periods in which it was held back are counted") {
        let stats = try await agent.get("/v1/client/allocation/\(allocation.id)/stats")
        let cpu = stats["Tasks"]?["busy"]?["ResourceUsage"]?["CpuStats"]
        return (cpu?["ThrottledPeriods"]?.intValue ?? 0) > 2
      }
    }
  }

  @Test func withoutANetworkThereIsLoopbackAlone() async throws {
    try await Scratch.with { scratch in
      let agent = try await Agent.development(scratch)
      try await agent.submit(
        "alone",
        job(
          "alone", script: "tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d ' '", group: "network {\n mode = \"none\"\n}"
        ))
      let done = try await agent.allocation(of: "alone", being: "complete")
      try #require(try await agent.log(done, "alone") == "lo\n", "\(done.task.messages)")
    }
  }

  @Test func tasksOfAGroupWithoutANetworkShareTheLoopbackInterface() async throws {
    try await Scratch.with { scratch in
      let agent = try await Agent.development(scratch)
      func task(_ name: String, _ code: String, _ more: String = "") -> String {
        """
        task "\(name)" {
          driver = "exec"
          config {
            command = "/usr/bin/python3"
            args    = ["-c", <<-EOS
        import socket, time
        \(code)
        EOS
            ]
          }
          \(more)
        }

        """
      }
      let server = task(
        "server",
        "s = socket.socket(); s.bind((\"127.0.0.1\", 80)); s.listen(8)\nwhile True: s.accept()[0].sendall(b\"hello\")",
        "lifecycle {\n hook = \"prestart\"\n sidecar = true\n}")
      let ask = task(
        "client",
        """
        for n in range(200):
            try:
                print(socket.create_connection(("127.0.0.1", 80), 2).recv(9).decode(), flush=True)
                break
            except ConnectionRefusedError: time.sleep(0.05)
        """)
      try await agent.submit(
        "pair",
        """
        job "pair" {
          type = "batch"
          group "pair" {
            \(Self.once)
            network {
              mode = "none"
            }
            \(server)\(ask)
          }
        }

        """)
      let done = try await agent.allocation(of: "pair", being: "complete")
      try #require(try await agent.log(done, "client") == "hello\n", "\(done.tasks)")
    }
  }

  @Test func anAllocationThatTakesMoreDiskThanItAskedForFails() async throws {
    try await Scratch.with { scratch in
      let agent = try await Agent.development(scratch)
      let disk = "ephemeral_disk {\n size = 25\n}"
      let logs = "logs {\n max_files = 1\n max_file_size = 1\n}"
      try await agent.submit(
        "hog",
        job("hog", script: "dd if=/dev/zero of=/local/x bs=1M count=40 2>/dev/null; sleep 600", group: disk, task: logs)
      )
      try await agent.submit(
        "modest",
        job(
          "modest", script: "dd if=/dev/zero of=/local/x bs=1M count=10 2>/dev/null; truncate -s 1G /tmp/y; sleep 600",
          group: disk, task: logs))
      let modest = try await agent.allocation(of: "modest", being: "running")
      let failed = try await agent.allocation(of: "hog", being: "failed")
      try #require(
        failed.task.messages("Disk Resources Exceeded").first?.contains("ephemeral_disk allows 25") == true,
        "\(failed.task.messages)")
      // A hole is no disk: it was looked at as often.
      try #require(try await agent.allocation(of: "modest", being: "running").id == modest.id)
    }
  }

  @Test func rawTasksAreTheHostsAndEndWithTheirGroup() async throws {
    try await Scratch.with { scratch in
      let agent = try Agent(
        scratch, .development,
        settings: """
          plugin "raw_exec" {
            config {
              enabled        = true
              denied_envvars = ["SECRET_*"]
            }
          }
          """)
      try await agent.start()
      try await agent.submit(
        "raw",
        shellJob(
          "raw",
          script: """
            id -u; readlink /proc/self/ns/mnt; env | grep -c -E '^(SECRET_A|OTHER)=' ; pwd
            setsid sleep 98765 & sleep 98765
            """,
          driver: "raw_exec",
          task: "env {\n SECRET_A = \"1\"\n OTHER = \"2\"\n DENIED = \"3\"\n}\nkill_timeout = \"1s\""
        ).replacing("command = \"/bin/sh\"", with: "command = \"/bin/sh\"\n denied_envvars = [\"OTHER\"]"))
      let allocation = try await agent.allocation(of: "raw", being: "running")
      let host = try FileDescriptor.open("/proc/self/ns", [.readOnly, .directory]).readSymbolicLink("mnt")
      let expected = "0\n\(host)\n0\n\(agent.dataFolder)/alloc/\(allocation.id)/raw\n"
      try await until("the task has told what it sees", orSay: { (try? await agent.log(allocation, "raw")) ?? "" }) {
        try await agent.log(allocation, "raw") == expected
      }
      let inside = try await agent.serai("exec", "-i=false", allocation.short, "readlink", "/proc/self/ns/mnt")
      try #require(inside.output == host + "\n", "\(inside)")
      func sleepers() -> [HostProcess] {
        HostProcess.tasks(cgroup: scratch.name).filter { $0.arguments == ["sleep", "98765"] }
      }
      try #require(sleepers().count == 2)
      try await agent.stop("raw")
      try await until("what had a session of its own has ended, too") { sleepers().isEmpty }
    }
  }

  @Test func endsAreReportedWithTheirCause() async throws {
    try await Scratch.with { scratch in
      let agent = try await Agent.development(scratch)
      func terminated(_ name: String, _ text: String, _ job: String) async throws {
        try await agent.submit(name, job)
        let failed = try await agent.allocation(of: name, being: "failed")
        try #require(failed.task.messages.contains { $0.contains(text) }, "\(name): \(failed.task.messages)")
      }
      try await terminated("code", "Terminated: Exit Code: 7", job("code", script: "exit 7"))
      try await terminated("signal", "Exit Code: 139, Signal: 11", job("signal", script: "kill -SEGV $$; sleep 10"))
      try await terminated(
        "memory", "OOM Killed: the task needed more than its memory limit of 32 MiB",
        job("memory", script: "x=$(head -c 200000000 /dev/zero | tr '\\0' x); echo $x | wc -c", memory: 32))
      let missing = job("missing", script: "true").replacing("\"/bin/sh\"", with: "\"no-such-program\"")
      try await terminated("missing", "looked for /local/no-such-program, /no-such-program, /usr/local/sbin", missing)
      let user = job("user", script: "true", task: "user = \"no-such-user\"")
      try await terminated("user", "it is not in the task's /etc/passwd", user)
    }
  }

  @Test func tasksOfAGroupFollowTheirLifecycle() async throws {
    try await Scratch.with { scratch in
      let agent = try await Agent.development(scratch)
      func task(_ name: String, _ script: String, _ more: String) -> String {
        """
        task "\(name)" {
          \(more)
          driver = "exec"
          config {
            command = "/bin/sh"
            args    = ["-c", \(JSON.text(JSONValue.string(script)))]
          }
        }

        """
      }
      try await agent.submit(
        "lifecycle",
        """
        job "lifecycle" {
          type = "batch"
          group "g" {
            \(task("wait", "echo wait >> /alloc/data/order", "lifecycle {\n hook = \"prestart\"\n}"))
            \(task("web", "echo web >> /alloc/data/order; for i in 1 2 3 4 5; do echo line $i; sleep 0.2; done", "leader = true"))
            \(task("beside", "echo beside >> /alloc/data/order", "lifecycle {\n hook = \"poststart\"\n}"))
            \(task("shipper", "trap 'sleep 2; kill $p; exit 0' INT; touch local/copy.log; tail -s 0.1 -n +1 -F /alloc/logs/web.stdout.0 > local/copy.log 2>/dev/null & p=$!; wait", "kill_timeout = \"15s\"\nlifecycle {\n hook = \"prestart\"\n sidecar = true\n}"))
            \(task("cleanup", "echo cleanup >> /alloc/data/order", "lifecycle {\n hook = \"poststop\"\n}"))
          }
        }

        """)
      let done = try await agent.allocation(of: "lifecycle", being: "complete")
      try #require(done.tasks.values.allSatisfy { !$0.failed && $0.state == "dead" })
      let folder = "\(agent.dataFolder)/alloc/\(done.id)"
      let order = try Files.readText("\(folder)/alloc/data/order").split(separator: "\n").map(String.init)
      try #require(order == ["wait", "web", "beside", "cleanup"], "\(order)")
      try #require(try Files.readText("\(folder)/shipper/local/copy.log") == "line 1\nline 2\nline 3\nline 4\nline 5\n")
    }
  }
}
