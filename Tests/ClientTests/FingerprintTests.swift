import Model
import Testing

@testable import Client

@Suite struct FingerprintTests {
  @Test func cpuinfoOfTwoThreadsOnOneCore() {
    let text = """
      processor\t: 0
      model name\t: AMD EPYC
      cpu MHz\t\t: 2596.122
      physical id\t: 0
      core id\t\t: 0

      processor\t: 1
      model name\t: AMD EPYC
      cpu MHz\t\t: 2600.9
      physical id\t: 0
      core id\t\t: 0
      """
    let info = ProcessorInfo(cpuinfo: text)
    #expect(info.modelName == "AMD EPYC")
    #expect(info.logicalCores == 2 && info.physicalCores == 1)
    #expect(info.frequencyMHz == 2600 && info.totalComputeMHz == 5200)
    #expect(ProcessorInfo(cpuinfo: text, cpufreqKiloHertz: 3_000_000).frequencyMHz == 3000)
  }

  @Test func arm64HasNoModelNameAndCountsAsOneCoreAtLeast() {
    let info = ProcessorInfo(cpuinfo: "processor\t: 0\nBogoMIPS\t: 50.00\nCPU part\t: 0xd0c\n")
    #expect(info.modelName == "" && info.logicalCores == 1)
    #expect(ProcessorInfo(cpuinfo: "").logicalCores == 1)
  }

  @Test func meminfoIsInKibibytes() {
    let info = MemoryInfo(
      meminfo: "MemTotal:       24684100 kB\nMemFree: 10 kB\nMemAvailable:   20 kB\nHugePages_Total: 0\n")
    #expect(info.total == 24_684_100 * 1024 && info.free == 10240 && info.available == 20480)
  }

  @Test func osReleaseQuotesAndEscapes() {
    let debian = OperatingSystem(osRelease: "PRETTY_NAME=\"Debian\"\nVERSION_ID=\"12\"\nID=debian\n# ID=x\n")
    #expect(debian.name == "debian" && debian.version == "12")
    let odd = OperatingSystem(osRelease: "ID='my os'\nVERSION_ID=\"1\\\"2\"\n")
    #expect(odd.name == "my os" && odd.version == "1\"2")
    #expect(OperatingSystem(osRelease: "").name == "linux")
  }

  @Test func architectureNames() {
    #expect(OperatingSystem.architecture(machine: "x86_64") == "amd64")
    #expect(OperatingSystem.architecture(machine: "aarch64") == "arm64")
    #expect(OperatingSystem.architecture(machine: "riscv64") == "riscv64")
  }

  @Test func cgroupLayouts() {
    let unified = "29 22 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw\n"
    let v2 = CgroupMounts(mountInfo: unified)
    #expect(v2.layout == .unified && v2.mountPoint == "/sys/fs/cgroup")
    let hybrid = """
      30 22 0:27 / /sys/fs/cgroup rw - tmpfs tmpfs rw
      31 30 0:28 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw
      32 30 0:29 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd
      33 30 0:30 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
      """
    let mixed = CgroupMounts(mountInfo: hybrid)
    #expect(mixed.layout == .legacy && mixed.mountPoint == "/sys/fs/cgroup")
    #expect(CgroupMounts(mountInfo: "").layout == .none)
    #expect(CgroupMounts.unescaped("/a\\040b\\134") == "/a b\\")
  }

  @Test func defaultRouteOfLowestMetric() throws {
    let text = """
      Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
      wlan0\t00000000\t0101A8C0\t0003\t0\t0\t600\t00000000\t0\t0\t0
      eth0\t00000000\t010200C0\t0003\t0\t0\t100\t00000000\t0\t0\t0
      eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
      """
    let route = try #require(RouteTable.defaultRoute(route: text))
    #expect(route == RouteTable.Default(interface: "eth0", gateway: "192.0.2.1", metric: 100))
    #expect(RouteTable.defaultRoute(route: "Iface\n") == nil)
  }

  @Test func theMountOfAPathIsTheLongestThatContainsIt() {
    let text = """
      22 1 254:0 / / rw - ext4 /dev/vda rw
      40 22 0:40 / /var/lib rw - xfs /dev/sdb1 rw
      41 22 0:41 / /var/li rw - xfs /dev/sdc1 rw
      """
    #expect(StorageInfo.mount(of: "/var/lib/serai", mountInfo: text)?.source == "/dev/sdb1")
    #expect(StorageInfo.mount(of: "/var/library", mountInfo: text)?.source == "/dev/vda")
  }

  @Test func processorTimes() throws {
    let all = ProcessorTimes.all(stat: "cpu  10 1 5 80 4 0 0 0 0 0\ncpu0 10 1 5 80 4 0 0 0 0 0\nintr 5\n")
    #expect(all.count == 2)
    let first = try #require(all.last)
    #expect(first.name == "cpu0" && first.user == 11 && first.system == 5 && first.idle == 84 && first.total == 100)
  }

  @Test func coreLists() {
    #expect(CoreList.cores("0-2,7, 9") == [0, 1, 2, 7, 9])
    #expect(CoreList.cores("x,3-1") == [])
    #expect(CoreList.text([7, 0, 2, 1]) == "0-2,7")
  }

  @Test func addressRanges() throws {
    let range = try #require(AddressRange("10.1.0.0/15"))
    #expect(range.contains("10.0.255.1") && range.contains("10.1.2.3") && !range.contains("10.2.0.0"))
    #expect(!range.contains("::1"))
    #expect(try #require(AddressRange("2001:db8::/32")).contains("2001:db8:1::5"))
    #expect(AddressRange("10.0.0.0") == nil && AddressRange("10.0.0.0/33") == nil)
  }

  @Test func thisHostHasTheAttributesThatConstraintsUse() throws {
    let configuration = ClientConfiguration(stateDirectory: "/", allocationDirectory: "/")
    var node = Node()
    NodeFingerprint(configuration: configuration).apply(to: &node, configuration: configuration)
    for name in [
      "kernel.name", "kernel.version", "arch", "cpu.arch", "cpu.numcores", "cpu.totalcompute", "memory.totalbytes",
      "os.name", "os.version", "unique.hostname", "nomad.version", "unique.storage.bytestotal",
    ] { #expect(node.attributes[name] != nil, "\(name)") }
    #expect(node.attributes["kernel.name"] == "linux")
    #expect(try #require(node.nodeResources).memory.memoryMB > 0)
  }
}
