import Codec
import Glibc
import HTTP
import Linux
import Testing

/// `alloc exec`: commands inside running tasks, by the command line and by the API.
@Suite(.enabled(if: isRoot, needsRoot), .timeLimit(.minutes(5))) struct ExecSessionTests {
  private static let job = shellJob(
    "host", script: "echo ready; exec sleep 100000", task: "env {\n COLOR = \"blue\"\n}")

  /// Runs a shell line in which `serai` is the program, against an agent.
  private func shell(_ agent: Agent, _ line: String) async throws -> Outcome {
    try await agent.scratch.run(
      "/bin/sh", ["-c", line],
      environment: ["NOMAD_ADDR": agent.address, "serai": try Programs.path("serai")])
  }

  @Test func streamsAndStatusPassThrough() async throws {
    try await Scratch.with { scratch in
      let agent = try await Agent.development(scratch)
      try await agent.submit("host", Self.job)
      let allocation = try await agent.allocation(of: "host", being: "running")
      let id = allocation.short

      let plain = try await agent.serai(
        "alloc", "exec", "-i=false", id, "/bin/sh", "-c", "id -un; echo $COLOR; pwd; echo err >&2; exit 7")
      try #require(plain.code == 7 && plain.output == "nobody\nblue\n/\n" && plain.errors == "err\n", "\(plain)")
      let alias = try await agent.serai("exec", "-i=false", "-task", "host", "-job", "host", "echo", "-n", "x")
      try #require(alias.code == 0 && alias.output == "x", "\(alias)")

      // A megabyte there and back, then the end of the input.
      let echoed = try await shell(
        agent, "head -c 1000000 /dev/urandom > r && $serai exec \(id) cat < r | cmp - r && echo same")
      try #require(echoed.output == "same\n", "\(echoed)")
      let killed = try await agent.serai("exec", "-i=false", id, "/bin/sh", "-c", "kill -9 $$")
      try #require(killed.code == 137, "\(killed)")
      let missing = try await agent.serai("exec", "-i=false", id, "no-such-program")
      try #require(missing.code == 127 && missing.errors.contains("ENOENT"), "\(missing)")
      let directory = try await agent.serai("exec", "-i=false", id, "/local")
      try #require(directory.code == 126 && directory.errors.contains("EACCES"), "\(directory)")
      // What a command leaves behind does not hold the session.
      let background = try await agent.serai("exec", "-i=false", id, "/bin/sh", "-c", "sleep 1000 & echo done")
      try #require(background.code == 0 && background.output == "done\n", "\(background)")
    }
  }

  @Test func refusalsSayWhy() async throws {
    try await Scratch.with { scratch in
      let agent = try await Agent.development(scratch)
      try await agent.submit("host", Self.job)
      let allocation = try await agent.allocation(of: "host", being: "running")
      let id = allocation.short
      let task = try await agent.serai("exec", "-task", "other", id, "true")
      try #require(task.code == 1 && task.errors.contains("it has host"), "\(task)")
      let nothing = try await agent.serai("exec", id)
      try #require(nothing.code == 1 && nothing.errors.contains("needs a command"), "\(nothing)")
      let unknown = try await agent.serai("exec", "ffffffff", "true")
      try #require(unknown.code == 1 && unknown.errors.contains("ffffffff"), "\(unknown)")
      let path = "/v1/client/allocation/\(allocation.id)/exec"
      for (query, words) in [
        ("?task=host", "command is not present"), ("?command=ls", "JSON list"),
        ("?command=%5B%22ls%22%5D&task=other", "it has host"), ("?command=%5B%22ls%22%5D", "WebSocket"),
      ] {
        let answer = try await agent.request(.get, path + query)
        try #require(answer.status.rawValue >= 400 && answer.text.contains(words), "\(query): \(answer)")
      }
      try await agent.succeeds("job", "stop", "-detach", "host")
      try await until("the task has ended") {
        try await agent.allocations(of: "host").allSatisfy { $0.status != "running" }
      }
      let ended = try await agent.serai("exec", "-i=false", allocation.id, "true")
      try #require(ended.code == 1 && ended.errors.contains("is not running"), "\(ended)")
    }
  }

  /// Plays a user at a terminal of 33 lines and 101 columns; prints what it saw and the command's status.
  private static let player = """
    import os, pty, sys, time, select, fcntl, termios, struct, signal
    pid, fd = pty.fork()
    if pid == 0:
        os.execv(sys.argv[1], sys.argv[1:])
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 33, 101, 0, 0))
    seen = b""
    def wait(text):
        global seen
        end = time.time() + 60
        while text not in seen and time.time() < end:
            if select.select([fd], [], [], 0.1)[0]:
                try: seen += os.read(fd, 4096)
                except OSError: break
        print("saw" if text in seen else "missed", text.decode())
        seen = seen.split(text, 1)[-1]
    def send(text): os.write(fd, text)
    send(b"test -t 0 && echo term''inal; tty; stty size; echo $TERM\\r")
    wait(b"terminal"); wait(b"/dev/pts/0"); wait(b"33 101"); wait(b"xterm")
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    os.kill(pid, signal.SIGWINCH)
    for i in range(100):
        send(b"stty size\\r"); time.sleep(0.05)
        if select.select([fd], [], [], 0.05)[0]: seen += os.read(fd, 4096)
        if b"40 120" in seen: break
    wait(b"40 120")
    send(b"echo be''fore; sleep 1000\\r"); wait(b"before")
    time.sleep(0.3)
    send(b"\\x03"); send(b"echo after=$?\\r"); wait(b"after=130")
    send(b"~.\\r" if os.environ.get("LEAVE") else b"exit 5\\r")
    try:
        while os.read(fd, 4096): pass
    except OSError: pass
    print("status", os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    """

  @Test func aTerminalHasSizeSignalsAndAnEscape() async throws {
    try await Scratch.with { scratch in
      let agent = try await Agent.development(scratch)
      try await agent.submit("host", Self.job)
      let id = try await agent.allocation(of: "host", being: "running").short
      let player = try scratch.write("player.py", Self.player)
      let seen = "saw terminal\nsaw /dev/pts/0\nsaw 33 101\nsaw xterm\nsaw 40 120\nsaw before\nsaw after=130\n"
      let exits = try await shell(agent, "python3 \(player) $serai exec \(id) /bin/sh")
      try #require(exits.output == seen + "status 5\n", "\(exits)")
      let leaves = try await shell(agent, "LEAVE=1 python3 \(player) $serai exec \(id) /bin/sh")
      try #require(leaves.output == seen + "status 0\n", "\(leaves)")
      try await until("the shell that was left has ended") {
        HostProcess.tasks(cgroup: scratch.name).allSatisfy { $0.arguments != ["/bin/sh"] }
      }
    }
  }

  @Test func whoLeavesEndsTheCommand() async throws {
    try await Scratch.with { scratch in
      let agent = try await Agent.development(scratch)
      try await agent.submit("host", Self.job)
      let id = try await agent.allocation(of: "host", being: "running").short
      func sleepers() -> [HostProcess] {
        HostProcess.tasks(cgroup: scratch.name).filter { $0.arguments == ["sleep", "54321"] }
      }
      let session = Task { try await shell(agent, "exec $serai exec -i=false \(id) /bin/sh -c 'sleep 54321; true'") }
      try await until("the command runs") { !sleepers().isEmpty }
      for process in HostProcess.mentioning("sleep 54321; true") where process.arguments.contains("exec") {
        kill(process.pid, SIGKILL)
      }
      try await until("the command and its children are gone") { sleepers().isEmpty }
      _ = try await session.value
      // The agent dies: so do the sessions that it carried; the task lives on.
      let second = Task { try await shell(agent, "exec $serai exec -i=false \(id) sleep 54321") }
      try await until("the command runs") { !sleepers().isEmpty }
      try await agent.kill()
      try await until("the agent's sessions are gone") { sleepers().isEmpty }
      try #require(try await second.value.code == 1)
      try #require(HostProcess.tasks(cgroup: scratch.name).contains { $0.arguments.contains("100000") })
    }
  }

  @Test func anyAgentHandsTheSessionOn() async throws {
    try await Scratch.with { scratch in
      let server = try Agent(scratch, .server, label: "server")
      try await server.start()
      let first = try Agent(
        scratch, .client(server: server.rpcPort), label: "first", clientSettings: "meta {\n place = \"first\"\n}",
        ownCgroup: true)
      let second = try Agent(
        scratch, .client(server: server.rpcPort), label: "second", settings: "", ownCgroup: true)
      try await first.start()
      try await second.start()
      try await until("both nodes are ready") {
        (try await server.get("/v1/nodes").arrayValue ?? []).filter { $0["Status"] == "ready" }.count == 2
      }
      let job = Self.job.replacing(
        "group \"host\" {",
        with: "constraint {\n attribute = \"${meta.place}\"\n value = \"first\"\n}\ngroup \"host\" {")
      try await server.submit("host", job)
      let allocation = try await server.allocation(of: "host", being: "running")
      // On the node itself, over a server, and over another client and a server.
      for agent in [first, server, second] {
        let echoed = try await shell(
          agent, "head -c 300000 /dev/urandom > r && $serai exec \(allocation.short) cat < r | cmp - r && echo same")
        try #require(echoed.output == "same\n", "\(agent.label): \(echoed)")
        let status = try await agent.serai("exec", "-i=false", allocation.short, "/bin/sh", "-c", "exit 9")
        try #require(status.code == 9, "\(agent.label): \(status)")
        let refused = try await agent.request(
          .get, "/v1/client/allocation/\(allocation.id)/exec?command=%5B%22ls%22%5D&task=other")
        try #require(refused.status == .notFound && refused.text.contains("it has host"), "\(agent.label): \(refused)")
      }
    }
  }

  @Test func aNodeCanForbidIt() async throws {
    try await Scratch.with { scratch in
      let agent = try await Agent.development(scratch, clientSettings: "disable_remote_exec = true")
      try await agent.submit("host", Self.job)
      let id = try await agent.allocation(of: "host", being: "running").short
      let refused = try await agent.serai("exec", "-i=false", id, "true")
      try #require(refused.code == 1 && refused.errors.contains("disable_remote_exec"), "\(refused)")
    }
  }
}
