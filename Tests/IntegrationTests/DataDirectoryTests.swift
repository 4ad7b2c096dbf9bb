import Codec
import Glibc
import HTTP
import Linux
import Testing

/// Data directories that an agent must not use.
@Suite(.enabled(if: isRoot, needsRoot), .timeLimit(.minutes(40))) struct DataDirectoryTests {
  /// Starts an agent that must end by itself with status 1, and returns what it printed.
  private func refusal(_ agent: Agent) async throws -> String {
    try agent.launch()
    let status = try await agent.waitForEnd()
    try #require(status.exitCode == 1, "\(status): \(agent.logText)")
    return agent.logText
  }

  @Test func secondAgentOnTheSameDirectoryIsRefused() async throws {
    try await Scratch.with { scratch in
      let first = try Agent(scratch, .server, label: "first")
      try await first.start()
      let second = try Agent(scratch, .server, label: "second", dataFolder: first.dataFolder)
      let said = try await refusal(second)
      try #require(said.contains(first.dataFolder) && said.contains("pid \(try first.pid)"), "\(said)")
      try #require(said.contains("data_dir of its own"), "it says what to do: \(said)")
      try #require(try await first.request(.get, "/v1/agent/health").status == .ok, "the first is not disturbed")
    }
  }

  @Test func directoryOfAnotherVersionIsRefused() async throws {
    try await Scratch.with { scratch in
      let agent = try Agent(scratch, .server)
      try await agent.start()
      try await agent.terminate()
      let version = agent.dataFolder + "/version"
      let good = try Files.readText(version)
      try Files.replace(version, with: Array("serai data directory\nlayout 999\n".utf8))
      let newer = try await refusal(agent)
      try #require(newer.contains("999") && newer.contains("newer"), "\(newer)")
      try Files.replace(version, with: Array("something else\n".utf8))
      let foreign = try await refusal(agent)
      try #require(foreign.contains("not one of serai"), "\(foreign)")
      try Files.replace(version, with: Array(good.utf8))
      try await agent.start()
    }
  }

  @Test func directoryOfAnotherProgramIsRefused() async throws {
    try await Scratch.with { scratch in
      try Files.makeDirectories(scratch.folder + "/foreign/server")
      let agent = try Agent(scratch, .server, dataFolder: scratch.folder + "/foreign")
      let said = try await refusal(agent)
      try #require(said.contains("another program"), "\(said)")
    }
  }

  @Test func directoryThatCannotBeUsedIsRefused() async throws {
    try await Scratch.with { scratch in
      let file = try scratch.write("file", "no directory")
      let agent = try Agent(scratch, .server, dataFolder: file)
      let said = try await refusal(agent)
      try #require(said.contains(file), "\(said)")
    }
  }

  /// A file system without room: an agent says so and ends, and starts once there is room.
  @Test func fullDirectoryIsRefused() async throws {
    try await Scratch.with { scratch in
      let disk = scratch.folder + "/disk"
      try Files.makeDirectories(disk)
      try #require(mount("tmpfs", disk, "tmpfs", 0, "size=64k") == 0, "mount a small file system: errno \(errno)")
      scratch.atEnd { _ = umount2(disk, Int32(MNT_DETACH)) }
      let agent = try Agent(scratch, .server, dataFolder: disk + "/data")
      let said = try await refusal(agent)
      try #require(said.contains("ENOSPC") || said.contains("full"), "\(said)")
    }
  }

  @Test func badConfigurationIsRefusedWithItsPlace() async throws {
    try await Scratch.with { scratch in
      let agent = try Agent(scratch, .server, settings: "datacentre = \"dc1\"")
      let said = try await refusal(agent)
      try #require(
        said.contains("agent.hcl") && said.contains("datacentre") && said.contains("datacenter\""), "\(said)")
    }
  }

  @Test func portInUseIsRefused() async throws {
    try await Scratch.with { scratch in
      let first = try Agent(scratch, .server, label: "first")
      try await first.start()
      let second = try Agent(
        scratch, .server, label: "second", ports: (http: first.httpPort, rpc: try FreePorts.next()))
      let said = try await refusal(second)
      try #require(said.contains("EADDRINUSE") && said.contains("\(first.httpPort)"), "\(said)")
    }
  }
}
