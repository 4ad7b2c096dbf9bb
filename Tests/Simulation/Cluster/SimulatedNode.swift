import Codec
import Model
import State

/// What happens on a node.
enum NodeEvent {
  case beat
  case poll
  /// Something that runs is to be looked at: it has started, is healthy, has ended.
  case step(Identifier)
  case restart
}

/// A worker's machine: what its kernel runs, and the agent that looks after it.
///
/// The agent's bookkeeping is on the machine's disk: tasks outlive it, and its successor knows them.
struct SimulatedNode {
  /// Something that was begun here.
  struct Run {
    enum Phase { case waiting, starting, running, stopping, ended }
    let allocation: Shared<StoredAllocation>
    var phase: Phase
    var isHealthy: Bool?
    var hasFailed = false
    /// Whether it will say that it is not healthy.
    var isBad = false
    /// The servers have given it up, or forgotten it, and count nothing for it any more.
    var isGivenUp = false
  }

  let place: Int
  let registration: Node
  /// Counts the agent's starts.
  var epoch = 0
  var isUp = true
  var cutUntil: UInt64 = 0
  /// The server that it talks to.
  var host = 0
  /// The index of the newest list of allocations: an older one is a server's that lags.
  var index: UInt64 = 0
  var runs: [Identifier: Run] = [:]
  var reports: [Identifier: AllocationStatusChange] = [:]
  var isReporting = false
  var isRegistering = false

  var id: Identifier { registration.id }

  /// Whether something runs that the servers do not count any more: until it has ended nothing else begins.
  var hasGivenUp: Bool { runs.values.contains { $0.isGivenUp && $0.phase != .ended && $0.phase != .waiting } }

  /// What holds the machine's resources now.
  var held: [Run] { runs.values.filter { $0.phase != .ended && $0.phase != .waiting } }
}

extension SimulatedNode {
  init(place: Int, random: inout Random) {
    self.place = place
    var node = Node()
    node.id = Identifier(using: &random)
    node.secretID = Identifier(using: &random)
    node.name = "node-\(place)"
    node.datacenter = "dc1"
    node.nodePool = "default"
    node.status = .ready
    node.attributes = ["kernel.name": "linux", "cpu.arch": "amd64", "driver.exec": "1", "rack": "r\(place % 3)"]
    var driver = DriverInfo()
    driver.detected = true
    driver.healthy = true
    node.drivers = ["exec": driver]
    var resources = NodeResources()
    resources.cpu.cpuShares = Int64(1_000 * (2 + random.below(3)))
    resources.memory.memoryMB = Int64(1_024 * (2 + random.below(3)))
    resources.disk.diskMB = 20_000
    var network = NodeNetworkResource()
    network.mode = "host"
    network.device = "eth0"
    var address = NodeNetworkAddress()
    address.family = "ipv4"
    address.alias = "default"
    address.address = "10.0.0.\(place + 1)"
    network.addresses = [address]
    resources.nodeNetworks = [network]
    var device = NodeDeviceResource()
    (device.vendor, device.type, device.name) = ("v", "gpu", "m")
    device.instances = (0..<random.below(3)).map {
      var instance = NodeDevice()
      instance.id = "\(place)-\($0)"
      instance.healthy = true
      return instance
    }
    if !device.instances.isEmpty { resources.devices = [device] }
    node.nodeResources = resources
    registration = node
  }
}
