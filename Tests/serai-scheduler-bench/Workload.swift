import Codec
import Model
import Scheduler

/// Nodes of five shapes in two datacenters, five zones and fifty racks.
func makeNode(_ number: Int, random: inout RandomBits, devices: Bool = false, cpu: Int64? = nil, memory: Int64? = nil)
  -> Node
{
  var node = Node()
  node.id = Identifier(using: &random)
  node.secretID = Identifier(using: &random)
  node.name = "node-\(number)"
  node.datacenter = "dc\(number % 2)"
  node.nodePool = "default"
  node.status = .ready
  node.meta = ["rack": "r\(number % 50)", "zone": "z\(number % 5)"]
  node.attributes = [
    "kernel.name": "linux", "cpu.arch": "amd64", "driver.exec": "1", "unique.hostname": "node-\(number)",
  ]
  var resources = NodeResources()
  resources.cpu.cpuShares = cpu ?? Int64(16_000 + 4_000 * (number % 5))
  resources.memory.memoryMB = memory ?? Int64(32_768 + 8_192 * (number % 5))
  resources.disk.diskMB = 1_000_000
  var network = NodeNetworkResource()
  network.mode = "host"
  var address = NodeNetworkAddress()
  address.alias = "default"
  address.address = "10.\(number / 62_500).\(number / 250 % 250).\(number % 250)"
  network.addresses = [address]
  resources.nodeNetworks = [network]
  if devices {
    var device = NodeDeviceResource()
    (device.vendor, device.type, device.name) = ("nvidia", "gpu", "T4")
    device.instances = (0..<4).map {
      var instance = NodeDevice()
      instance.id = "gpu-\(number)-\($0)"
      instance.healthy = true
      return instance
    }
    resources.devices = [device]
  }
  node.nodeResources = resources
  return node
}

func makeNodes(_ count: Int, random: inout RandomBits, devices: Bool = false, cpu: Int64? = nil, memory: Int64? = nil)
  -> [Node]
{
  (0..<count).map { makeNode($0, random: &random, devices: devices, cpu: cpu, memory: memory) }
}

/// What a job of the bench asks for beside CPU and memory.
struct Asks {
  var constraints = 1
  var spreads = 0
  var ports = 0
  var devices = 0
}

func makeJob(
  _ id: String, type: JobType = .batch, count: Int, cpu: Int = 100, memory: Int = 128, disk: Int = 300,
  priority: Int = 50, _ asks: Asks = Asks()
) -> Job {
  var job = Job()
  job.id = id
  job.type = type
  job.priority = priority
  job.datacenters = ["*"]
  job.constraints = [("${attr.kernel.name}", "=", "linux"), ("${attr.cpu.arch}", "set_contains_any", "amd64,arm64")]
    .prefix(asks.constraints).map {
      var constraint = Constraint()
      (constraint.lTarget, constraint.operand, constraint.rTarget) = $0
      return constraint
    }
  job.spreads = ["${node.datacenter}", "${meta.zone}", "${meta.rack}"].prefix(asks.spreads).map {
    var spread = Spread()
    spread.attribute = $0
    return spread
  }
  var group = TaskGroup()
  group.name = "web"
  group.count = count
  var disks = EphemeralDisk()
  disks.sizeMB = disk
  group.ephemeralDisk = disks
  var task = JobTask()
  task.name = "main"
  task.driver = "exec"
  var resources = Resources()
  resources.cpu = cpu
  resources.memoryMB = memory
  if asks.devices > 0 {
    var device = RequestedDevice()
    device.name = "nvidia/gpu"
    device.count = UInt64(asks.devices)
    resources.devices = [device]
  }
  task.resources = resources
  group.tasks = [task]
  if asks.ports > 0 {
    var network = NetworkResource()
    network.dynamicPorts = (0..<asks.ports).map {
      var port = Port()
      port.label = "p\($0)"
      return port
    }
    group.networks = [network]
  }
  job.taskGroups = [group]
  job.canonicalize()
  job.fillRegistrationDefaults()
  return job
}
