import Codec
import Model
import State
import Testing

@testable import Scheduler

/// Cores, NUMA nodes, memory beyond what is reserved, devices, volumes and host networks.
@Suite struct ResourceScenarioTests {
  /// Eight cores of 1,000 MHz on two NUMA nodes.
  private func coreNode(_ number: UInt64, reserved: [Int] = []) -> Node {
    var node = makeNode(number, cpu: 8_000, memory: 8_192)
    node.nodeResources?.cpu.totalCpuCores = 8
    node.nodeResources?.cpu.reservableCpuCores = Array(0..<8)
    var processors = NodeProcessorResources()
    processors.topology.nodeIDs = [0, 1]
    processors.topology.cores = (0..<8).map { number in
      var core = ProcessorCore()
      core.coreID = number
      core.nodeID = number / 4
      return core
    }
    processors.topology.busAssociativity = ["0000:01:00.0": 0, "0000:81:00.0": 1]
    node.nodeResources?.processors = processors
    if !reserved.isEmpty {
      var kept = NodeReservedResources()
      kept.cpu.reservedCpuCores = reserved
      kept.cpu.cpuShares = Int64(reserved.count) * 1_000
      node.reservedResources = kept
    }
    return node
  }

  private func coreJob(
    _ id: String, _ cores: Int, count: Int = 1, numa: String = "", _ change: (inout Job) -> Void = { _ in }
  )
    -> Job
  {
    makeJob(id, count: count) { job in
      job.editTask {
        $0.resources?.cpu = nil
        $0.resources?.cores = cores
        if !numa.isEmpty {
          var resource = NUMAResource()
          resource.affinity = numa
          $0.resources?.numa = resource
        }
      }
      change(&job)
    }
  }

  // MARK: Cores

  /// "cores: specifies the number of CPU cores to reserve for the task; cannot be used with cpu."
  @Test func coresAreForOneTaskAloneAndCountAsTheirMegahertz() throws {
    var cluster = Cluster()
    try cluster.add(coreNode(1, reserved: [0]))
    try cluster.run(coreJob("a", 3, count: 2))
    let held = cluster.running("a").flatMap { $0.grants["main"]?.cores ?? [] }
    #expect(held.count == 6 && Set(held).count == 6 && !held.contains(0))
    #expect(cluster.running("a").allSatisfy { $0.demand.cpu == 3_000 })
    #expect(cluster.running("a").allSatisfy { $0.allocatedResources.tasks["main"]?.cpu.cpuShares == 3_000 })
    let third = try cluster.run(coreJob("b", 2))
    #expect(third.evaluation.failedTGAllocs["web"]?.nodesExhausted == 1)
    #expect(third.evaluation.failedTGAllocs["web"]?.resourcesExhausted["main"] != nil)
    #expect(try cluster.run(coreJob("c", 1)).plan.placements.count == 1)
    // Seven of seven cores: no MHz are left either.
    #expect(try cluster.run(makeJob("d", count: 1, cpu: 100)).plan.placements.isEmpty)
  }

  @Test func coresAreFreeWhenTheClientSaysSo() throws {
    var cluster = Cluster()
    try cluster.add(coreNode(1))
    try cluster.run(coreJob("a", 8))
    try cluster.stop("a")
    #expect(try cluster.run(coreJob("b", 8)).plan.placements.isEmpty)
    try cluster.settle("a")
    #expect(try cluster.evaluate("b").plan.placements.count == 1)
  }

  /// A rolling update on a full node gets the same cores after its predecessor.
  @Test func aReplacementStandsOnThePredecessorsCores() throws {
    var cluster = Cluster()
    try cluster.add(coreNode(1))
    let job = coreJob("a", 8)
    try cluster.run(job)
    try cluster.settle("a")
    let old = try #require(cluster.running("a").first)
    try cluster.run(job.destructivelyChanged())
    let new = try #require(cluster.running("a").first)
    #expect(new.id != old.id && new.startsAfter == [old.id])
    #expect(new.grants["main"]?.cores == old.grants["main"]?.cores)
  }

  // MARK: NUMA

  /// "require: the task is placed on cores of one NUMA node; prefer: if possible; none: anywhere."
  @Test(arguments: [("require", false), ("prefer", true), ("none", true)])
  func numaAffinitySaysWhetherCoresMayLieApart(affinity: String, isPlaced: Bool) throws {
    var cluster = Cluster()
    try cluster.add(coreNode(1))
    try cluster.run(coreJob("a", 2, numa: "require"))
    try cluster.run(coreJob("b", 3, numa: "require"))
    // Left are two cores of one NUMA node and one of the other.
    let result = try cluster.run(coreJob("c", 3, numa: affinity))
    #expect(result.plan.placements.count == (isPlaced ? 1 : 0))
    for id in ["a", "b"] {
      let cores = cluster.running(id).flatMap { $0.grants["main"]?.cores ?? [] }
      #expect(Set(cores.map { $0 / 4 }).count == 1)
    }
  }

  @Test func preferredNumaNodesAreUsedWhereThereIsRoom() throws {
    var cluster = Cluster()
    try cluster.add(coreNode(1))
    try cluster.run(coreJob("a", 1))
    try cluster.run(coreJob("b", 4, numa: "prefer"))
    let cores = try #require(cluster.running("b").first?.grants["main"]?.cores)
    #expect(Set(cores.map { $0 / 4 }).count == 1)
  }

  /// "devices: the devices that must be on the same NUMA node as the cores."
  @Test func numaDevicesLieBesideTheCores() throws {
    var cluster = Cluster()
    var node = coreNode(1)
    node.nodeResources?.devices = [gpus("T4", ["g0", "g1"])]
    node.nodeResources?.devices[0].instances[0].locality = NodeDeviceLocality()
    node.nodeResources?.devices[0].instances[0].locality?.pciBusID = "0000:01:00.0"
    node.nodeResources?.devices[0].instances[1].locality = NodeDeviceLocality()
    node.nodeResources?.devices[0].instances[1].locality?.pciBusID = "0000:81:00.0"
    try cluster.add(node)
    // Takes cores of NUMA node 0, so that the fullest node that still has three is 1.
    try cluster.run(coreJob("filler", 2, numa: "require"))
    func job(_ id: String) -> Job {
      coreJob(id, 2, numa: "require") { job in
        job.editTask {
          $0.resources?.numa?.devices = ["gpu"]
          $0.resources?.devices = [request("gpu")]
        }
      }
    }
    try cluster.run(job("a"))
    try cluster.run(job("b"))
    for id in ["a", "b"] {
      let grant = try #require(cluster.running(id).first?.grants["main"])
      let gpuNode = grant.devices.first?.deviceIDs == ["g0"] ? 0 : 1
      #expect(grant.cores.allSatisfy { $0 / 4 == gpuNode })
    }
  }

  // MARK: Memory

  /// "memory_max: … if memory oversubscription is enabled", by the region or by the node pool.
  @Test(
    arguments: [(false, nil, 0), (true, nil, 512), (false, true, 512), (true, false, 0)] as [(Bool, Bool?, Int64)])
  func memoryMaxCountsWhereOversubscriptionIsOn(region: Bool, pool: Bool?, expected: Int64) throws {
    var cluster = Cluster()
    try cluster.addNodes(1)
    var update = SchedulerConfigurationUpdate()
    update.configuration = cluster.reader.schedulerConfiguration
    update.configuration.memoryOversubscriptionEnabled = region
    try cluster.apply(.schedulerConfiguration(update))
    if let pool {
      var payload = NodePoolUpsert()
      var record = NodePool()
      record.name = "default"
      var configuration = NodePoolSchedulerConfiguration()
      configuration.memoryOversubscriptionEnabled = pool
      record.schedulerConfiguration = configuration
      payload.pools = [record]
      try cluster.apply(.nodePoolUpsert(payload))
    }
    try cluster.run(makeJob("a", count: 1) { $0.editTask { $0.resources?.memoryMaxMB = 512 } })
    let held = try #require(cluster.running("a").first)
    #expect(held.allocatedResources.tasks["main"]?.memory.memoryMaxMB == expected)
    #expect(held.allocatedResources.tasks["main"]?.memory.memoryMB == 256)
    // What is reserved is what placement counts, whatever the maximum.
    #expect(held.demand.memory == 256)
  }

  // MARK: Devices

  private func gpus(_ model: String, _ ids: [String], memoryGiB: Int64 = 16, vendor: String = "nvidia")
    -> NodeDeviceResource
  {
    var device = NodeDeviceResource()
    (device.vendor, device.type, device.name) = (vendor, "gpu", model)
    var memory = DeviceAttribute()
    memory.int = memoryGiB
    memory.unit = "GiB"
    device.attributes = ["memory": memory]
    device.instances = ids.map {
      var instance = NodeDevice()
      instance.id = $0
      instance.healthy = true
      return instance
    }
    return device
  }

  private func request(_ name: String, count: UInt64 = 1) -> RequestedDevice {
    var request = RequestedDevice()
    request.name = name
    request.count = count
    return request
  }

  private func deviceJob(_ id: String, _ requests: [RequestedDevice], count: Int = 1) -> Job {
    makeJob(id, count: count, cpu: 100) { $0.editTask { $0.resources?.devices = requests } }
  }

  /// "The name of the device: <device_type>, <vendor>/<device_type> or <vendor>/<device_type>/<model>."
  @Test(arguments: [
    ("gpu", 3), ("nvidia/gpu", 2), ("nvidia/gpu/T4", 2), ("amd/gpu/MI50", 1), ("fpga", 0), ("amd/gpu/T4", 0), ("T4", 0),
  ]) func aDeviceIsNamedInThreeWays(name: String, available: Int) throws {
    var cluster = Cluster()
    var node = makeNode(1)
    node.nodeResources?.devices = [gpus("T4", ["a", "b"]), gpus("MI50", ["c"], vendor: "amd")]
    try cluster.add(node)
    let result = try cluster.run(deviceJob("a", [request(name)], count: 4))
    #expect(result.plan.placements.count == available)
    let ids = cluster.running("a").flatMap { $0.grants["main"]?.devices.flatMap(\.deviceIDs) ?? [] }
    #expect(Set(ids).count == available)
    let failure = try #require(result.evaluation.failedTGAllocs["web"])
    if available == 0 {
      #expect(failure.constraintFiltered == ["missing devices": 1])
    } else {
      #expect(failure.dimensionExhausted == ["devices": 1])
    }
  }

  /// "constraint … over device attributes, with units", on groups of equal devices.
  @Test(arguments: [
    ("${device.attr.memory}", ">=", "20 GiB", "big"), ("${device.attr.memory}", "<", "20 GB", "small"),
    ("${device.model}", "=", "big", "big"), ("${device.vendor}", "!=", "nvidia", ""),
    ("${device.attr.memory}", "=", "16384 MiB", "small"), ("${device.attr.cuda}", "is_set", "", ""),
    ("${device.ids}", "set_contains", "s2", "small"),
  ]) func deviceConstraintsChooseTheGroup(left: String, operand: String, right: String, model: String) throws {
    var cluster = Cluster()
    var node = makeNode(1)
    node.nodeResources?.devices = [gpus("small", ["s1", "s2"]), gpus("big", ["b1"], memoryGiB: 40)]
    try cluster.add(node)
    var asked = request("gpu")
    asked.constraints = [makeConstraint(left, operand, right)]
    try cluster.run(deviceJob("a", [asked]))
    let device = cluster.running("a").first?.grants["main"]?.devices.first
    #expect((device?.name ?? "") == model)
    if left == "${device.ids}" { #expect(device?.deviceIDs == ["s2"]) }
  }

  /// "affinity … the weighted preference among devices."
  @Test func deviceAffinitiesChooseTheNodeAndTheGroup() throws {
    var cluster = Cluster()
    var plain = makeNode(1)
    plain.nodeResources?.devices = [gpus("small", ["s1"])]
    var rich = makeNode(2, cpu: 8_000, memory: 16_384)
    rich.nodeResources?.devices = [gpus("small", ["s2"]), gpus("big", ["b1"], memoryGiB: 40)]
    try cluster.add(plain)
    try cluster.add(rich)
    var asked = request("gpu")
    var affinity = Affinity()
    affinity.lTarget = "${device.attr.memory}"
    affinity.operand = ">="
    affinity.rTarget = "32 GiB"
    affinity.weight = 75
    asked.affinities = [affinity]
    let result = try cluster.run(deviceJob("a", [asked]))
    let placed = try #require(cluster.running("a").first)
    #expect(placed.nodeID == rich.id && placed.grants["main"]?.devices.first?.deviceIDs == ["b1"])
    let scores = try #require(result.placementMetrics["web"]?.scoreMetaData)
    #expect(scores.first?.scores["devices"] == 1)
  }

  /// Two requests that compete: whoever can be served by one group only gets it.
  @Test func requestsThatCompeteAreBothServed() throws {
    var cluster = Cluster()
    var node = makeNode(1)
    node.nodeResources?.devices = [gpus("A", ["a1"]), gpus("B", ["b1"])]
    try cluster.add(node)
    for order in [["gpu", "nvidia/gpu/A"], ["nvidia/gpu/B", "gpu"]] {
      let id = order.joined(separator: "+").filter { $0 != "/" }
      let result = try cluster.run(deviceJob(id, order.map { request($0) }))
      #expect(result.plan.placements.count == 1, "\(order)")
      try cluster.stop(id)
      try cluster.settle(id)
    }
  }

  @Test func unhealthyDevicesAreNotGiven() throws {
    var cluster = Cluster()
    var node = makeNode(1)
    node.nodeResources?.devices = [gpus("T4", ["a", "b"])]
    node.nodeResources?.devices[0].instances[0].healthy = false
    try cluster.add(node)
    #expect(try cluster.run(deviceJob("a", [request("gpu")], count: 2)).plan.placements.count == 1)
    #expect(cluster.running("a").first?.grants["main"]?.devices.first?.deviceIDs == ["b"])
  }

  @Test(
    arguments: [
      ("11 GiB", .number(11_811_160_064, kind: "B")), ("1.5 GHz", .number(1.5e9, kind: "Hz")),
      ("250W", .number(250, kind: "W")), ("10 MB/s", .number(1e7, kind: "B/s")), ("7", .number(7, kind: "")),
      ("true", .truth(true)), ("GeForce GTX", .text("GeForce GTX")), ("12 parsecs", .text("12 parsecs")),
    ] as [(String, DeviceValue)]) func aDeviceValueIsReadWithItsUnit(text: String, value: DeviceValue)
  {
    #expect(DeviceValue(text) == value)
  }

  // MARK: Volumes

  private func volumeJob(_ id: String, mode: String, readOnly: Bool = false, count: Int = 1) -> Job {
    makeJob(id, count: count, cpu: 100) { job in
      var volume = VolumeRequest()
      volume.name = "data"
      volume.type = "host"
      volume.source = "data"
      volume.accessMode = mode
      volume.readOnly = readOnly
      job.taskGroups[0].volumes["data"] = volume
    }
  }

  private func addVolumeNodes(_ cluster: inout Cluster, _ count: Int) throws {
    try cluster.addNodes(count) { _, node in
      var volume = HostVolumeInfo()
      volume.path = "/data"
      node.hostVolumes["data"] = volume
    }
  }

  /// "single-node-single-writer: one allocation may write to the volume at a time."
  @Test func aSingleWriterIsAloneAsAWriter() throws {
    var cluster = Cluster()
    try addVolumeNodes(&cluster, 2)
    let result = try cluster.run(volumeJob("a", mode: "single-node-single-writer", count: 3))
    #expect(cluster.running("a").count == 2 && Set(cluster.running("a").map(\.nodeID)).count == 2)
    #expect(result.evaluation.failedTGAllocs["web"]?.dimensionExhausted == ["host volume has its writer": 2])
    #expect(try cluster.run(volumeJob("writer", mode: "")).plan.placements.isEmpty)
    #expect(
      try cluster.run(volumeJob("reader", mode: "single-node-reader-only", readOnly: true)).plan.placements.count == 1)
    try cluster.stop("a")
    #expect(try cluster.evaluate("writer").plan.placements.isEmpty)
    try cluster.settle("a")
    #expect(try cluster.evaluate("writer").plan.placements.count == 1)
  }

  /// "per_alloc: the source of the volume will have a unique suffix per allocation."
  @Test func everyNumberGoesToTheNodeThatHasItsVolume() throws {
    var cluster = Cluster()
    try cluster.addNodes(3) { number, node in
      var volume = HostVolumeInfo()
      volume.path = "/srv"
      // The second and the third have each other's, in the other order.
      node.hostVolumes = [["data[0]": volume], ["data[2]": volume], ["data[1]": volume]][number]
    }
    let names = try cluster.reader.nodes.map { try ($0.0, #require($0.1.value.hostVolumes.keys.first)) }
    let volumeOf = Dictionary(uniqueKeysWithValues: names)
    let result = try cluster.run(
      makeJob("a", count: 4) { job in
        var request = VolumeRequest()
        (request.type, request.source, request.perAlloc) = ("host", "data", true)
        job.taskGroups[0].volumes = ["v": request]
      })
    let placed = cluster.running("a")
    #expect(placed.count == 3)
    for allocation in placed { #expect(volumeOf[allocation.nodeID] == "data[\(allocation.nameIndex)]") }
    #expect(result.evaluation.queuedAllocations["web"] == 1)
    #expect(
      result.evaluation.failedTGAllocs["web"]?.dimensionExhausted["missing compatible host volumes"] != nil)
  }

  @Test func manyMayWriteWhereNobodyAsksToBeAlone() throws {
    var cluster = Cluster()
    try addVolumeNodes(&cluster, 1)
    try cluster.run(volumeJob("a", mode: "single-node-multi-writer", count: 3))
    #expect(cluster.running("a").count == 3)
    #expect(try cluster.run(volumeJob("b", mode: "single-node-single-writer")).plan.placements.isEmpty)
  }

  // MARK: Networks

  /// "host_network: designates the host network to use when allocating the port."
  @Test func portsComeFromTheHostNetworkTheyName() throws {
    var cluster = Cluster()
    try cluster.addNodes(2) { number, node in
      guard number == 1 else { return }
      var address = NodeNetworkAddress()
      address.alias = "public"
      address.address = "203.0.113.7"
      address.reservedPorts = "80"
      node.nodeResources?.nodeNetworks[0].addresses.append(address)
    }
    func job(_ id: String, port: Int) -> Job {
      makeJob(id, count: 1) { job in
        var network = NetworkResource()
        var outside = makePort("outside", port)
        outside.hostNetwork = "public"
        network.reservedPorts = [outside, makePort("inside", port)]
        job.taskGroups[0].networks = [network]
      }
    }
    let result = try cluster.run(job("a", port: 8_080))
    let ports = try #require(cluster.running("a").first?.ports)
    #expect(ports.map(\.hostIP) == ["203.0.113.7", "10.0.0.2"] && ports.map(\.value) == [8_080, 8_080])
    #expect(
      result.placementMetrics["web"]?.constraintFiltered == ["missing host network \"public\" for port \"outside\"": 1])
    // Reserved on that address alone.
    #expect(try cluster.run(job("b", port: 80)).plan.placements.isEmpty)
  }

  @Test func bandwidthIsNotCounted() throws {
    var cluster = Cluster()
    try cluster.addNodes(1)
    let result = try cluster.run(
      makeJob("a", count: 3) { job in
        var network = NetworkResource()
        network.mBits = 1_000_000
        job.taskGroups[0].networks = [network]
      })
    #expect(result.plan.placements.count == 3)
  }

  // MARK: Metrics

  @Test func anAllocationKnowsWhyItIsWhereItIs() throws {
    var cluster = Cluster()
    try cluster.addNodes(7) { number, node in if number == 0 { node.datacenter = "other" } }
    try cluster.run(makeJob("a", count: 2) { $0.datacenters = ["dc1"] })
    let metrics = try #require(cluster.running("a").first?.allocation(includingJob: false).metrics)
    #expect(metrics.nodesEvaluated == 6 && metrics.nodesAvailable == ["dc1": 6] && metrics.nodesInPool == 7)
    #expect(metrics.scoreMetaData.count == 5)
    let first = try #require(metrics.scoreMetaData.first)
    #expect(first.nodeID == cluster.running("a").first?.nodeID && first.normScore > 0)
    #expect(abs((first.scores["binpack"] ?? 0) - first.normScore) < 1e-5)
    // Many placements share one record.
    let result = try cluster.run(makeJob("b", count: 20, cpu: 10))
    #expect(result.plan.metrics.count == 1 && Set(result.plan.placements.map(\.metric)) == [0])
  }
}
