internal import Model

extension ProcessorTopology {
  /// The cores of this host by NUMA node, and the NUMA nodes of its PCI devices.
  ///
  /// Source: Documentation/ABI/stable/sysfs-devices-node and Documentation/ABI/testing/sysfs-bus-pci of Linux. A kernel
  /// without NUMA has no such directories: all cores are on node 0 then.
  /// - Parameters:
  ///   - sysfs: where sysfs is mounted.
  ///   - cores: how many logical cores there are, for a host that doesn't tell which.
  init(sysfs: String, cores count: Int) {
    self.init()
    let folder = sysfs + "/devices/system/node"
    for name in HostFiles.names(in: folder) where name.hasPrefix("node") {
      guard let node = Int(name.dropFirst(4)) else { continue }
      let list = CoreList.cores(HostFiles.line("\(folder)/\(name)/cpulist"))
      if list.isEmpty { continue }
      nodeIDs.append(node)
      cores += list.map { Self.core($0, node: node, sysfs) }
    }
    if cores.isEmpty {
      nodeIDs = [0]
      cores = (0..<count).map { Self.core($0, node: 0, sysfs) }
    }
    nodeIDs.sort()
    cores.sort { $0.coreID < $1.coreID }
    guard nodeIDs.count > 1 else { return }
    let devices = sysfs + "/bus/pci/devices"
    for address in HostFiles.names(in: devices) {
      // -1 where the firmware doesn't tell.
      if let node = HostFiles.number("\(devices)/\(address)/numa_node"), node >= 0 { busAssociativity[address] = node }
    }
  }

  private static func core(_ number: Int, node: Int, _ sysfs: String) -> ProcessorCore {
    var core = ProcessorCore()
    core.coreID = number
    core.nodeID = node
    let socket = HostFiles.number("\(sysfs)/devices/system/cpu/cpu\(number)/topology/physical_package_id") ?? 0
    core.socketID = max(socket, 0)
    return core
  }
}
