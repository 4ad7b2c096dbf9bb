import Isolation
import Linux

/// Starts of isolated tasks: the driver and supervisor alone, and from the API on.
struct Starts {
  let place: Place
  let rounds: Int

  func rows() async throws -> [Row] {
    var rows = try await isolatedStarts()
    rows += try await apiToTask()
    rows += try await taskRoot()
    rows += try await sessions()
    return rows
  }

  /// A start request to the supervisor → first instruction, with host ids and with ids and a network of the task's own.
  private func isolatedStarts() async throws -> [Row] {
    let crun = try Launcher.crun(place, name: "crun", entries: place.entries)
    let crunOwn = try Launcher.crun(place, name: "crun-own", entries: place.entries, ownIDs: true)
    let floor = try Launcher.floor(place, name: "floor", entries: place.entries)
    let ours = try Supervised(place, name: "starts", entries: place.entries)
    let own = try Supervised(place, name: "starts-own", entries: place.entries, change: Supervised.userAndNetwork)
    defer {
      crun.end()
      crunOwn.end()
      floor.end()
    }
    var rows: [Row] = []
    for isCold in [false, true] {
      func rest() { if isCold { coolDown() } }
      var times = (peer: Samples(), peerOwn: Samples(), floor: Samples(), ours: Samples(), own: Samples())
      for round in 0..<(isCold ? rounds / 4 : rounds) + 3 {
        var time: (Int64, Int64, Int64, Int64, Int64) = (0, 0, 0, 0, 0)
        rest()
        time.0 = try crun.start()
        rest()
        time.1 = try crunOwn.start()
        rest()
        time.2 = try floor.start()
        rest()
        time.3 = try await ours.start()
        rest()
        time.4 = try await own.start()
        // The first rounds fill caches.
        guard round >= 3 else { continue }
        times.peer.add(time.0)
        times.peerOwn.add(time.1)
        times.floor.add(time.2)
        times.ours.add(time.3)
        times.own.add(time.4)
      }
      for (name, peer, ours) in [
        ("isolated start", times.peer, times.ours), ("with a userns and a network", times.peerOwn, times.own),
      ] {
        let what = "\(name), \(isCold ? "cold" : "hot")"
        rows.append(
          Row(
            what: what + ", p50", unit: "ms", peer: ("crun", peer.p50), floor: times.floor.p50, ours: ours.p50,
            budget: .timesPeerAndAtMost(isCold ? 8 : 4, 3)))
        rows.append(
          Row(what: what + ", p99", unit: "ms", peer: ("crun", peer.p99), floor: times.floor.p99, ours: ours.p99))
      }
    }
    try await ours.shutdown()
    try await own.shutdown()
    return rows
  }

  /// A command in a running task, from the request until its end is known.
  private func sessions() async throws -> [Row] {
    let crun = try Launcher.crunExec(place, name: "crun-exec", entries: place.entries)
    defer {
      crun.end()
      Launcher.endContainer(place)
    }
    let ours = try Supervised(place, name: "sessions", entries: place.entries)
    let own = try Supervised(place, name: "sessions-own", entries: place.entries, change: Supervised.userAndNetwork)
    let (task, ownTask) = (try ours.task("pause"), try own.task("pause"))
    try await ours.start(task)
    try await own.start(ownTask)
    var times = (peer: Samples(), ours: Samples(), own: Samples())
    for round in 0..<rounds + 3 {
      let time = (try crun.roundTrip(), try await ours.session(task), try await own.session(ownTask))
      guard round >= 3 else { continue }
      times.peer.add(time.0)
      times.ours.add(time.1)
      times.own.add(time.2)
    }
    try await ours.kill(task)
    try await own.kill(ownTask)
    try await ours.shutdown()
    try await own.shutdown()
    return [("exec session, round trip, p50", times.ours.p50), ("the same into own ids and network", times.own.p50)].map
    {
      Row(what: $0.0, unit: "ms", peer: ("crun exec", times.peer.p50), ours: $0.1, budget: .timesPeer(2))
    }
  }

  /// `PUT /v1/jobs` → first instruction, beside an isolated start alone: the peer has no API to ask. The floor is what
  /// cannot be left out: one synced append to a log, and the isolated start.
  private func apiToTask() async throws -> [Row] {
    let crun = try Launcher.crun(place, name: "crun-api", entries: place.entries)
    let floor = try Launcher.floor(place, name: "floor-api", entries: place.entries)
    let agent = try await AgentProcess(place, name: "agent")
    defer {
      crun.end()
      floor.end()
      agent.stop()
    }
    let log = try FileDescriptor.open("\(place.folder)/log", [.writeOnly, .create], permissions: 0o600)
    try log.writeAll([UInt8](repeating: 0, count: 4 << 20))
    try log.synchronizeData()
    var rows: [Row] = []
    var number = 0
    for isCold in [false, true] {
      var times = (peer: Samples(), floor: Samples(), ours: Samples())
      for round in 0..<rounds + 3 {
        number += 1
        var time: (Int64, Int64, Int64) = (0, 0, 0)
        if isCold { coolDown() }
        time.0 = try crun.start()
        let began = Clock.monotonicNanoseconds
        try log.writeAll([UInt8](repeating: 1, count: 4096), at: Int64(number % 1000) * 4096)
        try log.synchronizeData()
        time.1 = Clock.monotonicNanoseconds - began
        time.1 += try floor.start()
        if isCold { coolDown() }
        time.2 = try await agent.run("bench-\(number)")
        guard round >= 3 else { continue }
        times.peer.add(time.0)
        times.floor.add(time.1)
        times.ours.add(time.2)
      }
      let name = "PUT /v1/jobs → first instruction, \(isCold ? "cold" : "hot")"
      rows.append(
        Row(
          what: name + ", p50", unit: "ms", peer: ("crun alone", times.peer.p50), floor: times.floor.p50,
          ours: times.ours.p50, budget: .atMost(15)))
      rows.append(
        Row(
          what: name + ", p99", unit: "ms", peer: ("crun alone", times.peer.p99), floor: times.floor.p99,
          ours: times.ours.p99))
    }
    return rows
  }

  /// What the root filesystem costs of a start: starts with the default `chroot_env` less starts with one entry.
  private func taskRoot() async throws -> [Row] {
    let one = [ChrootEntry(place.taskPrograms, Place.programsInside)]
    let whole = try Supervised(place, name: "root-whole", entries: place.entries)
    let small = try Supervised(place, name: "root-small", entries: one)
    let floorWhole = try Launcher.floor(place, name: "floor-whole", entries: place.entries)
    let floorSmall = try Launcher.floor(place, name: "floor-small", entries: one)
    defer {
      floorWhole.end()
      floorSmall.end()
    }
    var times = (whole: Samples(), small: Samples(), floorWhole: Samples(), floorSmall: Samples())
    for round in 0..<rounds / 2 + 3 {
      let time = (try await whole.start(), try await small.start(), try floorWhole.start(), try floorSmall.start())
      guard round >= 3 else { continue }
      times.whole.add(time.0)
      times.small.add(time.1)
      times.floorWhole.add(time.2)
      times.floorSmall.add(time.3)
    }
    try await small.shutdown()
    let copied = try await whole.filesOfTask()
    try await whole.shutdown()
    return [
      Row(
        what: "task root of the default chroot_env", unit: "ms", peer: ("cp -al", try hardLinks()),
        floor: times.floorWhole.p50 - times.floorSmall.p50, ours: times.whole.p50 - times.small.p50,
        budget: .atMost(1.5)),
      Row(what: "files copied for it", unit: "files", ours: Double(copied), budget: .atMost(0)),
    ]
  }

  /// The time of hard-linking what `chroot_env` names, following its own links, as it is done where roots are directories.
  private func hardLinks() throws -> Double {
    let root = "\(place.folder)/linked"
    try Files.makeDirectories(root, permissions: 0o755)
    let began = Clock.monotonicNanoseconds
    let script = """
      for source in \(ChrootEntry.defaults.map(\.source).joined(separator: " ")); do
        test -d "$source" || continue
        mkdir -p "\(root)$source" && cp -al "$source/." "\(root)$source" 2>/dev/null
      done
      true
      """
    _ = try Child.output(of: "/bin/sh", ["-c", script])
    let time = Double(Clock.monotonicNanoseconds - began) / 1e6
    try Files.removeTree(root)
    return time
  }
}

extension Supervised {
  /// How many regular files with something in them a running task's root and layers hold besides its logs.
  func filesOfTask() async throws -> Int {
    let request = try task("pause")
    try await start(request)
    let list = try Child.output(of: "/usr/bin/find", [request.folder, "-xdev", "-type", "f", "-size", "+0"])
    try await kill(request)
    return list.split(separator: "\n").count
  }
}
