import Testing

@testable import CommandLine

/// The texts that people read, against agents' answers. Sections, columns and spellings are those of Nomad's own program.
@Suite(.timeLimit(.minutes(10))) struct OutputTests {
  @Test func jobStatusLists() async throws {
    let (outcome, agent) = try await FakeAgent.run(["job", "status"], ["GET /v1/jobs": [.init(Canned.jobs)]])
    #expect(
      outcome.output == """
        ID     Type     Priority  Status   Submit Date
        hello  service  50        running  2026-07-23T12:22:08Z

        """)
    #expect(outcome.status == 0 && outcome.errors == "" && agent.asked == ["GET /v1/jobs"])
    let none = try await FakeAgent.run(["status"], ["GET /v1/jobs": ["[]"]]).outcome
    #expect(none.output == "No running jobs\n")
  }

  @Test func jobStatusShowsOne() async throws {
    let (outcome, _) = try await FakeAgent.run(
      ["job", "status", "hel"],
      [
        "GET /v1/jobs": [.init(Canned.jobs)], "GET /v1/job/hello": [.init(Canned.job)],
        "GET /v1/job/hello/summary": [.init(Canned.summary)], "GET /v1/job/hello/evaluations": ["[]"],
        "GET /v1/job/hello/deployment": [.init(Canned.deployment("successful"))],
        "GET /v1/job/hello/allocations": [.init("[\(Canned.allocationStub)]")],
      ])
    #expect(outcome.errors == "")
    #expect(
      outcome.output == """
        ID            = hello
        Name          = hello
        Submit Date   = 2026-07-23T12:22:08Z
        Type          = service
        Priority      = 50
        Datacenters   = dc1
        Namespace     = default
        Node Pool     = default
        Status        = running
        Periodic      = false
        Parameterized = false

        Summary
        Task Group  Queued  Starting  Running  Failed  Complete  Lost  Unknown
        example     0       0         1        1       13        0     0

        Latest Deployment
        ID          = f7b6bd26
        Status      = successful
        Description = Deployment completed successfully

        Deployed
        Task Group  Desired  Placed  Healthy  Unhealthy  Progress Deadline
        example     1        1       1        0          2026-07-23T12:32:22Z

        Allocations
        ID        Node ID   Task Group  Version  Desired  Status   Created     Modified
        ef92c6bb  09592e86  example     27       run      running  13m17s ago  12m59s ago

        """)
  }

  @Test func allocStatusShowsOne() async throws {
    let (outcome, agent) = try await FakeAgent.run(
      ["alloc", "status", "ef92c6bb"],
      [
        "GET /v1/allocations": [.init("[\(Canned.allocationStub)]")],
        "GET /v1/allocation/\(Canned.allocation)": [.init(Canned.wholeAllocation)],
        "GET /v1/client/allocation/\(Canned.allocation)/stats": [.init(Canned.usage)],
      ])
    #expect(agent.asked.first == "GET /v1/allocations?prefix=ef92c6bb&namespace=%2A")
    #expect(outcome.errors == "")
    #expect(
      outcome.output == """
        ID                  = ef92c6bb-fcd4-54a5-4253-536e33f0d2a1
        Eval ID             = 0302ca06
        Name                = hello.example[0]
        Node ID             = 09592e86
        Node Name           = client1
        Job ID              = hello
        Job Version         = 27
        Client Status       = running
        Client Description  = Tasks are running
        Desired Status      = run
        Desired Description = <none>
        Created             = 13m17s ago
        Modified            = 12m59s ago
        Deployment ID       = f7b6bd26
        Deployment Health   = healthy

        Allocation Addresses:
        Label  Dynamic  Address
        *http  yes      172.30.200.189:5678

        Task "server" is "running"
        Task Resources:
        CPU        Memory           Disk     Addresses
        2/100 MHz  788 KiB/128 MiB  300 MiB  http: 172.30.200.189:5678

        Task Events:
        Started At     = 2026-07-23T12:22:12Z
        Finished At    = N/A
        Total Restarts = 0
        Last Restart   = N/A

        Recent Events:
        Time                  Type      Description
        2026-07-23T12:22:12Z  Started   Task started by client
        2026-07-23T12:22:08Z  Received  Task received by client

        """)
  }

  @Test func nodeStatusListsAndShows() async throws {
    let stub = """
      [{"ID": "\(Canned.node)", "Name": "client1", "Datacenter": "dc1", "NodePool": "default", "NodeClass": "",
        "Drain": false, "SchedulingEligibility": "eligible", "Status": "ready"}]
      """
    let list = try await FakeAgent.run(["node", "status"], ["GET /v1/nodes": [.init(stub)]]).outcome
    #expect(
      list.output == """
        ID        Node Pool  DC   Name     Class   Drain  Eligibility  Status
        09592e86  default    dc1  client1  <none>  false  eligible     ready

        """)
    let node = """
      {"ID": "\(Canned.node)", "Name": "client1", "Datacenter": "dc1", "NodePool": "default", "Status": "ready",
       "SchedulingEligibility": "eligible", "Drivers": {"exec": {"Detected": true, "Healthy": true}, "java": {"Detected": false}},
       "NodeResources": {"Cpu": {"CpuShares": 4000}, "Memory": {"MemoryMB": 2048}, "Disk": {"DiskMB": 10240}},
       "Events": [{"Timestamp": "2026-07-23T12:00:00Z", "Subsystem": "Cluster", "Message": "Node registered"}]}
      """
    let (one, _) = try await FakeAgent.run(
      ["node", "status", "client1"],
      [
        "GET /v1/nodes": [.init(stub)], "GET /v1/node/\(Canned.node)": [.init(node)],
        "GET /v1/node/\(Canned.node)/allocations": [.init("[\(Canned.wholeAllocation)]")],
      ])
    #expect(one.errors == "")
    #expect(
      one.output == """
        ID              = 09592e86-2222-4222-8222-000000000002
        Name            = client1
        Node Pool       = default
        Class           = <none>
        DC              = dc1
        Drain           = false
        Eligibility     = eligible
        Status          = ready
        CSI Controllers = <none>
        CSI Drivers     = <none>
        Host Volumes    = <none>
        Host Networks   = <none>
        Driver Status   = exec

        Node Events
        Time                  Subsystem  Message
        2026-07-23T12:00:00Z  Cluster    Node registered

        Allocated Resources
        CPU           Memory         Disk
        100/4000 MHz  128 MiB/2 GiB  300 MiB/10 GiB

        Allocations
        ID        Node ID   Task Group  Version  Desired  Status   Created     Modified
        ef92c6bb  09592e86  example     27       run      running  13m17s ago  12m59s ago

        """)
  }

  @Test func jsonAndTemplatesPrintTheAnswer() async throws {
    let answers: [String: [FakeAgent.Answer]] = ["GET /v1/jobs": [.init(Canned.jobs)]]
    let json = try await FakeAgent.run(["job", "status", "-json"], answers).outcome
    #expect(json.output.hasPrefix("[\n") && json.output.contains(#""SubmitTime": \#(Canned.created)"#))
    let template = try await FakeAgent.run(
      ["job", "status", "-t", "{{range .}}{{.ID}} {{.Priority}} {{.SubmitTime}} {{.Nope}}{{end}}"], answers
    ).outcome
    #expect(template.output == "hello 50 \(Canned.created) <no value>" && template.status == 0)
    let bad = try await FakeAgent.run(["job", "status", "-t", "{{range"], answers).outcome
    #expect(bad.status == 1 && bad.errors.hasPrefix("Error formatting the data: ") && bad.output == "")
  }

  @Test func colourIsForTerminalsAndThoseWhoForceIt() async throws {
    let answers: [String: [FakeAgent.Answer]] = ["GET /v1/agent/self": [#"{"stats": {"client": {"node_id": "x"}}}"#]]
    let plain = try await FakeAgent.run(["agent-info"], answers).outcome
    #expect(plain.output == "client\n  node_id = x\n")
    let forced = try await FakeAgent.run(["agent-info", "-force-color"], answers).outcome
    #expect(forced.output == "\u{1b}[1mclient\u{1b}[0m\n  node_id = x\n")
    let forbidden = try await FakeAgent.run(["agent-info", "-force-color", "-no-color"], answers).outcome
    #expect(forbidden.output == plain.output)
  }
}
