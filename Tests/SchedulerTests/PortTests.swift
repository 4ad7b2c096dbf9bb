import Model
import State
import Testing

@testable import Scheduler

@Suite struct PortTests {
  private func requests(_ reserved: [(String, Int)], _ dynamic: [String]) -> [NetworkRequirement.Request] {
    var group = TaskGroup()
    var network = NetworkResource()
    network.reservedPorts = reserved.map { makePort($0.0, $0.1) }
    network.dynamicPorts = dynamic.map { makePort($0) }
    group.networks = [network]
    return NetworkRequirement(group: group).ports
  }

  @Test func dynamicPortsComeFromTheRangeAndDiffer() throws {
    var random = RandomBits(seed: 3)
    var use = PortUse()
    let node = makeNode(1)
    var seen: Set<Int> = []
    for _ in 0..<500 {
      for mapping in try PortAssignment.assign(requests([], ["a", "b"]), on: node, from: &use, random: &random) {
        #expect((20_000...32_000).contains(mapping.value))
        #expect(seen.insert(mapping.value).inserted)
        #expect(mapping.hostIP == "10.0.0.1")
      }
    }
  }

  @Test func theLastFreePortIsFoundAndThenNone() throws {
    var random = RandomBits(seed: 3)
    var use = PortUse()
    var node = makeNode(1)
    node.nodeResources?.minDynamicPort = 30_000
    node.nodeResources?.maxDynamicPort = 30_009
    for port in 30_000...30_009 where port != 30_004 { use.take(UInt16(port), on: "10.0.0.1") }
    let found = try PortAssignment.assign(requests([], ["a"]), on: node, from: &use, random: &random)
    #expect(found.map(\.value) == [30_004])
    #expect(throws: PortAssignment.Obstacle(text: "network: dynamic port selection failed")) {
      try PortAssignment.assign(requests([], ["a"]), on: node, from: &use, random: &random)
    }
  }

  @Test func aTakenStaticPortIsNamedAndNothingIsTaken() throws {
    var random = RandomBits(seed: 3)
    var use = PortUse()
    use.take(80, on: "10.0.0.1")
    let before = use
    #expect(throws: PortAssignment.Obstacle(text: "network: reserved port collision http=80")) {
      try PortAssignment.assign(
        requests([("ssl", 443), ("http", 80)], ["x"]), on: makeNode(1), from: &use, random: &random)
    }
    #expect(use == before)
  }

  @Test func aPortReservedOnEveryAddressIsTaken() {
    var use = PortUse()
    use.take(22, on: "")
    #expect(PortAssignment.obstacle(requests([("ssh", 22)], []), on: makeNode(1), beside: use) != nil)
  }

  /// Each free port of a small range is drawn about equally often.
  @Test func freePortsAreEquallyLikely() throws {
    var random = RandomBits(seed: 9)
    var use = PortUse()
    for port in [20_001, 20_002, 20_005] as [UInt16] { use.take(port, on: "a") }
    var counts: [UInt16: Int] = [:]
    for _ in 0..<7_000 {
      counts[try #require(PortAssignment.randomFree(in: 20_000...20_009, on: "a", beside: use, &random)), default: 0] +=
        1
    }
    #expect(Set(counts.keys) == [20_000, 20_003, 20_004, 20_006, 20_007, 20_008, 20_009])
    #expect(counts.values.allSatisfy { (800...1_200).contains($0) })
  }

  @Test func aHostNetworkIsFoundByItsAlias() throws {
    var random = RandomBits(seed: 3)
    var node = makeNode(1)
    var address = NodeNetworkAddress()
    address.alias = "public"
    address.address = "192.0.2.9"
    node.nodeResources?.nodeNetworks[0].addresses.append(address)
    var port = makePort("http", 80)
    port.hostNetwork = "public"
    port.to = -1
    var network = NetworkResource()
    network.reservedPorts = [port]
    var group = TaskGroup()
    group.networks = [network]
    var use = PortUse()
    let asked = NetworkRequirement(group: group)
    let found = try PortAssignment.assign(asked.ports, on: node, from: &use, random: &random)
    #expect(found.first?.hostIP == "192.0.2.9" && found.first?.to == 80)
    #expect(asked.obstacle(on: makeNode(2)) == "missing host network \"public\" for port \"http\"")
  }
}
