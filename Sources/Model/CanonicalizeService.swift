import Codec

extension Service {
  /// `task` is nil for a service of the group.
  mutating func canonicalize(job: Job, group: TaskGroup, task: JobTask?) {
    let jobName = job.name ?? job.id
    fill(&name, [jobName, group.name, task?.name].compactMap { $0 }.joined(separator: "-"))
    fill(&addressMode, "auto")
    fill(&onUpdate, "require_healthy")
    fill(&provider, "consul")
    fill(&cluster, "default")
    edit(&checkRestart) { $0.canonicalize() }
    let service = self
    for index in checks.indices { checks[index].canonicalize(in: service) }
    edit(&connect) { $0.canonicalize() }
  }
}

extension CheckRestart {
  mutating func canonicalize() {
    fill(&grace, .seconds(1))
  }
}

extension ServiceCheck {
  mutating func canonicalize(in service: Service) {
    fill(&onUpdate, service.onUpdate)
    // The service's block holds for what the check's own leaves open.
    if var merged = service.checkRestart {
      if let own = checkRestart {
        if own.limit > 0 { merged.limit = own.limit }
        merged.grace = own.grace ?? merged.grace
        merged.ignoreWarnings = own.ignoreWarnings
      }
      checkRestart = merged
    }
    edit(&checkRestart) { $0.canonicalize() }
  }
}

extension ConsulConnect {
  mutating func canonicalize() {
    edit(&sidecarTask) { $0.canonicalize() }
    edit(&gateway) { $0.canonicalize() }
  }
}

extension SidecarTask {
  mutating func canonicalize() {
    fill(&resources, Resources())
    edit(&resources) { $0.canonicalize() }
    fill(&killTimeout, .seconds(5))
    fill(&logConfig, LogConfig())
    edit(&logConfig) { $0.canonicalize() }
    fill(&shutdownDelay, .zero)
  }
}

extension ConsulGateway {
  mutating func canonicalize() {
    edit(&proxy) { fill(&$0.connectTimeout, .seconds(5)) }
    edit(&ingress) { ingress in
      for index in ingress.listeners.indices { fill(&ingress.listeners[index].protocol, "tcp") }
    }
  }
}
