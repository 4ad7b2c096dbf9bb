import Glibc
import Linux

/// A look at the host's processes.
struct HostProcess: Sendable, Hashable, CustomStringConvertible {
  var pid: Int32
  var arguments: [String]

  var description: String { "\(pid) \(arguments.joined(separator: " "))" }

  /// Every process in a control group below the one of this name, or in it; those that have ended and wait for their
  /// parent are left out.
  static func inside(cgroup name: String) -> [HostProcess] {
    all { pid in text("/proc/\(pid)/cgroup").split(separator: "\n").contains { "\($0)/".contains("/\(name)/") } }
  }

  /// Every process in the control group of one agent's tasks, without its supervisor.
  static func tasks(cgroup name: String) -> [HostProcess] {
    // Children of the supervisor that wait for a task are nobody's.
    all { pid in
      let groups = text("/proc/\(pid)/cgroup")
      return groups.contains("/\(name)/task") && !groups.contains("/\(name)/task/.spare-")
    }
  }

  /// Every process that has this text in one of its arguments.
  static func mentioning(_ text: String) -> [HostProcess] {
    all { _ in true }.filter { process in process.arguments.contains { $0.contains(text) } }
  }

  private static func all(where condition: (Int32) -> Bool) -> [HostProcess] {
    let names = (try? FileDescriptor.open("/proc", [.directory]).entries().map(\.name)) ?? []
    return names.compactMap(Int32.init).filter(condition).compactMap { pid in
      let arguments = text("/proc/\(pid)/cmdline").split(separator: "\0").map(String.init)
      return arguments.isEmpty ? nil : HostProcess(pid: pid, arguments: arguments)
    }
  }

  /// A file's text; empty for a process that has gone meanwhile.
  static func text(_ path: String) -> String { (try? Files.readText(path)) ?? "" }
}

/// The control groups that one agent made, in every hierarchy of this host.
struct AgentCgroups {
  let name: String

  /// The group's directories that exist, one for each hierarchy.
  var places: [String] {
    let hierarchies = Proc.mounts(in: HostProcess.text("/proc/self/mountinfo")).filter {
      ["cgroup", "cgroup2"].contains($0.type)
    }
    return Set(hierarchies.map { "\($0.target)/\(name)" }).sorted().filter { Files.exists($0) }
  }

  /// Paths of the groups that exist for tasks; those of children that wait for one are not among them.
  var ofTasks: [String] {
    places.flatMap { Self.below("\($0)/task").dropLast() }.filter { !$0.contains("/.spare-") }
  }

  /// Kills what runs in the groups and removes them.
  func remove() async throws {
    try await until("the cgroup \(name) is empty", within: 30) {
      let left = HostProcess.inside(cgroup: name)
      for process in left { kill(process.pid, SIGKILL) }
      return left.isEmpty
    }
    try await until("the cgroup \(name) can be removed", within: 30) {
      for path in places.flatMap(Self.below) { rmdir(path) }
      return places.isEmpty
    }
  }

  /// A group and all below it, the deepest first.
  private static func below(_ path: String) -> [String] {
    let entries = (try? FileDescriptor.open(path, [.directory]).entries()) ?? []
    return entries.filter { $0.kind == .directory }.flatMap { below("\(path)/\($0.name)") } + [path]
  }
}
