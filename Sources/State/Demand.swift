public import Model

/// What an allocation takes from its node.
public struct Demand: Hashable, Sendable {
  /// MHz.
  public var cpu: Int32
  /// MB; the guaranteed part, which is what placement counts.
  public var memory: Int32
  /// MB.
  public var disk: Int32

  /// Figures in MHz and MB.
  public init(cpu: Int32, memory: Int32, disk: Int32) {
    self.cpu = cpu
    self.memory = memory
    self.disk = disk
  }

  /// What an allocation of a group needs at its peak.
  ///
  /// Tasks that only run before or after the main ones share their room with them: counted is the largest of the three
  /// phases, plus the sidecars, which run all the time. Missing figures count as the documented defaults (100 MHz,
  /// 300 MB of memory, 300 MB of disk).
  ///
  /// A task with whole cores takes their MHz, which `grants` says: they differ from node to node.
  public init(of group: TaskGroup, grants: [String: TaskGrant] = [:]) {
    var phases = (before: (cpu: 0, memory: 0), main: (cpu: 0, memory: 0), after: (cpu: 0, memory: 0))
    var always = (cpu: 0, memory: 0)
    for task in group.tasks {
      let cores = (task.resources?.cores ?? 0) > 0 ? Int(grants[task.name]?.cpu ?? 0) : nil
      let cpu = cores ?? task.resources?.cpu ?? 100
      let memory = task.resources?.memoryMB ?? 300
      switch (task.lifecycle?.hook ?? "", task.lifecycle?.sidecar ?? false) {
      case ("prestart", true), ("poststart", true):
        always = (always.cpu + cpu, always.memory + memory)
      case ("prestart", false):
        phases.before = (phases.before.cpu + cpu, phases.before.memory + memory)
      case ("poststop", _):
        phases.after = (phases.after.cpu + cpu, phases.after.memory + memory)
      default:
        phases.main = (phases.main.cpu + cpu, phases.main.memory + memory)
      }
    }
    self.cpu = Int32(clamping: always.cpu + max(phases.before.cpu, phases.main.cpu, phases.after.cpu))
    self.memory = Int32(clamping: always.memory + max(phases.before.memory, phases.main.memory, phases.after.memory))
    disk = Int32(clamping: group.ephemeralDisk?.sizeMB ?? 300)
  }
}
