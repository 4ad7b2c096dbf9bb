internal import Codec
internal import Isolation
internal import Linux

/// The part of a `config` block that says how a task is isolated: the same for every driver whose tasks have a root of
/// their own. What the node does not allow is refused with the option that would allow it.
struct IsolationConfig {
  var workingDirectory: String?
  var privateIPC: Bool
  var capabilities: [String] = []
  var seccomp = SeccompPolicy.standard
  var usesInit = true
  var noNewPrivileges = true
  var hasHardCPULimit = false
  var oomScoreAdjustment: Int32?
  var userIDs = UserIDs.auto
  var isRootReadOnly = false
  var sysctls: [Sysctl] = []
  /// Capabilities that the job asks for by name: also a user other than root gets them.
  var addedCapabilities: [String] = []

  /// Which host ids a task's users are.
  enum UserIDs: String {
    /// The allocation's own where that works, else the host's, and users are told why.
    case auto
    /// The host's.
    case host
    /// The allocation's own, or the task does not start.
    case require
  }
  var mounts: [Mount] = []
  var resourceLimits: [ResourceLimit] = []

  /// Reads the keys; mistakes are left with the decoder.
  init(_ decoder: inout ConfigDecoder, _ settings: IsolationSettings) {
    workingDirectory = decoder.string("work_dir")
    if let workingDirectory, !workingDirectory.hasPrefix("/") {
      decoder.refuse("work_dir must be an absolute path inside the task's root")
    }
    privateIPC = settings.privateIPC
    namespaces(&decoder)
    capabilities(&decoder, settings)
    privileges(&decoder, settings)
    usesInit = decoder.bool("init") ?? true
    hasHardCPULimit = decoder.bool("cpu_hard_limit") ?? false
    oomScoreAdjustment = decoder.int("oom_score_adj").map { Int32(clamping: $0) }
    if let oomScoreAdjustment, !(0...1000).contains(oomScoreAdjustment) {
      decoder.refuse("oom_score_adj must be between 0 and 1000")
    }
    for (index, block) in decoder.blocks("mount").enumerated() {
      var nested = decoder.nested(block)
      if let mount = MountConfig(&nested, settings).mount { mounts.append(mount) }
      decoder.finish(nested, as: "mount[\(index)]")
    }
    for (name, text) in (decoder.map("ulimit") ?? [:]).sorted(by: { $0.key < $1.key }) {
      if let limit = UserLimit.parse(name, text) {
        resourceLimits.append(limit)
      } else {
        decoder.refuse(
          "ulimit.\(name) = \"\(text)\" is not understood: write \"soft:hard\" or one number for both, \"unlimited\" for "
            + "none; the names are \(UserLimit.names.keys.sorted().joined(separator: ", "))")
      }
    }
    isRootReadOnly = decoder.bool("readonly_root") ?? false
    sysctls = (decoder.map("sysctl") ?? [:]).sorted { $0.key < $1.key }.map { Sysctl($0.key, $0.value) }
    userIDs(&decoder, settings)
  }

  private mutating func userIDs(_ decoder: inout ConfigDecoder, _ settings: IsolationSettings) {
    let text = decoder.string("userns") ?? "auto"
    guard let mode = UserIDs(rawValue: text) else {
      return decoder.refuse("userns must be \"auto\", \"host\" or \"require\", not \"\(text)\"")
    }
    userIDs = mode
    if mode == .host && !settings.allowsHostIDs {
      decoder.refuse("userns = \"host\" is not allowed on this node (plugin option allow_host_userns = false)")
    }
    if mode == .require, let problem = settings.userNamespaceProblem {
      decoder.refuse("userns = \"require\": this host has no user namespaces for tasks: \(problem)")
    }
  }

  private mutating func namespaces(_ decoder: inout ConfigDecoder) {
    switch decoder.string("pid_mode") ?? "" {
    case "", "private": break
    case "host": decoder.refuse("pid_mode \"host\" is not run by this version: leave it out")
    case let mode: decoder.refuse("pid_mode must be \"private\" or \"host\", not \"\(mode)\"")
    }
    switch decoder.string("ipc_mode") ?? "" {
    case "": break
    case "private": privateIPC = true
    case "host": privateIPC = false
    case let mode: decoder.refuse("ipc_mode must be \"private\" or \"host\", not \"\(mode)\"")
    }
  }

  private mutating func capabilities(_ decoder: inout ConfigDecoder, _ settings: IsolationSettings) {
    let add = decoder.strings("cap_add") ?? []
    let drop = decoder.strings("cap_drop") ?? []
    do throws(SandboxError) {
      let allowed = try Capability.mask(of: settings.allowedCapabilities)
      let wanted = try Capability.names(base: [], add: add, drop: [])
      addedCapabilities = wanted
      if try Capability.mask(of: wanted) & ~allowed != 0 {
        decoder.refuse(
          "cap_add asks for more than this node allows (allow_caps: \(settings.allowedCapabilities.joined(separator: ", ")))"
        )
      }
      capabilities = try Capability.names(
        base: Capability.defaultNames.filter { settings.allowedCapabilities.contains($0) }, add: add, drop: drop)
    } catch {
      decoder.refuse("\(error.problem) (\(error.field) \"\(error.value)\")")
    }
  }

  private mutating func privileges(_ decoder: inout ConfigDecoder, _ settings: IsolationSettings) {
    switch decoder.string("seccomp") ?? "default" {
    case "default": seccomp = .standard
    case "unconfined":
      seccomp = .unconfined
      if !settings.allowsUnconfinedSeccomp {
        decoder.refuse(
          "seccomp = \"unconfined\" is not allowed on this node (plugin option allow_unconfined_seccomp = true)")
      }
    case let name:
      guard let profile = settings.seccompProfiles[name] else {
        let known = settings.seccompProfiles.keys.sorted().joined(separator: ", ")
        decoder.refuse(
          "seccomp = \"\(name)\" is no profile of this node: write \"default\", \"unconfined\" or the name of a file in "
            + "the directory that plugin option seccomp_profile_dir names (\(known.isEmpty ? "none there" : known))")
        break
      }
      seccomp = .profile(profile)
    }
    noNewPrivileges = decoder.bool("no_new_privileges") ?? true
    guard !noNewPrivileges else { return }
    if !settings.allowsNewPrivileges {
      decoder.refuse(
        "no_new_privileges = false is not allowed on this node (plugin option allow_new_privileges = true)")
    }
    if seccomp != .unconfined {
      decoder.refuse("no_new_privileges = false needs seccomp = \"unconfined\": the filter depends on it")
    }
  }
}

/// A `mount` block.
private struct MountConfig {
  var mount: Mount?

  init(_ decoder: inout ConfigDecoder, _ settings: IsolationSettings) {
    let type = decoder.string("type") ?? "bind"
    let target = decoder.string("target", required: true) ?? ""
    let source = decoder.string("source") ?? ""
    let isReadOnly = decoder.bool("readonly") ?? false
    let options = decoder.blocks("tmpfs_options").first
    let place = target.hasPrefix("/") ? target : "/" + target
    switch type {
    case "bind":
      if options != nil { decoder.refuse("tmpfs_options belong to type = \"tmpfs\"") }
      guard Self.check(source, &decoder, settings) else { return }
      mount = .bind(source, at: place, readOnly: isReadOnly)
      // Jobs that may write there must not lead others out of it.
      mount?.refusesLinks = true
    case "tmpfs":
      if !source.isEmpty { decoder.refuse("a tmpfs has no source") }
      var nested = decoder.nested(options ?? JSONObject())
      let size = nested.int("size") ?? 64 << 20
      let mode = nested.string("mode") ?? "0777"
      if size <= 0 { nested.refuse("size must be a number of bytes above 0") }
      let permissions = UInt32(mode, radix: 8)
      if permissions.map({ $0 > 0o7777 }) ?? true { nested.refuse("mode must be octal digits, such as \"1777\"") }
      decoder.finish(nested, as: "tmpfs_options")
      mount = .temporary(at: place, sizeBytes: UInt64(max(size, 0)), permissions: permissions ?? 0o777)
      if isReadOnly { mount?.attributes.insert(.readOnly) }
    default: decoder.refuse("type must be \"bind\" or \"tmpfs\", not \"\(type)\"")
    }
  }

  /// Whether a host path may be bound.
  private static func check(_ source: String, _ decoder: inout ConfigDecoder, _ settings: IsolationSettings) -> Bool {
    guard source.hasPrefix("/"), !source.split(separator: "/").contains("..") else {
      decoder.refuse("source must be an absolute path of the host, without \"..\"")
      return false
    }
    let path = "/" + source.split(separator: "/").joined(separator: "/")
    let isAllowed = settings.allowedHostPaths.contains { allowed in
      let root = "/" + allowed.split(separator: "/").joined(separator: "/")
      return path == root || root == "/" || path.hasPrefix(root + "/")
    }
    if !isAllowed {
      let paths = settings.allowedHostPaths
      decoder.refuse(
        "source \"\(source)\" is not a path that this node lets jobs bind (plugin option allow_host_paths: "
          + (paths.isEmpty ? "none" : paths.joined(separator: ", ")) + ")")
    }
    return isAllowed
  }
}

/// `ulimit` values, by the names that ulimit(1) of other tools has made common.
enum UserLimit {
  static let names: [String: ResourceLimit.Resource] = [
    "as": .addressSpace, "core": .core, "cpu": .cpu, "data": .data, "fsize": .fileSize, "locks": .locks,
    "memlock": .lockedMemory, "msgqueue": .messageQueues, "nice": .nice, "nofile": .openFiles, "nproc": .processes,
    "rss": .residentSet, "rtprio": .realTimePriority, "rttime": .realTimeMicroseconds, "sigpending": .pendingSignals,
    "stack": .stack,
  ]

  /// `"1024:4096"` or `"1024"`; nil for anything else.
  static func parse(_ name: String, _ text: String) -> ResourceLimit? {
    guard let resource = names[name] else { return nil }
    let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(number)
    guard (1...2).contains(parts.count), let soft = parts[0], let hard = parts[parts.count - 1], soft <= hard else {
      return nil
    }
    return ResourceLimit(resource, soft: soft, hard: hard)
  }

  private static func number(_ text: Substring) -> UInt64? {
    text == "unlimited" || text == "-1" ? .max : UInt64(text)
  }
}
