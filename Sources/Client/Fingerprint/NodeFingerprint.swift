internal import Codec
internal import Drivers
internal import Glibc
internal import Model

/// What this host is, as constraints see it. Everything is read once, then `apply` makes a `Node` of it.
struct NodeFingerprint: Sendable {
  var processor: ProcessorInfo
  var memory: MemoryInfo
  var operatingSystem: OperatingSystem
  var cgroups: CgroupMounts
  var storage: StorageInfo?
  var kernelVersion = ""
  var machine = ""
  var hostname = ""
  var route: RouteTable.Default?
  var addresses: [InterfaceAddress] = []
  /// Mbit/s by interface; virtual ones have none.
  var linkSpeeds: [String: Int] = [:]
  var hardwareAddresses: [String: String] = [:]
  var topology = ProcessorTopology()

  /// Reads the host. Blocks on /proc and /sys.
  init(configuration: ClientConfiguration) {
    let cpufreq = "/sys/devices/system/cpu/cpu0/cpufreq/"
    processor = ProcessorInfo(
      cpuinfo: HostFiles.text("/proc/cpuinfo") ?? "",
      cpufreqKiloHertz: HostFiles.number(cpufreq + "base_frequency") ?? HostFiles.number(cpufreq + "cpuinfo_max_freq"))
    memory = MemoryInfo(meminfo: HostFiles.text("/proc/meminfo") ?? "")
    operatingSystem = OperatingSystem(
      osRelease: HostFiles.text("/etc/os-release") ?? HostFiles.text("/usr/lib/os-release") ?? "")
    cgroups = CgroupMounts(mountInfo: HostFiles.text("/proc/self/mountinfo") ?? "")
    storage = StorageInfo(ofDirectory: configuration.allocationDirectory)
    kernelVersion = HostFiles.line("/proc/sys/kernel/osrelease")
    machine = HostFiles.line("/proc/sys/kernel/arch")
    if machine.isEmpty { machine = Self.machineOfThisBuild }
    hostname = HostFiles.line("/proc/sys/kernel/hostname")
    topology = ProcessorTopology(
      sysfs: "/sys", cores: processor.logicalCores)
    route = RouteTable.defaultRoute(route: HostFiles.text("/proc/net/route") ?? "")
    addresses = InterfaceAddress.ofThisHost()
    for interface in Set(addresses.map(\.interface)) {
      if let speed = HostFiles.number("/sys/class/net/\(interface)/speed"), speed > 0 { linkSpeeds[interface] = speed }
      hardwareAddresses[interface] = HostFiles.line("/sys/class/net/\(interface)/address")
    }
  }

  /// Whether two looks at the same host differ in something that matters to placements or to users.
  static func differ(_ one: Node, _ other: Node) -> Bool {
    func steady(_ node: Node) -> Node {
      var node = node
      node.attributes["unique.storage.bytesfree"] = nil
      node.nodeResources?.disk.diskMB = 0
      node.resources?.diskMB = 0
      for name in node.drivers.keys { node.drivers[name]?.updateTime = .zeroValue }
      return node
    }
    return steady(one) != steady(other)
  }

  /// /proc/sys/kernel/arch is as young as Linux 6.1.
  private static var machineOfThisBuild: String {
    #if arch(x86_64)
      "x86_64"
    #elseif arch(arm64)
      "aarch64"
    #else
      ""
    #endif
  }

  /// The address that stands for the node: of the interface asked for, else of the default route's, else the first that
  /// others can reach, else loopback. IPv4 before IPv6, global before link-local.
  func mainAddress(interface: String) -> InterfaceAddress? {
    let wanted = interface.isEmpty ? (route?.interface ?? "") : interface
    let ranked = addresses.sorted { Self.rank($0) < Self.rank($1) }
    return ranked.first { $0.interface == wanted } ?? ranked.first
  }

  private static func rank(_ address: InterfaceAddress) -> Int {
    (address.isLoopback ? 4 : 0) + (address.isLinkLocal ? 2 : 0) + (address.family == .ipv6 ? 1 : 0)
  }

  /// Fills in everything about the node that the host and the configuration decide.
  func apply(to node: inout Node, configuration: ClientConfiguration) {
    node.name = configuration.nodeName.isEmpty ? hostname : configuration.nodeName
    node.datacenter = configuration.datacenter
    node.nodeClass = configuration.nodeClass
    node.nodePool = configuration.nodePool
    node.meta = configuration.meta
    node.httpAddr = configuration.httpAddress
    node.tlsEnabled = configuration.tlsEnabled
    node.hostVolumes = configuration.hostVolumes
    node.nodeMaxAllocs = configuration.nodeMaxAllocations
    node.hostNetworks = Dictionary(configuration.hostNetworks.map { ($0.name, $0) }) { first, _ in first }
    let main = mainAddress(interface: configuration.networkInterface)
    node.attributes = attributes(configuration: configuration, main: main)
    node.nodeResources = resources(configuration: configuration, main: main)
    node.reservedResources = reserved(configuration.reserved)
    let has = node.nodeResources ?? NodeResources()
    let keeps = node.reservedResources ?? NodeReservedResources()
    var total = Self.sums(cpu: has.cpu.cpuShares, memory: has.memory.memoryMB, disk: has.disk.diskMB)
    total.networks = has.networks
    node.resources = total
    node.reserved = Self.sums(cpu: keeps.cpu.cpuShares, memory: keeps.memory.memoryMB, disk: keeps.disk.diskMB)
  }

  /// The form that older API clients read.
  private static func sums(cpu: Int64, memory: Int64, disk: Int64) -> Resources {
    var resources = Resources()
    resources.cpu = Int(cpu)
    resources.memoryMB = Int(memory)
    resources.diskMB = Int(disk)
    return resources
  }

  private func attributes(configuration: ClientConfiguration, main: InterfaceAddress?) -> [String: String] {
    let architecture = OperatingSystem.architecture(machine: machine)
    let compute = configuration.cpuTotalCompute > 0 ? configuration.cpuTotalCompute : processor.totalComputeMHz
    var attributes = [
      "kernel.name": "linux", "kernel.version": kernelVersion, "kernel.arch": machine,
      "arch": architecture, "cpu.arch": architecture,
      "cpu.numcores": String(processor.logicalCores), "cpu.reservablecores": String(processor.logicalCores),
      "cpu.frequency": String(processor.frequencyMHz), "cpu.totalcompute": String(compute),
      "cpu.usablecompute": String(max(compute - configuration.reserved.cpuMHz, 0)),
      "memory.totalbytes": String(memory.total),
      "os.name": operatingSystem.name, "os.version": operatingSystem.version,
      "os.signals": SignalNames.all.map(\.name).sorted().joined(separator: ","),
      "unique.hostname": hostname,
      "nomad.version": configuration.compatibleNomadVersion, "serai.version": configuration.version,
    ]
    attributes["numa.node.count"] = String(topology.nodeIDs.count)
    for node in topology.nodeIDs {
      attributes["numa.node\(node).cores"] = CoreList.text(
        topology.cores.filter { $0.nodeID == node }.map(\.coreID))
    }
    if !processor.modelName.isEmpty { attributes["cpu.modelname"] = processor.modelName }
    if cgroups.layout != .none {
      attributes["os.cgroups.version"] = cgroups.layout == .unified ? "2" : "1"
      attributes["unique.cgroup.mountpoint"] = cgroups.mountPoint
      attributes["unique.cgroup.version"] = cgroups.layout.rawValue
    }
    if let main { attributes["unique.network.ip-address"] = main.address }
    if !configuration.httpAddress.isEmpty { attributes["unique.advertise.address"] = configuration.httpAddress }
    if let storage {
      attributes["unique.storage.volume"] = storage.volume
      attributes["unique.storage.bytestotal"] = String(storage.totalBytes)
      attributes["unique.storage.bytesfree"] = String(storage.freeBytes)
    }
    return attributes
  }

  private func resources(configuration: ClientConfiguration, main: InterfaceAddress?) -> NodeResources {
    var resources = NodeResources()
    resources.cpu.cpuShares = Int64(
      configuration.cpuTotalCompute > 0 ? configuration.cpuTotalCompute : processor.totalComputeMHz)
    resources.cpu.totalCpuCores = processor.logicalCores
    resources.cpu.reservableCpuCores = topology.cores.map(\.coreID)
    var processors = NodeProcessorResources()
    processors.topology = topology
    resources.processors = processors
    resources.memory.memoryMB = Int64(
      configuration.memoryTotalMB > 0 ? configuration.memoryTotalMB : memory.total / (1 << 20))
    let free = configuration.diskFreeMB > 0 ? configuration.diskFreeMB : (storage?.freeBytes ?? 0) / (1 << 20)
    resources.disk.diskMB = Int64(configuration.diskTotalMB > 0 ? min(free, configuration.diskTotalMB) : free)
    resources.minDynamicPort = configuration.minimumDynamicPort
    resources.maxDynamicPort = configuration.maximumDynamicPort
    if let main {
      var network = NetworkResource()
      network.mode = "host"
      network.device = main.interface
      network.ip = main.address
      network.cidr = "\(main.address)/\(main.family == .ipv4 ? 32 : 128)"
      network.mBits = speed(of: main.interface, configuration)
      resources.networks = [network]
    }
    resources.nodeNetworks = nodeNetworks(configuration: configuration, main: main)
    return resources
  }

  private func speed(of interface: String, _ configuration: ClientConfiguration) -> Int {
    // 1000 where the link does not tell, as Nomad documents for `network_speed`.
    configuration.networkSpeed > 0 ? configuration.networkSpeed : linkSpeeds[interface] ?? 1000
  }

  private func nodeNetworks(configuration: ClientConfiguration, main: InterfaceAddress?) -> [NodeNetworkResource] {
    var networks: [NodeNetworkResource] = []
    for interface in Set(addresses.map(\.interface)).sorted() {
      var network = NodeNetworkResource()
      network.mode = "host"
      network.device = interface
      network.macAddress = hardwareAddresses[interface] ?? ""
      network.speed = speed(of: interface, configuration)
      for address in addresses where address.interface == interface {
        for alias in aliases(of: address, main: main, configuration) {
          var entry = NodeNetworkAddress()
          entry.family = address.family.rawValue
          entry.alias = alias.name
          entry.address = address.address
          entry.reservedPorts = alias.reservedPorts
          entry.gateway = route?.interface == interface ? route?.gateway ?? "" : ""
          network.addresses.append(entry)
        }
      }
      if !network.addresses.isEmpty { networks.append(network) }
    }
    return networks
  }

  /// The names under which jobs can ask for ports of an address: `default` for the node's own, and configured networks.
  private func aliases(
    of address: InterfaceAddress, main: InterfaceAddress?, _ configuration: ClientConfiguration
  ) -> [(name: String, reservedPorts: String)] {
    var names: [(String, String)] = address == main ? [("default", configuration.reserved.ports)] : []
    for network in configuration.hostNetworks {
      let sameInterface = network.interface.isEmpty || network.interface == address.interface
      let sameNetwork = network.cidr.isEmpty || AddressRange(network.cidr)?.contains(address.address) == true
      let usable = !address.isLinkLocal && (!network.interface.isEmpty || !network.cidr.isEmpty)
      if sameInterface && sameNetwork && usable { names.append((network.name, network.reservedPorts)) }
    }
    return names
  }

  private func reserved(_ reserved: ClientConfiguration.Reserved) -> NodeReservedResources {
    var result = NodeReservedResources()
    result.cpu.cpuShares = Int64(reserved.cpuMHz)
    result.cpu.reservedCpuCores = CoreList.cores(reserved.cores)
    result.memory.memoryMB = Int64(reserved.memoryMB)
    result.disk.diskMB = Int64(reserved.diskMB)
    result.networks.reservedHostPorts = reserved.ports
    return result
  }
}

extension HostFiles {
  /// The first line of a file, "" when it cannot be read.
  static func line(_ path: String) -> String { trimmed(text(path)?.split(separator: "\n").first ?? "") }
}

/// The cpuset list notation, "0-2,7" (cpuset(7), "List format").
enum CoreList {
  /// The cores of a list, ascending; what is not a number or range is skipped.
  static func cores(_ text: String) -> [Int] {
    var cores: Set<Int> = []
    for part in text.split(separator: ",") {
      let ends = part.split(separator: "-").compactMap { Int(trimmed($0)) }
      guard let first = ends.first, let last = ends.last, ends.count <= 2, first <= last, last < 65536 else { continue }
      cores.formUnion(first...last)
    }
    return cores.sorted()
  }

  /// The shortest list of the cores.
  static func text(_ cores: [Int]) -> String {
    var parts: [String] = []
    var rest = Array(Set(cores)).sorted()[...]
    while let first = rest.popFirst() {
      var last = first
      while rest.first == last + 1, let next = rest.popFirst() { last = next }
      parts.append(first == last ? "\(first)" : "\(first)-\(last)")
    }
    return parts.joined(separator: ",")
  }
}

/// An address with a prefix length, such as 10.0.0.0/8.
struct AddressRange {
  private let bytes: [UInt8]
  private let prefixLength: Int

  /// Nil for text that is not such a range.
  init?(_ text: String) {
    let parts = text.split(separator: "/", maxSplits: 1)
    guard parts.count == 2, let length = Int(parts[1]), let bytes = Self.bytes(of: String(parts[0])),
      (0...bytes.count * 8).contains(length)
    else { return nil }
    self.bytes = bytes
    prefixLength = length
  }

  /// Whether an address of the same family lies in the range.
  func contains(_ address: String) -> Bool {
    guard let other = Self.bytes(of: address), other.count == bytes.count else { return false }
    for bit in 0..<prefixLength where (other[bit / 8] ^ bytes[bit / 8]) & (0x80 >> UInt8(bit % 8)) != 0 { return false }
    return true
  }

  private static func bytes(of text: String) -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: 16)
    if inet_pton(AF_INET, text, &bytes) == 1 { return Array(bytes.prefix(4)) }
    return inet_pton(AF_INET6, text, &bytes) == 1 ? bytes : nil
  }
}
