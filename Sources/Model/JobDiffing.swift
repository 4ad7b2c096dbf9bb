import Codec

// The structural diff in the shape that `job plan` and `GET /v1/job/:id/versions?diffs=true` show.

extension JobDiff {
  /// - Parameters:
  ///   - old: nil for a job that is new.
  ///   - new: nil for a job that goes.
  public init(from old: Job?, to new: Job?) {
    self.init()
    let diff = StructuralDiff(objectName: JobDiff.objectName)
    let change = diff.compare("Job", old?.tree, new?.tree, contextual: false, skipping: ["TaskGroups"])
    id = new?.id ?? old?.id ?? ""
    fields = change.fields.map(FieldDiff.init)
    objects = change.objects.map(ObjectDiff.init)
    taskGroups = pairs(old?.taskGroups ?? [], new?.taskGroups ?? [], \.name).map { TaskGroupDiff(from: $0, to: $1) }
    type = DiffType(change.kind)
    if type == .none && taskGroups.contains(where: { $0.type != .none }) { type = .edited }
  }

  /// Says in the diff what the scheduler would do: how many instances of each group are created, updated or destroyed,
  /// and what the changes of tasks lead to.
  public mutating func annotate(with annotations: PlanAnnotations) {
    for index in taskGroups.indices {
      taskGroups[index].annotate(with: annotations.desiredTGUpdates[taskGroups[index].name] ?? DesiredUpdates())
    }
  }

  /// Most objects are called by the block that users write, and lists of them in the singular.
  private static let objectNames = [
    "Affinities": "Affinity", "Identities": "Identity", "ReservedPorts": "Static Port", "DynamicPorts": "Dynamic Port",
    "Connect": "ConsulConnect", "Proxy": "ConsulProxy", "Upstreams": "ConsulUpstreams", "Gateway": "ConsulGateway",
    "Constraints": "Constraint", "Spreads": "Spread", "Networks": "Network", "Services": "Service", "Checks": "Check",
    "Artifacts": "Artifact", "Templates": "Template", "VolumeMounts": "VolumeMount", "Volumes": "Volume",
    "Devices": "Device", "Actions": "Action", "ScalingPolicies": "ScalingPolicy", "Secrets": "Secret",
    "Regions": "Region", "Listeners": "Listener", "Links": "Link",
  ]

  @Sendable private static func objectName(_ field: String) -> String { objectNames[field] ?? field }

  fileprivate static var groupsAndTasks: StructuralDiff { StructuralDiff(objectName: objectName) }
}

/// Elements of two lists paired by key, in the order of the keys.
private func pairs<T>(_ old: [T], _ new: [T], _ key: KeyPath<T, String>) -> [(T?, T?)] {
  Set((old + new).map { $0[keyPath: key] }).sorted().map { name in
    (old.first { $0[keyPath: key] == name }, new.first { $0[keyPath: key] == name })
  }
}

extension DiffType {
  init(_ kind: ChangeKind) {
    switch kind {
    case .none: self = .none
    case .added: self = .added
    case .deleted: self = .deleted
    case .edited: self = .edited
    }
  }
}

extension FieldDiff {
  init(_ change: FieldChange) {
    self.init()
    type = DiffType(change.kind)
    name = change.name
    old = change.old
    new = change.new
  }
}

extension ObjectDiff {
  init(_ change: ObjectChange) {
    self.init()
    type = DiffType(change.kind)
    name = change.name
    fields = change.fields.map(FieldDiff.init)
    objects = change.objects.map(ObjectDiff.init)
  }
}

extension TaskGroupDiff {
  /// - Parameters:
  ///   - old: nil for a group that is new.
  ///   - new: nil for a group that goes.
  public init(from old: TaskGroup?, to new: TaskGroup?) {
    self.init()
    let diff = JobDiff.groupsAndTasks
    let change = diff.compare("Group", old?.tree, new?.tree, contextual: false, skipping: ["Name", "Tasks"])
    name = new?.name ?? old?.name ?? ""
    fields = change.fields.map(FieldDiff.init)
    objects = change.objects.map(ObjectDiff.init)
    tasks = pairs(old?.tasks ?? [], new?.tasks ?? [], \.name).map { TaskDiff(from: $0, to: $1) }
    type = DiffType(change.kind)
    if type == .none && tasks.contains(where: { $0.type != .none }) { type = .edited }
  }

  mutating func annotate(with desired: DesiredUpdates) {
    let counts: [(String, UInt64)] = [
      ("ignore", desired.ignore), ("create", desired.place), ("migrate", desired.migrate), ("destroy", desired.stop),
      ("in-place update", desired.inPlaceUpdate), ("create/destroy update", desired.destructiveUpdate),
      ("canary", desired.canary),
    ]
    for (name, count) in counts where count > 0 { updates[name] = count }
    for index in fields.indices where fields[index].name == "Count" {
      switch (Int(fields[index].old) ?? 0, Int(fields[index].new) ?? 0) {
      case (let old, let new) where old < new: fields[index].annotations.append("forces create")
      case (let old, let new) where old > new: fields[index].annotations.append("forces destroy")
      default: break
      }
    }
    for index in tasks.indices { tasks[index].annotate(inGroup: type) }
  }
}

extension TaskDiff {
  /// - Parameters:
  ///   - old: nil for a task that is new.
  ///   - new: nil for a task that goes.
  public init(from old: JobTask?, to new: JobTask?) {
    self.init()
    let diff = JobDiff.groupsAndTasks
    let change = diff.compare("Task", old?.tree, new?.tree, contextual: false, skipping: ["Name"])
    type = DiffType(change.kind)
    name = new?.name ?? old?.name ?? ""
    fields = change.fields.map(FieldDiff.init)
    objects = change.objects.map(ObjectDiff.init)
  }

  /// Changes that a running task takes without being started again.
  private static let inPlace: Set<String> = ["KillTimeout", "Service", "Constraint", "LogConfig"]

  mutating func annotate(inGroup group: DiffType) {
    // A task of a new or vanishing group comes and goes with the group's count.
    switch type {
    case .none: return
    case .added: annotations.append(group == .edited ? "forces create/destroy update" : "forces create")
    case .deleted: annotations.append(group == .edited ? "forces create/destroy update" : "forces destroy")
    case .edited:
      let changed = fields.filter { $0.type != .none }.map(\.name) + objects.filter { $0.type != .none }.map(\.name)
      let destructive = changed.contains { !TaskDiff.inPlace.contains($0) }
      annotations.append(destructive ? "forces create/destroy update" : "forces in-place update")
    }
  }
}
