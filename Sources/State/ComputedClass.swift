import Codec
public import Model

extension Node {
  /// The class of nodes that answer every constraint alike, but for those about unique attributes: a digest over what
  /// constraints can see. Keys that begin with `unique.` are what tells nodes of a class apart.
  public func computeClass() -> String {
    var visible = Node()
    visible.datacenter = datacenter
    visible.nodeClass = nodeClass
    visible.nodePool = nodePool
    visible.attributes = attributes.filter { !$0.key.hasPrefix("unique.") }
    visible.meta = meta.filter { !$0.key.hasPrefix("unique.") }
    visible.hostNetworks = hostNetworks.mapValues { network in
      var shape = HostNetworkInfo()
      shape.name = network.name
      return shape
    }
    visible.hostVolumes = hostVolumes.mapValues { volume in
      var shape = HostVolumeInfo()
      shape.readOnly = volume.readOnly
      return shape
    }
    visible.drivers = drivers.mapValues { driver in
      var shape = DriverInfo()
      shape.attributes = driver.attributes.filter { !$0.key.hasPrefix("unique.") }
      shape.detected = driver.detected
      shape.healthy = driver.healthy
      return shape
    }
    var resources = NodeResources()
    resources.devices = (nodeResources?.devices ?? []).map { device in
      var shape = device
      // How many there are and how many work is what decides; which ones they are tells nodes of a class apart.
      shape.instances = device.instances.map {
        var instance = NodeDevice()
        instance.healthy = $0.healthy
        return instance
      }.sorted { $0.healthy && !$1.healthy }
      return shape
    }
    // Modes and named host networks decide whether a group's network can be had; addresses tell nodes of a class apart.
    resources.nodeNetworks = (nodeResources?.nodeNetworks ?? []).map { network in
      var shape = NodeNetworkResource()
      shape.mode = network.mode
      shape.addresses = network.addresses.map { address in
        var name = NodeNetworkAddress()
        name.alias = address.alias
        return name
      }
      return shape
    }
    visible.nodeResources = resources
    visible.status = .initializing
    visible.schedulingEligibility = .eligible
    let bytes = Binary.encode(visible)
    // 128 bits: nobody meets a collision by chance, and making one only puts one's own node into a wrong class.
    return "v1:" + hex(XXHash64.hash(bytes)) + hex(XXHash64.hash(bytes, seed: 0x5352_4149))
  }
}

func hex(_ value: UInt64) -> String {
  let digits = String(value, radix: 16)
  return String(repeating: "0", count: 16 - digits.count) + digits
}
