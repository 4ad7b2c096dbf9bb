internal import Codec
internal import Devices
internal import Drivers
internal import Isolation
internal import Linux
internal import Log
internal import Model

/// What a client does with the devices that plugins find.
enum NodeDevices {
  /// The plugins of the configured directory. Blocks.
  static func makeManager(_ configuration: ClientConfiguration, log: Logger) -> DeviceManager {
    let log = log.named("devices")
    var plugins: [DeviceManager.Plugin] = []
    if !configuration.pluginDirectory.isEmpty {
      let (files, problems) = PluginFile.all(in: configuration.pluginDirectory)
      for problem in problems { log.error("a device plugin can't be used", (key: "error", value: problem)) }
      plugins = files.map { file in
        DeviceManager.Plugin(
          file: file, arguments: configuration.pluginArguments[file.name] ?? [],
          config: configuration.plugins[file.name] ?? JSONObject())
      }
    }
    return DeviceManager(plugins) { log.error("a device plugin is in trouble", (key: "error", value: $0)) }
  }

  /// What of a reservation the driver lays into the task.
  /// - Throws: a sentence, where a driver without a root of the task's own would have to show something elsewhere.
  static func apply(
    _ reservation: DeviceReservation, to request: inout TaskStart, _ isolation: DriverCapabilities.Isolation
  ) throws(ClientError) {
    for mount in reservation.mounts {
      if isolation == .none {
        guard mount.hostPath != mount.taskPath else { continue }
        throw ClientError(
          .invalid,
          "task \"\(request.taskName)\" sees the host's files, but its device needs \(mount.hostPath) at \(mount.taskPath): use driver exec"
        )
      }
      request.volumes.append(
        TaskVolume(
          source: mount.hostPath, target: mount.taskPath, isReadOnly: mount.readOnly, ids: .host))
    }
    for device in reservation.devices {
      if isolation == .none {
        guard device.hostPath != device.taskPath else { continue }
        throw ClientError(
          .invalid,
          "task \"\(request.taskName)\" sees the host's files, but its device needs \(device.hostPath) at \(device.taskPath): use driver exec"
        )
      }
      request.devices.append(
        DeviceNode(
          device.hostPath, at: device.taskPath, readOnly: !device.cgroupPermissions.contains("w")))
    }
  }

  /// The statistics of the devices that a task holds, as the API shows them.
  static func statistics(
    _ all: [DeviceGroupStatistics], of held: [AllocatedDeviceResource]
  ) -> [JSONValue] {
    held.compactMap { device in
      guard
        var group = all.first(where: {
          $0.vendor == device.vendor && $0.type == device.type && $0.name == device.name
        })
      else { return nil }
      group.instanceStats = group.instanceStats.filter { device.deviceIDs.contains($0.key) }
      return group.instanceStats.isEmpty ? nil : json(group)
    }
  }

  static func json(_ group: DeviceGroupStatistics) -> JSONValue {
    var object = JSONObject()
    object["Vendor"] = .string(group.vendor)
    object["Type"] = .string(group.type)
    object["Name"] = .string(group.name)
    var instances = JSONObject()
    for (id, value) in group.instanceStats.sorted(by: { $0.key < $1.key }) { instances[id] = value }
    object["InstanceStats"] = .object(instances)
    return .object(object)
  }
}
