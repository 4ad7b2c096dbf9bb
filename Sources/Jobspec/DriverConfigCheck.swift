internal import HCL
internal import Model

/// Mistakes in the `config` blocks of tasks whose driver is known here, at their place in the file.
enum DriverConfigCheck {
  /// - Parameter job: the job's body, its dynamic blocks expanded.
  static func diagnostics(_ job: Body) -> [Diagnostic] {
    let tasks = job.blocks("group").flatMap { $0.body.blocks("task") } + job.blocks("task")
    return tasks.flatMap { check($0.body) }
  }

  private static func check(_ task: Body) -> [Diagnostic] {
    guard let driver = task.attribute("driver")?.expression.literalString,
      let keys = DriverConfig.keys(of: driver), let config = task.blocks("config").first
    else { return [] }
    var found: [Diagnostic] = []
    var names: Set<String> = []
    for item in config.body.items {
      let (name, range) =
        switch item {
        case .attribute(let attribute): (attribute.name, attribute.nameRange)
        case .block(let block): (block.type, block.typeRange)
        }
      names.insert(name)
      guard !keys.contains(name) else { continue }
      found.append(
        Diagnostic(
          .error, "Unsupported argument",
          "Driver \"\(driver)\" has no \"\(name)\"." + Suggestion.sentence(for: name, among: keys), subject: range))
    }
    let required = DriverConfig.required(by: driver)
    if !required.isEmpty, names.isDisjoint(with: required) {
      let text = required.map { "\"\($0)\"" }.joined(separator: " or ")
      found.append(
        Diagnostic(
          .error, "Missing required argument", "Driver \"\(driver)\" needs \(text).", subject: config.headerRange))
    }
    return found
  }
}
