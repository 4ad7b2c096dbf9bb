import Codec
import Glibc
import HTTP
import Linux
import Testing

/// Host volumes in tasks: read and written, read-only, one writer, propagation.
@Suite(.enabled(if: isRoot, needsRoot), .timeLimit(.minutes(10))) struct VolumeTests {
  @Test func tasksWriteAndReadTheHostsDirectoryAndTheHostHasNoMount() async throws {
    try await Scratch.with { scratch in
      let agent = try await agent(scratch)
      try await agent.submit(
        "writer",
        shellJob(
          "writer", type: "batch",
          script:
            "id -u > /srv/data/who; echo $NOMAD_ALLOC_ID > /srv/data/alloc; grep -c /srv/data /proc/self/mountinfo",
          group: volume("data"), task: volumeMount("data", "/srv/data")))
      let first = try await agent.allocation(of: "writer", being: "complete")
      try #require(HostProcess.text("\(scratch.folder)/data/alloc") == first.id + "\n")
      try #require(try await agent.log(first, "writer") == "1\n", "mounted once, in the task alone")
      let status = try FileStatus.of("\(scratch.folder)/data/who")
      let nobody = HostProcess.text("\(scratch.folder)/data/who").split(separator: "\n").first.flatMap { UInt32($0) }
      try #require(status.uid == nobody, "on disk the ids are those that the task sees, not its host range")
      try #require(!HostProcess.text("/proc/self/mountinfo").contains(scratch.folder))

      try await agent.submit(
        "reader",
        shellJob(
          "reader", type: "batch", script: "cat /srv/data/alloc; echo no > /srv/data/new || echo refused",
          group: volume("data", "read_only = true"), task: volumeMount("data", "/srv/data")))
      let second = try await agent.allocation(of: "reader", being: "complete")
      try #require(try await agent.log(second, "reader") == first.id + "\nrefused\n")
      // The mount alone may be read-only too.
      try await agent.submit(
        "peeker",
        shellJob(
          "peeker", type: "batch", script: "echo no > /srv/data/new || echo refused",
          group: volume("data"), task: volumeMount("data", "srv/data", "read_only = true")))
      let third = try await agent.allocation(of: "peeker", being: "complete")
      try #require(try await agent.log(third, "peeker") == "refused\n")
      try #require(!Files.exists("\(scratch.folder)/data/new"))
      let node = try await agent.get("/v1/node/\(third.json["NodeID"]?.stringValue ?? "")")
      try #require(node["HostVolumes"]?["data"]?["Path"]?.stringValue == "\(scratch.folder)/data")
    }
  }

  @Test func aVolumeThatNoNodeHasKeepsTheJobWaiting() async throws {
    try await Scratch.with { scratch in
      let agent = try await agent(scratch)
      for (name, source, more) in [("missing", "nowhere", ""), ("written", "frozen", "")] {
        let job = shellJob(
          name, type: "batch", script: "true", group: volume("v", more, source: source), task: volumeMount("v", "/v"))
        let outcome = try await agent.serai("job", "run", try scratch.write("\(name).nomad.hcl", job))
        try #require(outcome.code == 2 && outcome.output.contains("missing compatible host volumes"), "\(outcome)")
      }
      // A read-only request is met by a read-only volume.
      try await agent.submit(
        "frozen",
        shellJob(
          "frozen", type: "batch", script: "true", group: volume("v", "read_only = true", source: "frozen"),
          task: volumeMount("v", "/v")))
      _ = try await agent.allocation(of: "frozen", being: "complete")
    }
  }

  @Test func aSingleWriterHasTheVolumeForItself() async throws {
    try await Scratch.with { scratch in
      let agent = try await agent(scratch)
      let group = volume("data", "access_mode = \"single-node-single-writer\"")
      try await agent.submit(
        "one", shellJob("one", script: "exec sleep 86400", group: group, task: volumeMount("data", "/v")))
      _ = try await agent.allocation(of: "one", being: "running")
      try await agent.submit(
        "two", shellJob("two", script: "exec sleep 86400", group: group, task: volumeMount("data", "/v")))
      try await until("the second waits") {
        let evaluations = try await agent.get("/v1/job/two/evaluations").arrayValue ?? []
        return evaluations.contains { $0["Status"] == "blocked" }
      }
      try #require(try await agent.allocations(of: "two").isEmpty)
      // Readers are not in the way.
      try await agent.submit(
        "reader",
        shellJob(
          "reader", script: "exec sleep 86400", group: volume("data", "read_only = true"), task: volumeMount("data", "/v")))
      _ = try await agent.allocation(of: "reader", being: "running")
      try await agent.stop("one")
      _ = try await agent.allocation(of: "two", being: "running")
      for job in ["two", "reader"] { try await agent.stop(job) }
    }
  }

  @Test func rawTasksSeeVolumesThatTheHostDoesNot() async throws {
    try await Scratch.with { scratch in
      let agent = try await agent(scratch)
      try Files.makeDirectories("\(scratch.folder)/place", permissions: 0o755)
      try await agent.submit(
        "raw",
        shellJob(
          "raw", type: "batch",
          script:
            "echo raw > $NOMAD_TASK_DIR/../vol/raw; cat \(scratch.folder)/place/raw; test -e \(scratch.folder)/data/raw && echo same",
          driver: "raw_exec", group: volume("data"),
          task: volumeMount("data", "vol") + volumeMount("data", "\(scratch.folder)/place", "read_only = true")))
      let allocation = try await agent.allocation(of: "raw", being: "complete")
      try #require(try await agent.log(allocation, "raw") == "raw\nsame\n")
      try #require(!Files.exists("\(scratch.folder)/place/raw"), "the host sees no mount")
    }
  }

  @Test(arguments: ["private", "host-to-task"]) func laterMountsOfTheHostAreSeenAsThePropagationModeSays(
    _ mode: String
  ) async throws {
    try await Scratch.with { scratch in
      let place = "\(scratch.folder)/data"
      let agent = try await agent(scratch)
      // Only a shared mount has peers.
      try #require(mount("tmpfs", place, "tmpfs", UInt(MS_NOSUID), nil) == 0)
      scratch.atEnd { umount2(place, Int32(MNT_DETACH)) }
      try #require(mount("none", place, nil, UInt(1 << 20), nil) == 0)
      try Files.makeDirectories(place + "/inner", permissions: 0o777)
      try await agent.submit(
        "looks",
        shellJob(
          "looks",
          script:
            "while sleep 0.1; do test -e /v/inner/there && echo seen > /alloc/data/seen; echo . >> /alloc/data/turns; done",
          group: volume("data"), task: volumeMount("data", "/v", "propagation_mode = \"\(mode)\"")))
      let allocation = try await agent.allocation(of: "looks", being: "running")
      let data = "\(agent.dataFolder)/alloc/\(allocation.id)/alloc/data"
      try #require(mount("tmpfs", place + "/inner", "tmpfs", UInt(MS_NOSUID), nil) == 0)
      scratch.atEnd { umount2(place + "/inner", Int32(MNT_DETACH)) }
      try Files.replace(place + "/inner/there", with: [], permissions: 0o644)
      let turns = HostProcess.text(data + "/turns").count
      try await until("the task has looked again") { HostProcess.text(data + "/turns").count > turns + 4 }
      try #require(Files.exists(data + "/seen") == (mode == "host-to-task"))
      try await agent.stop("looks")
    }
  }

  // MARK: -

  private func agent(_ scratch: Scratch) async throws -> Agent {
    for name in ["data", "frozen"] {
      try Files.makeDirectories("\(scratch.folder)/\(name)", permissions: 0o755)
      chmod("\(scratch.folder)/\(name)", 0o777)
    }
    return try await Agent.development(
      scratch,
      clientSettings: """
        host_volume "data" {
          path = "\(scratch.folder)/data"
        }
        host_volume "frozen" {
          path      = "\(scratch.folder)/frozen"
          read_only = true
        }
        """)
  }

  private func volume(_ name: String, _ more: String = "", source: String? = nil) -> String {
    """
    volume "\(name)" {
      type   = "host"
      source = "\(source ?? name)"
      \(more)
    }
    """
  }

  private func volumeMount(_ volume: String, _ destination: String, _ more: String = "") -> String {
    """
    volume_mount {
      volume      = "\(volume)"
      destination = "\(destination)"
      \(more)
    }

    """
  }
}
