import Codec
import HTTP
import Linux
import Testing

/// The first job of the documentation, by the command line as a person uses it.
@Suite(.enabled(if: isRoot, needsRoot), .timeLimit(.minutes(40))) struct HelloJobTests {
  private static let job = """
    job "hello" {
      datacenters = ["dc1"]
      type        = "service"
      update { min_healthy_time = "1s" }

      group "example" {
        count = 1
        network {
          port "http" {}
        }
        task "hello" {
          driver = "exec"
          config {
            command = "/bin/sh"
            args = ["-c", <<-EOS
              id; echo "pid $$"; env | grep ^NOMAD_ | sort; echo "greeting $GREETING"
              echo "hello from ${NOMAD_ALLOC_NAME}" > local/greeting.txt
              echo "to stderr" >&2
              i=0; while true; do i=$((i+1)); echo "tick $i port $NOMAD_PORT_http"; sleep 1; done
            EOS
            ]
          }
          env {
            GREETING = "hello ${node.unique.name} in ${node.datacenter}"
          }
          resources {
            cpu    = 100
            memory = 64
          }
        }
      }
    }

    """

  @Test func isolatedTaskRunsAndTheCommandLineShowsIt() async throws {
    try await Scratch.with { scratch in
      let agent = try await Agent.development(scratch)
      let file = try scratch.write("hello.nomad.hcl", Self.job)
      let planned = try await agent.serai("job", "plan", file)
      try #require(planned.code == 1, "a job that is not registered is a change: \(planned)")
      try #require(planned.output.contains("All tasks successfully allocated"))

      let run = try await agent.succeeds("job", "run", file)
      for text in [
        "Monitoring evaluation \"", "Evaluation triggered by job \"hello\"", "group \"example\"",
        "finished with status \"complete\"",
        "Monitoring deployment \"", "successful",
      ] {
        try #require(run.contains(text), "job run prints \(text): \(run)")
      }
      let again = try await agent.serai("job", "plan", file)
      try #require(again.code == 0, "nothing to change after the run: \(again)")

      let allocation = try await agent.allocation(of: "hello", being: "running")
      try await checkLog(agent, allocation)
      try await checkFiles(agent, allocation)
      try await checkStatusCommands(agent, allocation)
      try await checkFormats(agent, allocation)

      let stop = try await agent.succeeds("job", "stop", "-purge", "hello")
      try #require(stop.contains("finished with status \"complete\""))
      try await until("the purged job is gone") { try await agent.serai("job", "status", "hello").code == 1 }
      try await until("nothing of the task is left") { HostProcess.tasks(cgroup: scratch.name).isEmpty }
      try await until("no control group of the task is left", orSay: { "\(AgentCgroups(name: scratch.name).ofTasks)" })
      {
        AgentCgroups(name: scratch.name).ofTasks.isEmpty
      }
      try #require(try await agent.succeeds("status").contains("No running jobs"))
      let end = try await agent.terminate()
      try #require(end.exitCode == 0, "the agent ends in order: \(end)")
      try #require(HostProcess.inside(cgroup: scratch.name).isEmpty, "a development agent leaves no process")
    }
  }

  private func checkLog(_ agent: Agent, _ allocation: Allocation) async throws {
    let log = try await eventually("the log has two ticks") {
      let log = try await agent.succeeds("alloc", "logs", allocation.short)
      return log.contains("tick 2 port") ? log : nil
    }
    let lines = log.split(separator: "\n").map(String.init)
    try #require(lines.first?.hasPrefix("uid=65534(nobody) gid=65534(nogroup)") == true, "\(log)")
    try #require(lines.contains("pid 1") || lines.contains("pid 2"), "\(log)")
    var variables: [String: String] = [:]
    for line in lines where line.hasPrefix("NOMAD_") {
      let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      variables[String(parts[0])] = parts.count > 1 ? String(parts[1]) : nil
    }
    let expected = [
      "NOMAD_ALLOC_ID": allocation.id, "NOMAD_SHORT_ALLOC_ID": allocation.short, "NOMAD_ALLOC_NAME": "hello.example[0]",
      "NOMAD_ALLOC_INDEX": "0", "NOMAD_ALLOC_DIR": "/alloc", "NOMAD_TASK_DIR": "/local",
      "NOMAD_SECRETS_DIR": "/secrets",
      "NOMAD_CPU_LIMIT": "100", "NOMAD_MEMORY_LIMIT": "64", "NOMAD_JOB_ID": "hello", "NOMAD_JOB_NAME": "hello",
      "NOMAD_GROUP_NAME": "example", "NOMAD_TASK_NAME": "hello", "NOMAD_DC": "dc1", "NOMAD_REGION": "global",
      "NOMAD_NAMESPACE": "default",
    ]
    for (name, value) in expected {
      try #require(variables[name] == value, "\(name) is \(variables[name] ?? "not there")")
    }
    let port = try #require(variables["NOMAD_PORT_http"].flatMap { Int($0) })
    try #require((20000...32000).contains(port))
    try #require(variables["NOMAD_HOST_PORT_http"] == "\(port)")
    try #require(variables["NOMAD_ADDR_http"]?.hasSuffix(":\(port)") == true)
    try #require(lines.contains("greeting hello agent in dc1"))
    try #require(lines.contains("tick 1 port \(port)"))
    try #require(try await agent.succeeds("alloc", "logs", "-stderr", allocation.short) == "to stderr\n")
    let tail = try await agent.succeeds("alloc", "logs", "-tail", "-n", "1", allocation.short, "hello")
    try #require(tail.hasPrefix("tick ") && tail.split(separator: "\n").count == 1, "\(tail)")
    try #require(try await agent.succeeds("logs", "-job", "hello").hasPrefix("uid=65534"))
  }

  private func checkFiles(_ agent: Agent, _ allocation: Allocation) async throws {
    let listed = try await agent.succeeds("alloc", "fs", allocation.short, "hello/local")
    try #require(listed.contains("greeting.txt"), "\(listed)")
    let text = try await agent.succeeds("alloc", "fs", allocation.short, "hello/local/greeting.txt")
    try #require(text == "hello from hello.example[0]\n")
    let logs = try await agent.succeeds("alloc", "fs", allocation.short, "alloc/logs")
    try #require(logs.contains("hello.stdout.0") && logs.contains("hello.stderr.0"), "\(logs)")
    let outside = try await agent.serai("alloc", "fs", allocation.short, "../../../etc/passwd")
    try #require(outside.code == 1, "paths stay in the allocation's directory: \(outside)")
    let missing = try await agent.serai("alloc", "fs", allocation.short, "hello/local/nothing")
    try #require(missing.code == 1 && missing.errors.contains("nothing"), "\(missing)")
  }

  private func checkStatusCommands(_ agent: Agent, _ allocation: Allocation) async throws {
    let jobs = try await agent.succeeds("job", "status")
    try #require(jobs.contains("hello") && jobs.contains("service") && jobs.contains("running"), "\(jobs)")
    let job = try await agent.succeeds("job", "status", "hello")
    for text in ["Summary", "Latest Deployment", "Allocations", allocation.short, "example"] {
      try #require(job.contains(text), "job status shows \(text): \(job)")
    }
    let status = try await agent.succeeds("alloc", "status", allocation.short)
    for text in [
      "Allocation Addresses", "*http", "Task \"hello\" is \"running\"", "Task Resources", "Recent Events", "Received",
      "Task Setup", "Started", "Task started by client", "100 MHz", "64 MiB",
    ] { try #require(status.contains(text), "alloc status shows \(text): \(status)") }
    let nodes = try await agent.succeeds("node", "status")
    try #require(nodes.contains("ready") && nodes.contains("eligible"), "\(nodes)")
    let node = try #require(try await agent.get("/v1/nodes").arrayValue?.first?["ID"]?.stringValue)
    let shown = try await agent.succeeds("node", "status", String(node.prefix(8)))
    try #require(shown.contains(node) && shown.contains("exec") && shown.contains(allocation.short), "\(shown)")
    let evaluation = try #require(allocation.json["EvalID"]?.stringValue)
    let evaluated = try await agent.succeeds("eval", "status", String(evaluation.prefix(8)))
    try #require(evaluated.contains("job-register") && evaluated.contains("complete"), "\(evaluated)")
    let servers = try await agent.succeeds("server", "members")
    try #require(
      servers.contains("agent.global") && servers.contains("alive") && servers.contains("true"), "\(servers)")
    // `status` finds out what an id belongs to.
    // The table of allocations, which tells how long ago something was, comes last.
    let beginning = job.prefix(job.count / 2)
    try #require(try await agent.succeeds("status", "hello").hasPrefix(beginning))
    try #require(try await agent.succeeds("status", allocation.short).contains("Task \"hello\" is \"running\""))
    try #require(try await agent.succeeds("status", String(node.prefix(8))).contains(node))
    let unknown = try await agent.serai("alloc", "status", "ffffffff")
    try #require(unknown.code == 1 && unknown.errors.contains("ffffffff"), "\(unknown)")
    try #require(try await agent.succeeds("job", "inspect", "hello").contains("\"TaskGroups\""))
    try #require(try await agent.serai("job", "validate", "\(agent.scratch.folder)/hello.nomad.hcl").code == 0)
    try #require(try await agent.succeeds("version").hasPrefix("Serai v"))
  }

  private func checkFormats(_ agent: Agent, _ allocation: Allocation) async throws {
    func json(_ arguments: String...) async throws -> JSONValue {
      let outcome = try await agent.scratch.run(
        try Programs.path("serai"), arguments, environment: ["NOMAD_ADDR": agent.address])
      try #require(outcome.code == 0, "\(outcome)")
      return try JSON.decode(JSONValue.self, from: Array(outcome.output.utf8))
    }
    try #require(try await json("alloc", "status", "-json", allocation.short)["ID"]?.stringValue == allocation.id)
    try #require(try await json("job", "status", "-json", "hello")["ID"] == "hello")
    try #require(try await json("node", "status", "-json").arrayValue?.first?["Status"] == "ready")
    try #require(try await json("job", "status", "-json").arrayValue?.count == 1)
    let named = try await agent.succeeds("alloc", "status", "-t", "{{.Name}} {{.ClientStatus}}", allocation.short)
    try #require(named == "hello.example[0] running")
    let listed = try await agent.succeeds("job", "status", "-t", "{{range .}}{{.ID}}:{{.Status}}{{end}}")
    try #require(listed == "hello:running")
    try #require(try await agent.succeeds("node", "status", "-t", "{{range .}}{{.Status}}{{end}}") == "ready")
  }
}
