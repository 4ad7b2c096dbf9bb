internal import Client
internal import Codec
internal import Glibc
internal import Linux
internal import Model

/// What `agent/host` tells of the host that an agent runs on, for whoever looks for the cause of a problem.
enum HostReport {
  /// The largest file that goes into the report.
  private static let longestFile = 64 << 10

  /// The report. Files are read on a thread of their own.
  static func make(_ context: APIContext) async throws(APIError) -> JSONObject {
    let files = await contents(of: ["/proc/version", "/etc/resolv.conf", "/etc/hosts", "/proc/self/environ"])
    var data = JSONObject()
    data["OS"] = .string(trimmed(files[0]))
    data["ResolvConf"] = .string(files[1])
    data["Hosts"] = .string(files[2])
    data["Environment"] = .object(environment(files[3]))
    data["Network"] = .array([])
    data["Disk"] = .object(JSONObject())
    if let client = context.client {
      let node = await client.node
      data["Network"] = .array(
        (node.nodeResources?.nodeNetworks ?? []).map { network in
          ["device": .string(network.device), "address": .string(network.addresses.first?.address ?? "")]
        })
      var disks = JSONObject()
      for disk in await client.hostStats().diskStats {
        disks[disk.mountpoint] = [
          "DiskMB": .int(Int64(clamping: disk.size >> 20)), "UsedMB": .int(Int64(clamping: disk.used >> 20)),
        ]
      }
      data["Disk"] = .object(disks)
    }
    var report = JSONObject()
    report["AgentID"] = .string(context.agent.name)
    report["HostData"] = .object(data)
    return report
  }

  /// What this program runs on and as, for `agent/self`; names as Nomad's tools ask for them.
  static func runtime() -> [String: String] {
    let threads = (try? FileDescriptor.open("/proc/self/task", [.directory]).entries().count) ?? 0
    return [
      "arch": architecture, "kernel.name": "linux",
      "cpu_count": "\(sysconf(Int32(_SC_NPROCESSORS_ONLN)))", "max_procs": "\(sysconf(Int32(_SC_NPROCESSORS_ONLN)))",
      // Threads stand where a Go program shows goroutines.
      "goroutines": "\(threads)", "version": "serai \(SeraiVersion.text)",
    ]
  }

  /// What this program was built for, as `${attr.cpu.arch}` calls it.
  private static var architecture: String {
    #if arch(arm64)
      "arm64"
    #else
      "amd64"
    #endif
  }

  private static func trimmed(_ text: String) -> String { text.hasSuffix("\n") ? String(text.dropLast()) : text }

  /// The variables of this process; values of those whose name speaks of a secret are left out.
  private static func environment(_ text: String) -> JSONObject {
    var variables = JSONObject()
    for entry in text.split(separator: "\0") {
      guard let equals = entry.firstIndex(of: "=") else { continue }
      let name = String(entry[..<equals])
      let isSecret = ["TOKEN", "SECRET", "PASS", "KEY", "AUTH", "LICENSE"].contains { name.uppercased().contains($0) }
      variables[name] = .string(isSecret ? "<redacted>" : String(entry[entry.index(after: equals)...]))
    }
    return variables
  }

  /// Empty for what can't be read.
  private static func contents(of paths: [String]) async -> [String] {
    await withCheckedContinuation { continuation in
      let read: @Sendable () -> [String] = {
        paths.map { (try? Files.read($0, limit: longestFile)).map { String(decoding: $0, as: UTF8.self) } ?? "" }
      }
      do throws(SystemError) {
        try DetachedThread.start { continuation.resume(returning: read()) }
      } catch {
        continuation.resume(returning: paths.map { _ in "" })
      }
    }
  }
}
