import Codec

extension JobValidator {
  /// `task` is nil for services of the group.
  mutating func validateServices(_ services: [Service], in group: TaskGroup, task: JobTask?) {
    for name in repeated(services.map { "\($0.name) on port \($0.portLabel)" }) {
      fail("there are several services \(name); give each a name of its own")
    }
    for service in services { within("service", service.name) { $0.validateService(service, in: group, task: task) } }
  }

  private mutating func validateService(_ service: Service, in group: TaskGroup, task: JobTask?) {
    validateServiceName(service.name)
    oneOf("provider", service.provider, ["consul", "nomad"])
    oneOf("address_mode", service.addressMode, ["auto", "driver", "host", "alloc", "auto_advertise"])
    oneOf("on_update", service.onUpdate, ["require_healthy", "ignore_warnings", "ignore"])
    if !service.address.isEmpty && service.addressMode != "auto" {
      fail("address is for address_mode \"auto\" only; remove one of them")
    }
    validatePortLabel(service.portLabel, service.addressMode, in: group, task: task)
    if task == nil && !service.taskName.isEmpty && !group.tasks.contains(where: { $0.name == service.taskName }) {
      fail("task \"\(service.taskName)\" is not in the group; correct the name")
    }
    if service.provider == "nomad" {
      require(service.connect == nil, "provider \"nomad\" has no service mesh; remove connect or use \"consul\"")
      require(!service.enableTagOverride, "enable_tag_override is for provider \"consul\" only; remove it")
    }
    for name in repeated(service.checks.map(\.name)) where !name.isEmpty {
      fail("there are several checks called \"\(name)\"; give each a name of its own")
    }
    for check in service.checks {
      within("check", check.name) { $0.validateCheck(check, of: service, in: group, task: task) }
    }
    if let connect = service.connect {
      within("connect") {
        let kinds = [connect.native, connect.sidecarService != nil, connect.gateway != nil].filter { $0 }.count
        $0.require(kinds == 1, "it must have exactly one of native, sidecar_service and gateway")
      }
    }
  }

  /// A DNS label (RFC 1123), unless part of it is known only when the task runs.
  private mutating func validateServiceName(_ name: String) {
    if name.isEmpty { return fail("the service has no name; set name") }
    if name.contains("${") { return }
    let allowed = name.utf8.allSatisfy {
      switch $0 {
      case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D: true
      default: false
      }
    }
    if !allowed || name.hasPrefix("-") || name.hasSuffix("-") || name.utf8.count > 63 {
      fail("the name must be at most 63 letters, digits and hyphens, with no hyphen at an end")
    }
  }

  private mutating func validatePortLabel(_ label: String, _ addressMode: String, in group: TaskGroup, task: JobTask?) {
    if label.isEmpty || label.contains("${") { return }
    if let number = Int(label) {
      require((0...65535).contains(number), "port is \(label); it must be a port number or the label of a port")
      return
    }
    // A driver may know labels of its own.
    if addressMode == "driver" { return }
    var labels: [String] = []
    for network in group.networks + (task?.resources?.networks ?? [])
      + group.tasks.flatMap({ $0.resources?.networks ?? [] })
    {
      labels += (network.reservedPorts + network.dynamicPorts).map(\.label)
    }
    if !labels.contains(label) {
      let known = Set(labels).sorted().map { "\"\($0)\"" }.joined(separator: ", ")
      fail(
        "there is no port \"\(label)\"" + (known.isEmpty ? "; add it to the network block" : "; the ports are \(known)")
      )
    }
  }

  private mutating func validateCheck(_ check: ServiceCheck, of service: Service, in group: TaskGroup, task: JobTask?) {
    let types = service.provider == "nomad" ? ["http", "tcp"] : ["grpc", "http", "script", "tcp"]
    oneOf("type", check.type, types, required: true)
    require(check.interval >= .seconds(1), "interval is \(check.interval); it must be at least 1s")
    require(check.timeout >= .seconds(1), "timeout is \(check.timeout); it must be at least 1s")
    switch check.type {
    case "http":
      require(!check.path.isEmpty, "path is missing; an http check asks for one, such as \"/\"")
      require(
        check.path.hasPrefix("/") || check.path.isEmpty || check.path.contains("${"), "path must begin with a slash")
      oneOf("protocol", check.protocol, ["http", "https"])
    case "script":
      require(!check.command.isEmpty, "command is missing; a script check runs one")
      require(
        task != nil || !check.taskName.isEmpty || !service.taskName.isEmpty,
        "task is missing; a script check of a group's service says in which task it runs")
    default: break
    }
    if task == nil, !check.taskName.isEmpty, !group.tasks.contains(where: { $0.name == check.taskName }) {
      fail("task \"\(check.taskName)\" is not in the group; correct the name")
    }
    if ["http", "tcp", "grpc"].contains(check.type) && check.portLabel.isEmpty && service.portLabel.isEmpty
      && !check.expose
    {
      fail("there is no port to ask; set port in the check or in the service")
    }
    validatePortLabel(check.portLabel, check.addressMode, in: group, task: task)
    oneOf("initial_status", check.initialStatus, ["passing", "warning", "critical", "pending"])
    oneOf("address_mode", check.addressMode, ["alloc", "driver", "host"])
    oneOf("on_update", check.onUpdate, ["require_healthy", "ignore_warnings", "ignore"])
    atLeast("success_before_passing", check.successBeforePassing, 0)
    atLeast("failures_before_critical", check.failuresBeforeCritical, 0)
    atLeast("failures_before_warning", check.failuresBeforeWarning, 0)
    if let restart = check.checkRestart {
      within("check_restart") {
        $0.atLeast("limit", restart.limit, 0)
        $0.notNegative("grace", restart.grace)
      }
    }
  }
}
