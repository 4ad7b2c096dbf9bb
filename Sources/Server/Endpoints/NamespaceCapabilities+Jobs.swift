internal import Model

extension NamespaceCapabilities {
  /// What a job uses that its namespace does not allow, one sentence each.
  func problems(of job: Job) -> [String] {
    let name = job.namespace ?? "default"
    func refusal(_ what: String, _ values: Set<String>, _ enabled: [String], _ disabled: [String]) -> String? {
      let refused = values.filter { disabled.contains($0) || !(enabled.isEmpty || enabled.contains($0)) }.sorted()
      guard !refused.isEmpty else { return nil }
      let list = refused.map { "\"\($0)\"" }.joined(separator: ", ")
      return "job \"\(job.id)\": the namespace \"\(name)\" does not allow the \(what) \(list)"
    }
    let drivers = Set(job.taskGroups.flatMap { $0.tasks.map(\.driver) })
    let modes = Set(job.taskGroups.flatMap { $0.networks.map { $0.mode.isEmpty ? "host" : $0.mode } })
    return [
      refusal("task drivers", drivers, enabledTaskDrivers, disabledTaskDrivers),
      refusal("network modes", modes, enabledNetworkModes, disabledNetworkModes),
    ].compactMap { $0 }
  }
}
