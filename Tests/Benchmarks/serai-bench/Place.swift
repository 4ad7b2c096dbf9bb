import Glibc
import Isolation
import Linux

/// Where the benchmark works: its folder, its programs, its control group. Everything in it goes when it ends.
struct Place {
  /// Folder of `serai` and `serai-supervisor`, as `make release` leaves them.
  let release: String
  /// Folder of the programs of Tests/Benchmarks/programs and of the other benchmarks.
  let programs: String
  /// A folder of its own on a disk, because the agent's data and the tasks' layers lie on one.
  let folder: String
  /// Every process of the benchmark, ours and the others', runs in this group or one beside it that has its name in
  /// front. All have a large share of the CPU: on a machine that is busy with something else, everything measured is
  /// disturbed less, and alike.
  static let cgroup = "serai-bench"

  private let cgroups: any CgroupDriver

  /// Makes the folder and moves this process, which must not have a second thread yet, into a group of its own.
  init(release: String, programs: String) throws {
    self.release = release
    self.programs = programs
    folder = "/var/tmp/serai-bench-\(getpid())"
    cgroups = try CgroupLayout.ofThisHost().driver
    try Files.makeDirectories(folder, permissions: 0o755)
    try makeGroup(Self.cgroup)
    try cgroups.ensure("\(Self.cgroup)/driver", limits: Self.limits)
    try cgroups.attachSelf("\(Self.cgroup)/driver")
    try copyPrograms()
  }

  private static var limits: CgroupLimits {
    var limits = CgroupLimits()
    limits.cpuShares = 262_144
    limits.pids = nil
    limits.devices = nil
    return limits
  }

  /// Makes the group of a supervisor before that does, with a large share of the CPU.
  func makeGroup(_ name: String) throws {
    try cgroups.prepareParent(name)
    try cgroups.apply(Self.limits, to: name)
  }

  /// The folder that every measured root shows at `programsInside`.
  var taskPrograms: String { folder + "/programs" }
  static let programsInside = "/serai-bench"

  /// What `exec` lays into a root by default, and the benchmark's programs.
  var entries: [ChrootEntry] {
    ChrootEntry.defaults + [ChrootEntry(taskPrograms, Self.programsInside)]
  }

  private func copyPrograms() throws {
    try Files.makeDirectories(taskPrograms, permissions: 0o755)
    for name in ["stamp", "pause", "flood"] {
      try Files.replace("\(taskPrograms)/\(name)", with: try Files.read("\(programs)/\(name)"), permissions: 0o755)
    }
  }

  /// Kills what is left in the groups and removes groups and folder.
  func remove() {
    // This process, which has many threads by now, leaves its group by becoming one of the root's again.
    for mount in Proc.mounts(in: (try? Files.readText("/proc/self/mountinfo")) ?? "")
    where mount.type.hasPrefix("cgroup") {
      try? Files.writeControl("\(mount.target)/cgroup.procs", "\(getpid())")
    }
    let groups = ((try? cgroups.children("")) ?? []).filter { $0 == Self.cgroup || $0.hasPrefix(Self.cgroup + "-") }
    for group in groups { kill(below: group) }
    for _ in 0..<500 {
      for group in groups { remove(group) }
      if groups.allSatisfy({ (try? cgroups.children($0)) ?? [] == [] }) { break }
      Clock.sleep(nanoseconds: 10_000_000)
    }
    do { try Files.removeTree(folder) } catch { print("the folder \(folder) could not be removed: \(error)") }
  }

  private func kill(below group: String) {
    for child in (try? cgroups.children(group)) ?? [] { kill(below: "\(group)/\(child)") }
    for process in (try? cgroups.processes(group)) ?? [] where process != getpid() { Glibc.kill(process, SIGKILL) }
  }

  private func remove(_ group: String) {
    for child in (try? cgroups.children(group)) ?? [] { remove("\(group)/\(child)") }
    try? cgroups.remove(group)
  }
}

/// What the benchmark cannot do without and did not find, or what ended as it must not.
struct Failure: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}

/// Does nothing for as long as it takes a machine to go idle, before a measurement called "cold".
func coolDown() { Clock.sleep(nanoseconds: 200_000_000) }
