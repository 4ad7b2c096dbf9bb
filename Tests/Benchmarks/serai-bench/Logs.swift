import Glibc
import Linux

/// How fast a task's output reaches its files, beside a pipe to `cat > file`.
struct Logs {
  let place: Place
  private static let megabytes = 128.0

  func rows() async throws -> [Row] {
    let tasks = try Supervised(place, name: "logs", entries: place.entries)
    var rows: [Row] = []
    for count in [1, 100] {
      var peer = 0.0
      var ours = 0.0
      for _ in 0..<(count == 1 ? 5 : 1) {
        peer = max(peer, try cats(count))
        ours = max(ours, try await pumped(tasks, count))
      }
      rows.append(
        Row(
          what: "log throughput of \(count) task\(count == 1 ? "" : "s")", unit: "MB/s", peer: ("cat > file", peer),
          ours: ours, budget: .timesPeer(0.8), isRate: true))
    }
    try await tasks.shutdown()
    return rows
  }

  /// MB per second from the first task's begin to the last one's end.
  private func rate(_ count: Int, _ stamps: [String]) throws -> Double {
    let times = try stamps.map { text in
      let times = text.split(separator: "\n").compactMap { Double($0) }
      guard times.count == 2 else { throw Failure("a flood said \"\(text)\"") }
      return times
    }
    let began = times.map { $0[0] }.min() ?? 0
    let ended = times.map { $0[1] }.max() ?? 0
    return Self.megabytes * 1.048576 * Double(count) / ((ended - began) / 1e9)
  }

  private func pumped(_ tasks: Supervised, _ count: Int) async throws -> Double {
    let requests = try (0..<count).map { _ in try tasks.task("flood") }
    try await withThrowingTaskGroup(of: Void.self) { group in
      for request in requests {
        group.addTask {
          try await tasks.start(request)
          try await tasks.end(request)
        }
      }
      try await group.waitForAll()
    }
    let stamps = try requests.map { try Files.readText("\($0.logs)/t.stderr.0") }
    for request in requests { try Files.removeTree(request.folder) }
    return try rate(count, stamps)
  }

  private func cats(_ count: Int) throws -> Double {
    let folder = "\(place.folder)/cats"
    try Files.makeDirectories(folder, permissions: 0o755)
    let script = """
      for i in $(seq \(count)); do
        { "\(place.taskPrograms)/flood" 2>"\(folder)/stamps.$i" | cat >"\(folder)/log.$i"; } &
      done
      wait
      """
    _ = try Child.output(of: "/bin/sh", ["-c", script])
    let stamps = try (1...count).map { try Files.readText("\(folder)/stamps.\($0)") }
    try Files.removeTree(folder)
    return try rate(count, stamps)
  }
}
