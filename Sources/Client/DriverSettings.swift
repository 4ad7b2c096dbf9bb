internal import Codec
internal import Drivers
internal import Isolation
internal import Linux

/// What the configuration says about drivers, read with every mistake named; a mistake makes the driver refuse to run
/// and say why.
struct DriverSettings {
  private let configuration: ClientConfiguration
  private var decoder: ConfigDecoder

  /// The settings of the driver of that name.
  init(_ driver: String, _ configuration: ClientConfiguration) {
    self.configuration = configuration
    decoder = ConfigDecoder(driver: driver, config: configuration.plugins[driver] ?? JSONObject())
  }

  static func exec(_ configuration: ClientConfiguration, _ host: HostIsolation) -> IsolationSettings {
    var reader = DriverSettings("exec", configuration)
    var settings = reader.isolation("exec", host)
    settings.problem = reader.finish()
    return settings
  }

  static func java(
    _ configuration: ClientConfiguration, _ host: HostIsolation
  ) -> (settings: IsolationSettings, homes: [String]) {
    var reader = DriverSettings("java", configuration)
    let homes = reader.decoder.strings("java_homes") ?? []
    for home in homes where !home.hasPrefix("/") {
      reader.decoder.refuse("java_homes: \"\(home)\" is no absolute path")
    }
    var settings = reader.isolation("java", host)
    settings.problem = reader.finish()
    return (settings, homes)
  }

  static func rawExec(_ configuration: ClientConfiguration) -> RawExecDriver.Settings {
    var reader = DriverSettings("raw_exec", configuration)
    var settings = RawExecDriver.Settings()
    settings.isEnabled = configuration.isDriverEnabled("raw_exec", byDefault: false)
    reader.decoder.ignore("enabled")
    settings.deniedVariables = reader.decoder.strings("denied_envvars") ?? []
    settings.deniedUserIDs = reader.ranges("denied_host_uids")
    settings.deniedGroupIDs = reader.ranges("denied_host_gids")
    if reader.decoder.bool("no_cgroups") == true {
      reader.decoder.refuse("no_cgroups is not run by this version: its control group is how a task is ended")
    }
    settings.problem = reader.finish()
    return settings
  }

  private mutating func isolation(_ driver: String, _ host: HostIsolation) -> IsolationSettings {
    var settings = IsolationSettings()
    if let chroot = configuration.chrootEnvironment {
      settings.chroot = chroot.sorted { $0.value < $1.value }.map { ChrootEntry($0.key, $0.value) }
    }
    let checked = (configuration.options["user.checked_drivers"] ?? "exec,qemu,java").split(separator: ",")
    if checked.contains(where: { trimmed($0) == driver }) {
      if let denied = configuration.options["user.denylist"] {
        settings.deniedUsers = denied.split(separator: ",").map { trimmed($0) }
      }
    } else {
      settings.deniedUsers = []
    }
    if let allowed = decoder.strings("allow_caps") { settings.allowedCapabilities = allowed }
    switch decoder.string("default_ipc_mode") ?? "private" {
    case "private": break
    case "host": settings.privateIPC = false
    case let mode: decoder.refuse("default_ipc_mode must be \"private\" or \"host\", not \"\(mode)\"")
    }
    if let mode = decoder.string("default_pid_mode"), mode != "private" {
      decoder.refuse("default_pid_mode \"\(mode)\" is not run by this version: leave it out")
    }
    if decoder.bool("no_pivot_root") == true { decoder.refuse("no_pivot_root is not run by this version") }
    settings.allowedHostPaths = decoder.strings("allow_host_paths") ?? []
    for path in settings.allowedHostPaths where !path.hasPrefix("/") {
      decoder.refuse("allow_host_paths: \"\(path)\" is no absolute path")
    }
    settings.allowsUnconfinedSeccomp = decoder.bool("allow_unconfined_seccomp") ?? false
    settings.allowsNewPrivileges = decoder.bool("allow_new_privileges") ?? false
    settings.allowsHostIDs = decoder.bool("allow_host_userns") ?? true
    settings.allows32BitPrograms = decoder.bool("allow_32bit_programs") ?? false
    settings.userNamespaceProblem = host.userNamespaceProblem
    if let directory = decoder.string("seccomp_profile_dir") {
      if let profiles = host.seccompProfiles[directory] {
        settings.seccompProfiles = profiles
      } else {
        decoder.refuse("seccomp_profile_dir: \"\(directory)\" is no directory that can be read")
      }
    }
    settings.deniedUserIDs = ranges("denied_host_uids")
    settings.deniedGroupIDs = ranges("denied_host_gids")
    if decoder.bool("enabled") == false { decoder.refuse("disabled in the agent's plugin block") }
    return settings
  }

  /// Why the driver cannot run; nil when nothing is wrong.
  private func finish() -> String? {
    do throws(DriverError) {
      try decoder.finish()
      return nil
    } catch {
      return error.message
    }
  }

  /// "0,10-15" as ranges.
  private mutating func ranges(_ key: String) -> [ClosedRange<UInt32>] {
    var ranges: [ClosedRange<UInt32>] = []
    for part in (decoder.string(key) ?? "").split(separator: ",") {
      let ends = part.split(separator: "-", omittingEmptySubsequences: false).map { UInt32(trimmed($0)) }
      guard ends.count <= 2, let first = ends.first ?? nil, let last = ends.last ?? nil, first <= last else {
        decoder.refuse("\(key): \"\(part)\" is no id or range of ids")
        continue
      }
      ranges.append(first...last)
    }
    return ranges
  }
}

/// What this host has for isolated tasks, found out once when the client starts. Blocks.
struct HostIsolation: Sendable {
  /// Why tasks cannot have ids of their own; nil when they can.
  let userNamespaceProblem: String?
  /// The files of each directory that a plugin block names as `seccomp_profile_dir`, by name.
  let seccompProfiles: [String: [String: String]]

  init(_ configuration: ClientConfiguration) {
    userNamespaceProblem = UserNamespace.problem(below: configuration.allocationDirectory)
    var profiles: [String: [String: String]] = [:]
    for plugin in configuration.plugins.values {
      guard let path = plugin["seccomp_profile_dir"]?.stringValue,
        let entries = try? FileDescriptor.open(path, [.readOnly, .directory]).entries()
      else { continue }
      profiles[path] = [:]
      for entry in entries where entry.kind == .regular {
        // One that cannot be read is not there: a job that names it is refused.
        profiles[path]?[entry.name] = try? Files.readText("\(path)/\(entry.name)", limit: 1 << 20)
      }
    }
    seccompProfiles = profiles
  }
}
