import Codec
import Glibc
import Linux
import Model
import Storage
import Testing
import Transport

@testable import Client

/// A client with real tasks under a real supervisor, and servers played by the test.
@Suite(.enabled(if: isRoot, needsRoot), .timeLimit(.minutes(10))) struct ClientTests {
  private func withClient(_ body: (ClientFixture, Client) async throws -> Void) async throws {
    let fixture = try ClientFixture()
    do {
      try await body(fixture, try await fixture.start())
    } catch {
      await fixture.cleanUp()
      throw error
    }
    await fixture.cleanUp()
  }

  @Test func anExecServiceRunsIsolatedIsShownAndStops() async throws {
    try await withClient { fixture, client in
      var task = makeTask(
        script: """
          id -u; echo "pid $$"; env | sort; echo "hello from ${NOMAD_ALLOC_NAME}" > local/greeting.txt
          trap 'exit 0' INT; while true; do sleep 0.05; done
          """)
      task.env = ["GREETING": "hello ${node.unique.name} in ${node.datacenter} class ${node.class}"]
      let allocation = makeAllocation(tasks: [task])
      fixture.server.put(allocation)
      let running = try await fixture.server.update(of: allocation.id, "running") { $0.clientStatus == .running }
      #expect(running.clientDescription == "Tasks are running")
      #expect(
        running.taskStates["main"]?.events.map(\.type.rawValue) == ["Received", "Task Setup", "Started"])
      try await eventually("the output") { fixture.logText(allocation, "main").contains("PATH=") }
      let log = fixture.logText(allocation, "main")
      #expect(log.hasPrefix("65534\n"))
      #expect(log.contains("NOMAD_ALLOC_DIR=/alloc\n") && log.contains("NOMAD_TASK_DIR=/local\n"))
      #expect(log.contains("NOMAD_MEMORY_LIMIT=64\n") && log.contains("NOMAD_ALLOC_ID=\(allocation.id)\n"))
      #expect(log.contains("GREETING=hello \(fixture.name) in dc1 class test\n"))

      let files = try await client.files(ofAllocation: allocation.id)
      #expect(try await files.list("/").map(\.name) == ["alloc", "main"])
      #expect(try await files.list("main/local").map(\.name) == ["greeting.txt"])
      let bytes = try await files.read("main/local/greeting.txt", offset: 0, limit: 100)
      #expect(String(decoding: bytes, as: UTF8.self) == "hello from job.group[0]\n")
      let usage = try await client.usage(ofAllocation: allocation.id)
      #expect((usage.tasks["main"]?.resourceUsage?.memoryStats?.usage ?? 0) > 0)

      fixture.server.stop(allocation.id)
      let done = try await fixture.server.update(of: allocation.id, "complete") { $0.clientStatus == .complete }
      #expect(
        done.taskStates["main"]?.events.map(\.displayMessage).suffix(3) == [
          "Sent interrupt. Waiting 5s before force killing", "Exit Code: 0", "Task successfully killed",
        ])
      fixture.server.remove(allocation.id)
      try await eventually("the directory is gone") { !Files.exists("\(fixture.base)/alloc/\(allocation.id)") }
    }
  }

  @Test func aBatchTaskThatFailsTwiceIsRestartedAndCompletes() async throws {
    try await withClient { fixture, _ in
      var task = makeTask(
        script:
          "n=$(cat $NOMAD_ALLOC_DIR/data/n 2>/dev/null || echo 0); n=$((n+1)); echo $n > $NOMAD_ALLOC_DIR/data/n; "
          + "echo try $n; [ $n -ge 3 ] || exit 7")
      task.restartPolicy?.attempts = 3
      let allocation = makeAllocation(type: "batch", tasks: [task])
      fixture.server.put(allocation)
      let done = try await fixture.server.update(of: allocation.id, "complete") { $0.clientStatus == .complete }
      #expect(done.taskStates["main"]?.restarts == 2 && done.taskStates["main"]?.failed == false)
      #expect(done.taskStates["main"]?.events.map(\.displayMessage).filter { $0 == "Exit Code: 7" }.count == 2)
      #expect(fixture.logText(allocation, "main") == "try 1\ntry 2\ntry 3\n")
    }
  }

  @Test func aRawExecTaskSeesTheHostByItsPaths() async throws {
    try await withClient { fixture, _ in
      let allocation = makeAllocation(
        type: "batch", tasks: [makeTask(driver: "raw_exec", script: "id -u; echo $NOMAD_TASK_DIR; pwd")])
      fixture.server.put(allocation)
      _ = try await fixture.server.update(of: allocation.id, "complete") { $0.clientStatus == .complete }
      let directory = "\(fixture.base)/alloc/\(allocation.id)/main"
      #expect(fixture.logText(allocation, "main") == "0\n\(directory)/local\n\(directory)\n")
    }
  }

  @Test func aTaskThatIgnoresItsSignalIsKilledWithItsChildren() async throws {
    try await withClient { fixture, _ in
      var task = makeTask(
        script: "trap '' INT TERM; (trap '' INT TERM; while :; do sleep 1; done) & echo up; while :; do sleep 1; done")
      task.killTimeout = .milliseconds(200)
      let allocation = makeAllocation(tasks: [task])
      fixture.server.put(allocation)
      try await eventually("up") { fixture.logText(allocation, "main") == "up\n" }
      fixture.server.stop(allocation.id)
      let done = try await fixture.server.update(of: allocation.id, "complete") { $0.clientStatus == .complete }
      #expect(
        done.taskStates["main"]?.events.contains { $0.displayMessage.hasPrefix("Exit Code: 137, Signal: 9") } == true)
    }
  }

  @Test func aCommandThatIsNotThereFailsTheTaskAndSaysWhereItWasLookedFor() async throws {
    try await withClient { fixture, _ in
      var task = makeTask(script: "")
      task.config = ["command": "no-such-program"]
      task.restartPolicy?.attempts = 5
      let allocation = makeAllocation(type: "batch", tasks: [task])
      fixture.server.put(allocation)
      let failed = try await fixture.server.update(of: allocation.id, "failed") { $0.clientStatus == .failed }
      let events = failed.taskStates["main"]?.events ?? []
      #expect(events.contains { $0.type == "Driver Failure" && $0.displayMessage.contains("no-such-program") })
      #expect(events.last?.displayMessage == "Error was unrecoverable")
    }
  }

  @Test func aMemoryHogIsKilledAndTheEventNamesTheLimit() async throws {
    try await withClient { fixture, _ in
      var task = makeTask(script: "head -c 200000000 /dev/zero | tail")
      task.resources?.memoryMB = 20
      let allocation = makeAllocation(type: "batch", tasks: [task])
      fixture.server.put(allocation)
      let failed = try await fixture.server.update(of: allocation.id, "failed") { $0.clientStatus == .failed }
      let event = failed.taskStates["main"]?.events.first { $0.type == .terminated }
      #expect(event?.details["oom_killed"] == "true")
      #expect(event?.displayMessage.contains("memory limit of 20 MiB") == true, "\(event?.displayMessage ?? "")")
    }
  }

  @Test func aPortThatAnotherProgramHoldsFailsTheAllocationBeforeItsTaskBegins() async throws {
    try await withClient { fixture, _ in
      let allocation = makeAllocation(type: "batch", tasks: [makeTask(script: "echo ran")]) { _, allocation in
        var port = PortMapping()
        port.label = "http"
        port.value = Int(fixture.server.port)
        port.hostIP = "127.0.0.1"
        var resources = AllocatedResources()
        resources.shared.ports = [port]
        allocation.allocatedResources = resources
      }
      fixture.server.put(allocation)
      let failed = try await fixture.server.update(of: allocation.id, "failed") { $0.clientStatus == .failed }
      #expect(
        failed.taskStates["main"]?.events.contains {
          $0.type == .setupFailure
            && $0.displayMessage.contains("port \(fixture.server.port) (\"http\") on 127.0.0.1 is taken")
        } == true)
      #expect(fixture.logText(allocation, "main") == "")
    }
  }

  @Test func theNextAgentTakesRunningTasksBackUntouched() async throws {
    try await withClient { fixture, client in
      let nodeID = await client.nodeID
      let script = "echo start; trap 'echo end; exit 3' INT; while true; do sleep 0.05; done"
      let allocation = makeAllocation(tasks: [makeTask(script: script)])
      let short = makeAllocation(
        type: "batch", tasks: [makeTask(script: "until [ -e /local/go ]; do sleep 0.02; done; exit 5")])
      fixture.server.put(allocation)
      fixture.server.put(short)
      for one in [allocation, short] {
        _ = try await fixture.server.update(of: one.id, "running") { $0.clientStatus == .running }
      }
      try await eventually("start") { fixture.logText(allocation, "main") == "start\n" }
      await fixture.leave()
      // One task ends while no agent is there.
      try Files.replace("\(fixture.base)/alloc/\(short.id)/main/local/go", with: [])
      let next = try await fixture.start()
      #expect(await next.nodeID == nodeID)
      let failed = try await fixture.server.update(of: short.id, "failed") { $0.clientStatus == .failed }
      #expect(failed.taskStates["main"]?.events.contains { $0.displayMessage == "Exit Code: 5" } == true)
      let mine = try #require(await next.allocation(allocation.id))
      #expect(mine.clientStatus == .running && mine.taskStates["main"]?.restarts == 0)
      fixture.server.stop(allocation.id)
      let done = try await fixture.server.update(of: allocation.id, "complete") { $0.clientStatus == .complete }
      #expect(done.taskStates["main"]?.events.contains { $0.displayMessage == "Exit Code: 3" } == true)
      #expect(fixture.logText(allocation, "main") == "start\nend\n", "it was started once and saw its signal")
    }
  }

  @Test func tasksOfAnAllocationThatTheServersForgotMeanwhileAreEnded() async throws {
    try await withClient { fixture, _ in
      let allocation = makeAllocation(tasks: [makeTask(script: "while :; do sleep 0.1; done")])
      fixture.server.put(allocation)
      _ = try await fixture.server.update(of: allocation.id, "running") { $0.clientStatus == .running }
      await fixture.leave()
      fixture.server.remove(allocation.id)
      let next = try await fixture.start()
      try await eventually("gone") { await next.allocationIDs.isEmpty }
      #expect(!Files.exists("\(fixture.base)/alloc/\(allocation.id)"))
    }
  }

  @Test func tasksRunOnWithoutAServerAndItIsToldLater() async throws {
    let server = try FakeServer()
    let fixture = try ClientFixture(server: server)
    let client = try await fixture.start()
    let allocation = makeAllocation(
      type: "batch", tasks: [makeTask(script: "until [ -e /local/go ]; do sleep 0.02; done")])
    server.put(allocation)
    _ = try await server.update(of: allocation.id, "running") { $0.clientStatus == .running }
    await server.close()
    try Files.replace("\(fixture.base)/alloc/\(allocation.id)/main/local/go", with: [])
    try await eventually("it ends") { await client.allocation(allocation.id)?.clientStatus == .complete }
    let again = try FakeServer(port: server.port)
    again.put(allocation)
    _ = try await again.update(of: allocation.id, "the late update") { $0.clientStatus == .complete }
    await again.close()
    await fixture.cleanUp()
  }

  @Test func aNodeThatTheServersForgotRegistersAgain() async throws {
    try await withClient { fixture, _ in
      try await eventually("registered") { fixture.server.registrations == 1 }
      let node = try #require(fixture.server.node)
      #expect(node.attributes["driver.exec"] == "1" && node.attributes["driver.raw_exec"] == "1")
      #expect(node.drivers["exec"]?.healthy == true && node.nodeClass == "test" && node.status == .ready)
      fixture.server.forgetNodes()
      try await eventually("registered again") { fixture.server.registrations == 2 }
    }
  }

  @Test func aLogIsFollowedUntilItsTaskEnds() async throws {
    try await withClient { fixture, client in
      let allocation = makeAllocation(
        type: "batch", tasks: [makeTask(script: "for i in 1 2 3; do echo line $i; sleep 0.1; done; echo oops >&2")])
      fixture.server.put(allocation)
      _ = try await fixture.server.update(of: allocation.id, "running") { $0.clientStatus != .pending }
      var reader = try await client.logs(ofAllocation: allocation.id, task: "main", kind: .stdout, follow: true)
      var text = ""
      while let frame = try await reader.next() { text += String(decoding: frame.data.bytes, as: UTF8.self) }
      #expect(text == "line 1\nline 2\nline 3\n")
      var tail = try await client.logs(
        ofAllocation: allocation.id, task: "main", kind: .stdout, offset: 7, fromEnd: true)
      #expect(try await tail.next().map { String(decoding: $0.data.bytes, as: UTF8.self) } == "line 3\n")
    }
  }

  @Test func aUsersRestartAndSignalReachTheTask() async throws {
    try await withClient { fixture, client in
      let allocation = makeAllocation(
        tasks: [makeTask(script: "echo up; trap 'echo hup' HUP; trap 'exit 0' INT; while :; do sleep 0.02; done")])
      fixture.server.put(allocation)
      _ = try await fixture.server.update(of: allocation.id, "running") { $0.clientStatus == .running }
      try await eventually("up") { fixture.logText(allocation, "main") == "up\n" }
      try await client.signal(allocation: allocation.id, signal: "SIGHUP")
      try await eventually("hup") { fixture.logText(allocation, "main") == "up\nhup\n" }
      try await client.restart(allocation: allocation.id)
      try await eventually("up again") { fixture.logText(allocation, "main") == "up\nhup\nup\n" }
      await #expect(throws: ClientError.self) { try await client.signal(allocation: allocation.id, signal: "SIGNOPE") }
      await #expect(throws: ClientError.self) { try await client.restart(allocation: allocation.id, task: "nope") }
    }
  }

  @Test func secretsAndPathsOutsideAreRefused() async throws {
    try await withClient { fixture, client in
      let allocation = makeAllocation(
        type: "batch",
        tasks: [makeTask(script: "ln -s /etc/passwd local/out; ln -s ../secrets local/in; echo x > secrets/s")])
      fixture.server.put(allocation)
      _ = try await fixture.server.update(of: allocation.id, "complete") { $0.clientStatus == .complete }
      let files = try await client.files(ofAllocation: allocation.id)
      for path in [
        "main/secrets", "main/secrets/s", "main/./secrets/s", "main/local/../secrets/s", "../../client/state.db",
        "main/local/out", "main/local/in/s",
      ] {
        await #expect(throws: ClientError.self, "\(path)") { try await files.read(path, offset: 0, limit: 10) }
      }
      #expect(try await files.list("main/local").map(\.fileMode).allSatisfy { $0.hasPrefix("L") })
    }
  }

  @Test func aReplacementWaitsForItsPredecessorAndTakesItsStickyDataOver() async throws {
    try await withClient { fixture, _ in
      func make(_ script: String, after previous: Identifier = .none) -> Allocation {
        makeAllocation(type: "batch", tasks: [makeTask(script: script)]) { job, allocation in
          var disk = EphemeralDisk()
          disk.sticky = true
          job.taskGroups[0].ephemeralDisk = disk
          allocation.previousAllocation = previous
        }
      }
      let first = make(
        "echo mine > /local/f; echo ours > /alloc/data/f; trap 'sleep 0.3; touch /alloc/data/end; exit 0' INT; "
          + "echo up; while :; do sleep 0.02; done")
      fixture.server.put(first)
      try await eventually("up") { fixture.logText(first, "main") == "up\n" }
      fixture.server.stop(first.id)
      let second = make("cat /local/f /alloc/data/f; ls /alloc/data", after: first.id)
      fixture.server.put(second)
      _ = try await fixture.server.update(of: second.id, "complete") { $0.clientStatus == .complete }
      #expect(fixture.logText(second, "main") == "mine\nours\nend\nf\n")
    }
  }

  /// What makes room for others (`StartsAfter`) is waited for, also by the agent that comes after; nothing else is.
  @Test func anAllocationBeginsWhenThoseInWhosePlaceItStandsHaveEnded() async throws {
    try await withClient { fixture, _ in
      let script = "trap 'sleep 0.3; exit 0' INT; echo up; while :; do sleep 0.02; done"
      let first = makeAllocation(tasks: [makeTask(script: script)])
      let second = makeAllocation(tasks: [makeTask(script: script)])
      let bystander = makeAllocation(tasks: [makeTask(script: script)])
      for allocation in [first, second, bystander] { fixture.server.put(allocation) }
      for allocation in [first, second, bystander] {
        try await eventually("up") { fixture.logText(allocation, "main") == "up\n" }
      }
      let waiting = makeAllocation(type: "batch", tasks: [makeTask(script: "echo mine")]) { _, allocation in
        allocation.startsAfter = [first.id, second.id]
      }
      fixture.server.put(waiting)
      fixture.server.stop(first.id)
      _ = try await fixture.server.update(of: first.id, "complete") { $0.clientStatus == .complete }
      await fixture.leave()
      let next = try await fixture.start()
      try await eventually("known") { await next.allocation(waiting.id) != nil }
      #expect(await next.allocation(waiting.id)?.clientStatus == .pending)
      fixture.server.stop(second.id)
      let ended = try await fixture.server.update(of: second.id, "complete") { $0.clientStatus == .complete }
      let done = try await fixture.server.update(of: waiting.id, "complete") { $0.clientStatus == .complete }
      let start = try #require(done.taskStates["main"]?.startedAt)
      #expect((ended.taskStates["main"]?.finishedAt ?? start) <= start)
      #expect(fixture.logText(waiting, "main") == "mine\n")
      fixture.server.stop(bystander.id)
      _ = try await fixture.server.update(of: bystander.id, "complete") { $0.clientStatus == .complete }
    }
  }

  /// "stop_on_client_after: a duration after which a disconnected client stops its allocations"; others run on.
  @Test func withoutServersAnAllocationIsEndedAfterItsTime() async throws {
    try await withClient { fixture, client in
      let script = "trap 'echo end; exit 0' INT; echo up; while :; do sleep 0.02; done"
      let limited = makeAllocation(tasks: [makeTask(script: script)]) { job, _ in
        var disconnect = DisconnectStrategy()
        disconnect.stopOnClientAfter = .seconds(1)
        job.taskGroups[0].disconnect = disconnect
      }
      let other = makeAllocation(tasks: [makeTask(script: script)])
      for allocation in [limited, other] {
        fixture.server.put(allocation)
        _ = try await fixture.server.update(of: allocation.id, "running") { $0.clientStatus == .running }
      }
      await fixture.server.close()
      try await eventually("ended") { await client.allocation(limited.id)?.clientStatus == .complete }
      #expect(fixture.logText(limited, "main") == "up\nend\n")
      #expect(await client.allocation(other.id)?.clientStatus == .running)
    }
  }

  /// An agent that is gone at any moment of a start leaves a task that its successor starts, or finds started: once.
  @Test(arguments: [0, 1, 2, 3, 5, 8, 12, 20])
  func anAgentLostDuringAStartLeadsToOneStart(milliseconds: Int) async throws {
    try await withClient { fixture, _ in
      try await eventually("registered") { fixture.server.registrations == 1 }
      let allocation = makeAllocation(
        tasks: [makeTask(script: "echo start >> /alloc/data/starts; trap 'exit 0' INT; while :; do sleep 0.02; done")])
      fixture.server.put(allocation)
      try await Task.sleep(for: .milliseconds(milliseconds))
      await fixture.leave()
      let next = try await fixture.start()
      try await eventually("running") { await next.allocation(allocation.id)?.clientStatus == .running }
      let starts = "\(fixture.base)/alloc/\(allocation.id)/alloc/data/starts"
      try await eventually("started") { Files.exists(starts) }
      fixture.server.stop(allocation.id)
      _ = try await fixture.server.update(of: allocation.id, "complete") { $0.clientStatus == .complete }
      #expect(try Files.readText(starts) == "start\n")
    }
  }

  @Test func aKilledSupervisorIsReplacedAndItsTasksAreHeldOnTo() async throws {
    try await withClient { fixture, client in
      let allocation = makeAllocation(
        tasks: [makeTask(script: "echo start; trap 'echo end; exit 4' INT; while :; do sleep 0.02; done")])
      fixture.server.put(allocation)
      _ = try await fixture.server.update(of: allocation.id, "running") { $0.clientStatus == .running }
      try await eventually("start") { fixture.logText(allocation, "main") == "start\n" }
      let supervisor = try #require(fixture.supervisorProcess)
      #expect(kill(supervisor, SIGKILL) == 0)
      try await eventually("another supervisor") { fixture.supervisorProcess.map { $0 != supervisor } ?? false }
      fixture.server.stop(allocation.id)
      let done = try await fixture.server.update(of: allocation.id, "complete") { $0.clientStatus == .complete }
      #expect(done.taskStates["main"]?.restarts == 0)
      #expect(fixture.logText(allocation, "main") == "start\nend\n")
    }
  }

  @Test func aGroupsTasksShareADirectoryAndEndTogether() async throws {
    try await withClient { fixture, _ in
      var prestart = makeTask("init", script: "echo ready > /alloc/data/ready")
      var lifecycle = TaskLifecycle()
      lifecycle.hook = "prestart"
      prestart.lifecycle = lifecycle
      let main = makeTask("main", script: "cat /alloc/data/ready; exit 9")
      let other = makeTask("other", script: "trap 'exit 0' INT; while :; do sleep 0.02; done")
      let allocation = makeAllocation(tasks: [main, other, prestart])
      fixture.server.put(allocation)
      let failed = try await fixture.server.update(of: allocation.id, "failed") { $0.clientStatus == .failed }
      #expect(fixture.logText(allocation, "main") == "ready\n")
      #expect(failed.taskStates["other"]?.events.contains { $0.type == .siblingFailed } == true)
      #expect(failed.taskStates.values.allSatisfy { $0.state == .dead })
    }
  }

  @Test func aFullDataDirectoryFailsTheTaskAndNamesTheError() async throws {
    try await withClient { fixture, _ in
      let path = "\(fixture.base)/alloc"
      try #require(mount("tmpfs", path, "tmpfs", 0, "nr_inodes=4") == 0)
      defer { umount2(path, Int32(MNT_DETACH)) }
      let allocation = makeAllocation(type: "batch", tasks: [makeTask(script: "echo ran")])
      fixture.server.put(allocation)
      let failed = try await fixture.server.update(of: allocation.id, "failed") { $0.clientStatus == .failed }
      #expect(
        failed.taskStates["main"]?.events.contains {
          $0.type == .setupFailure && $0.displayMessage.contains("ENOSPC")
        } == true)
    }
  }

  @Test func aDataDirectoryThatIsNoneKeepsTheClientFromStarting() async throws {
    let fixture = try ClientFixture()
    try Files.removeTree(fixture.base + "/alloc")
    try Files.replace(fixture.base + "/alloc", with: [])
    await #expect { try await fixture.start() } throws: { error in
      (error as? ClientError)?.code == .system && "\(error)".contains("\(fixture.base)/alloc")
    }
    try Files.remove(fixture.base + "/alloc")
    await fixture.cleanUp()
  }

  @Test func aNodeIDThatIsSomebodyElsesIsRefusedAndTheClientGoesOnAsking() async throws {
    try await withClient { fixture, client in
      try await eventually("registered") { fixture.server.registrations == 1 }
      let other = try ClientFixture(server: fixture.server)
      let store = try ClientStore(owning: try ClientDatabase(opening: other.base + "/client/state.db"))
      let strange = Identifier(high: 1, low: 2)
      try await store.put(.node, key: "id", Array((await client.nodeID).description.utf8))
      try await store.put(.node, key: "secret-id", Array(strange.description.utf8))
      await store.close()
      let thief = try await other.start()
      await #expect(throws: RPCError.self) { try await thief.serverConnection(timeout: .milliseconds(500)) }
      #expect(fixture.server.registrations == 1)
      await other.cleanUp(closingServer: false)
    }
  }
}
