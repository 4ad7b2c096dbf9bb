internal import Codec
internal import Model

/// A job's difference as `job plan` and `job history -p` print it.
struct DiffText {
  let terminal: Terminal
  let verbose: Bool

  func text(for diff: JobDiff, annotations: PlanAnnotations?) -> String {
    var lines = ["\(mark(diff.type))Job: \"\(diff.id)\""]
    if diff.type == .edited || verbose {
      lines += fieldLines(diff.fields, indent: 0) + objectLines(diff.objects, indent: 0)
    }
    for group in diff.taskGroups { lines += groupLines(group, annotations?.desiredTGUpdates[group.name]) }
    return lines.joined(separator: "\n") + "\n"
  }

  private func groupLines(_ group: TaskGroupDiff, _ updates: DesiredUpdates?) -> [String] {
    var notes: [String] = []
    if let updates {
      let parts: [(UInt64, String, (String) -> String)] = [
        (updates.canary, "canary", terminal.green), (updates.place, "create", terminal.green),
        (updates.destructiveUpdate, "create/destroy update", terminal.yellow),
        (updates.inPlaceUpdate, "in-place update", terminal.cyan),
        (updates.migrate, "migrate", terminal.cyan), (updates.stop, "stop", terminal.red),
        (updates.ignore, "ignore", { $0 }),
        (updates.preemptions, "preemption", terminal.red),
      ]
      notes = parts.filter { $0.0 > 0 }.map { $0.2("\($0.0) \($0.1)") }
    } else {
      notes = group.updates.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }
    }
    let suffix = notes.isEmpty ? "" : " (\(notes.joined(separator: ", ")))"
    var lines = ["\(mark(group.type))Task Group: \"\(group.name)\"\(suffix)"]
    if group.type == .edited || verbose {
      lines += fieldLines(group.fields, indent: 2) + objectLines(group.objects, indent: 2)
    }
    for task in group.tasks where task.type != .none || verbose || !task.annotations.isEmpty {
      let notes = task.annotations.isEmpty ? "" : " (\(task.annotations.joined(separator: ", ")))"
      lines.append("  \(mark(task.type))Task: \"\(task.name)\"\(notes)")
      if task.type == .edited || verbose {
        lines += fieldLines(task.fields, indent: 4) + objectLines(task.objects, indent: 4)
      }
    }
    return lines
  }

  private func fieldLines(_ fields: [FieldDiff], indent: Int) -> [String] {
    let shown = fields.filter { $0.type != .none || verbose }
    let width = shown.map(\.name.count).max() ?? 0
    return shown.map { field in
      let name = field.name + ":" + String(repeating: " ", count: width - field.name.count)
      let value =
        switch field.type {
        case .added: "\"\(field.new)\""
        case .deleted: "\"\(field.old)\""
        case .edited: "\"\(field.old)\" => \"\(field.new)\""
        case .none: "\"\(field.new)\""
        }
      let notes = field.annotations.isEmpty ? "" : " (\(field.annotations.joined(separator: ", ")))"
      return String(repeating: " ", count: indent) + mark(field.type) + "\(name) \(value)\(notes)"
    }
  }

  private func objectLines(_ objects: [ObjectDiff], indent: Int) -> [String] {
    objects.filter { $0.type != .none || verbose }.flatMap { object -> [String] in
      let space = String(repeating: " ", count: indent)
      return ["\(space)\(mark(object.type))\(object.name) {"]
        + fieldLines(object.fields, indent: indent + 2) + objectLines(object.objects, indent: indent + 2)
        + ["\(space)  }"]
    }
  }

  private func mark(_ type: DiffType) -> String {
    switch type {
    case .added: terminal.green("+") + " "
    case .deleted: terminal.red("-") + " "
    case .edited: terminal.yellow("+/-") + " "
    case .none: ""
    }
  }
}
