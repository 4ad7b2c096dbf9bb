internal import Codec
internal import Drivers
internal import Isolation

/// What the configuration says about drivers, read with every mistake named.
enum DriverSettings {
  /// The `exec` driver's settings; a mistake makes the driver refuse to run and say why.
  static func exec(_ configuration: ClientConfiguration) -> ExecDriver.Settings {
    var settings = ExecDriver.Settings()
    if let chroot = configuration.chrootEnvironment {
      settings.chroot = chroot.sorted { $0.value < $1.value }.map { ChrootEntry($0.key, $0.value) }
    }
    let checked = (configuration.options["user.checked_drivers"] ?? "exec,qemu,java").split(separator: ",")
    if checked.contains(where: { trimmed($0) == "exec" }) {
      if let denied = configuration.options["user.denylist"] {
        settings.deniedUsers = denied.split(separator: ",").map { trimmed($0) }
      }
    } else {
      settings.deniedUsers = []
    }
    var decoder = ConfigDecoder(driver: "exec", config: configuration.plugins["exec"] ?? JSONObject())
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
    settings.deniedUserIDs = ranges("denied_host_uids", &decoder)
    settings.deniedGroupIDs = ranges("denied_host_gids", &decoder)
    if decoder.bool("enabled") == false { settings.problem = "disabled in the agent's plugin block" }
    do throws(DriverError) { try decoder.finish() } catch { settings.problem = error.message }
    return settings
  }

  /// "0,10-15" as ranges.
  private static func ranges(_ key: String, _ decoder: inout ConfigDecoder) -> [ClosedRange<UInt32>] {
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
