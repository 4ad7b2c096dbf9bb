import Linux

/// A command's start to its first byte of output.
struct Commands {
  let place: Place
  let rounds: Int

  func rows() async throws -> [Row] {
    let agent = try await AgentProcess(place, name: "commands")
    defer { agent.stop() }
    _ = try await agent.run("bench")
    let serai = "\(place.release)/serai"
    return [
      try row("serai version", (serai, ["version"]), peer: ("curl --version", "/usr/bin/curl", ["--version"])),
      try row(
        "serai job status", (serai, ["job", "status", "-address", agent.address]),
        peer: ("curl the same list", "/usr/bin/curl", ["-s", "\(agent.address)/v1/jobs"])),
    ]
  }

  private func row(
    _ what: String, _ ours: (String, [String]), peer: (name: String, path: String, arguments: [String])
  ) throws -> Row {
    var times = (peer: Samples(), floor: Samples(), ours: Samples())
    for round in 0..<rounds + 3 {
      let time = (
        try firstByte(peer.path, peer.arguments), try firstByte("\(place.programs)/hello", []),
        try firstByte(ours.0, ours.1)
      )
      guard round >= 3 else { continue }
      times.peer.add(time.0)
      times.floor.add(time.1)
      times.ours.add(time.2)
    }
    return Row(
      what: "\(what) → first byte, p50", unit: "ms", peer: (peer.name, times.peer.p50), floor: times.floor.p50,
      ours: times.ours.p50, budget: .atMost(5))
  }

  private func firstByte(_ path: String, _ arguments: [String]) throws -> Int64 {
    let began = Clock.monotonicNanoseconds
    let child = try Child(path, arguments)
    try child.firstByte()
    let time = Clock.monotonicNanoseconds - began
    _ = try child.rest()
    child.end()
    return time
  }
}
