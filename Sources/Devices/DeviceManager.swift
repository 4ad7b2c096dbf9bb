public import Codec
internal import Linux
public import Model

/// Keeps a node's device plugins running and knows their devices.
///
/// A plugin that ends is started again, after a pause that grows; until it answers, its devices are there but not healthy,
/// so nothing new is placed on them and what runs is left alone.
public actor DeviceManager {
  /// A plugin that is to run.
  public struct Plugin: Sendable {
    /// Its program.
    public var file: PluginFile
    /// Further arguments of its command line.
    public var arguments: [String]
    /// The `config` of its `plugin` block.
    public var config: JSONObject

    /// A plugin.
    public init(file: PluginFile, arguments: [String] = [], config: JSONObject = JSONObject()) {
      self.file = file
      self.arguments = arguments
      self.config = config
    }
  }

  private struct Running {
    let plugin: Plugin
    var process: PluginProcess?
    var groups: [NodeDeviceResource] = []
    var pause = DeviceManager.firstPause
    /// Counts starts: what an earlier process still says is not heard.
    var generation = 0
  }

  static let firstPause = Duration.seconds(1)
  static let longestPause = Duration.seconds(60)
  private static let answerTime = Duration.seconds(10)

  private var running: [String: Running] = [:]
  private let report: @Sendable (String) -> Void
  private var onChange: @Sendable () async -> Void = {}
  private var isStopped = false

  /// - Parameter report: told, in sentences for the agent's log, what goes wrong.
  public init(_ plugins: [Plugin], report: @escaping @Sendable (String) -> Void) {
    for plugin in plugins { running[plugin.file.name] = Running(plugin: plugin) }
    self.report = report
  }

  /// Starts all plugins and returns when each has told its devices or failed.
  /// - Parameter onChange: called when the devices of `groups` have become others.
  public func start(onChange: @escaping @Sendable () async -> Void) async {
    self.onChange = onChange
    await withTaskGroup(of: Void.self) { group in
      for name in running.keys { group.addTask { await self.launch(name) } }
    }
  }

  /// Ends all plugins.
  public func stop() {
    isStopped = true
    for plugin in running.values { plugin.process?.stop() }
  }

  /// The node's devices, alike ones together, in a defined order.
  public var groups: [NodeDeviceResource] {
    running.sorted { $0.key < $1.key }.flatMap { $0.value.groups }
  }

  /// Asks every plugin what is there now.
  public func refresh() async {
    for name in running.keys.sorted() { await fingerprint(name) }
  }

  /// What a task needs in order to use devices that an allocation holds.
  /// - Throws: which device is not there, or what its plugin says.
  public func reserve(_ held: [AllocatedDeviceResource]) async throws(DeviceError) -> DeviceReservation {
    var all = DeviceReservation()
    for device in held {
      let kind = "\(device.vendor)/\(device.type)/\(device.name)"
      let owner = running.first { _, plugin in
        plugin.groups.contains { group in
          group.vendor == device.vendor && group.type == device.type && group.name == device.name
            && device.deviceIDs.allSatisfy { id in group.instances.contains { $0.id == id } }
        }
      }
      guard let owner else {
        throw DeviceError(
          "no plugin of this node has device \(kind) \(device.deviceIDs.joined(separator: ", ")) any more")
      }
      guard let process = owner.value.process else {
        throw DeviceError(owner.key, "it does not run now, so \(kind) can't be handed out")
      }
      var request = DevicePluginRequest()
      request.method = "Reserve"
      (request.vendor, request.type, request.name) = (device.vendor, device.type, device.name)
      request.deviceIDs = device.deviceIDs
      all.merge(try await process.call(request, timeout: Self.answerTime).reservation)
    }
    return all
  }

  /// What the devices do now; a plugin that can't tell is left out.
  public func statistics() async -> [DeviceGroupStatistics] {
    var all: [DeviceGroupStatistics] = []
    for (_, plugin) in running.sorted(by: { $0.key < $1.key }) {
      guard let process = plugin.process else { continue }
      var request = DevicePluginRequest()
      request.method = "Statistics"
      if let answer = try? await process.call(request, timeout: .seconds(2)) { all += answer.statistics }
    }
    return all
  }

  // MARK: One plugin

  private func launch(_ name: String) async {
    guard !isStopped, var plugin = running[name] else { return }
    plugin.generation += 1
    let generation = plugin.generation
    running[name] = plugin
    do {
      let process = try PluginProcess(
        plugin.plugin.file, arguments: plugin.plugin.arguments,
        onEvent: { [weak self] in Task { await self?.fingerprint(name) } },
        onEnd: { [weak self] error in Task { await self?.ended(name, generation, error) } })
      running[name]?.process = process
      try await introduce(process, plugin.plugin)
      running[name]?.pause = Self.firstPause
      await fingerprint(name)
    } catch let error as DeviceError {
      report(error.message)
      // Its end is followed by the next start; one that answered badly is ended for that.
      running[name]?.process?.stop()
    } catch {
      report("device plugin \"\(name)\" can't be started: \(error)")
      await ended(name, generation, nil)
    }
  }

  private func introduce(_ process: PluginProcess, _ plugin: Plugin) async throws {
    var request = DevicePluginRequest()
    request.method = "Describe"
    let description = try await process.call(request, timeout: Self.answerTime)
    guard description.protocolVersion == DevicePluginProtocol.version else {
      throw DeviceError(
        plugin.file.name,
        "it speaks version \(description.protocolVersion) of the protocol, this agent version "
          + "\(DevicePluginProtocol.version): install the plugin that belongs to this agent")
    }
    request.method = "Configure"
    request.config = plugin.config
    _ = try await process.call(request, timeout: Self.answerTime)
  }

  private func fingerprint(_ name: String) async {
    guard let process = running[name]?.process else { return }
    var request = DevicePluginRequest()
    request.method = "Fingerprint"
    do throws(DeviceError) {
      let groups = try await process.call(request, timeout: Self.answerTime).groups
      guard running[name]?.process === process else { return }
      await set(groups, of: name)
    } catch {
      report(error.message)
    }
  }

  private func set(_ groups: [NodeDeviceResource], of name: String) async {
    guard running[name]?.groups != groups else { return }
    running[name]?.groups = groups
    await onChange()
  }

  private func ended(_ name: String, _ generation: Int, _ error: DeviceError?) async {
    guard !isStopped, let plugin = running[name], plugin.generation == generation else { return }
    running[name]?.process = nil
    running[name]?.pause = min(plugin.pause * 2, Self.longestPause)
    if let error { report("\(error.message); it is started again in \(plugin.pause)") }
    let pause = plugin.pause
    Task { [weak self] in
      do { try await Task.sleep(for: pause) } catch { return }
      await self?.launch(name)
    }
    await set(
      plugin.groups.map { group in
        var group = group
        for index in group.instances.indices {
          group.instances[index].healthy = false
          group.instances[index].healthDescription = error?.message ?? "its plugin does not run"
        }
        return group
      }, of: name)
  }
}
