import Codec
import Glibc
import Linux
import Model
import Synchronization
import Testing

@testable import Devices

/// The manager with the test's plugin as a real process.
@Suite(.timeLimit(.minutes(2))) struct DeviceManagerTests {
  @Test func aPluginTellsItsDevicesAndHandsThemOut() async throws {
    try await PluginFolder.with { folder in
      try folder.write("groups.json", #"[\#(group(["d0", "d1"]))]"#)
      try folder.write(
        "reserve-d0.json",
        #"{"Envs": {"GADGETS": "d0"}, "Mounts": [{"TaskPath": "/opt/x", "HostPath": "/etc/hostname", "ReadOnly": true}], "Devices": [{"TaskPath": "/dev/g0", "HostPath": "/dev/full", "CgroupPerms": "r"}]}"#
      )
      try folder.write("reserve-d1.json", #"{"Envs": {"MORE": "d1"}}"#)
      let manager = try folder.manager()
      await manager.start {}
      let groups = await manager.groups
      #expect(groups.map(\.groupName) == ["acme/gadget/mk1"])
      #expect(groups.first?.instances.map(\.id) == ["d0", "d1"])
      let reservation = try await manager.reserve([held(["d0", "d1"])])
      #expect(reservation.envs == ["GADGETS": "d0", "MORE": "d1"])
      #expect(reservation.mounts.map(\.taskPath) == ["/opt/x"] && reservation.mounts.first?.readOnly == true)
      #expect(reservation.devices.map(\.cgroupPermissions) == ["r"])
      await manager.stop()
    }
  }

  @Test func aDeviceThatIsNotThereIsRefusedByName() async throws {
    try await PluginFolder.with { folder in
      try folder.write("groups.json", #"[\#(group(["d0"]))]"#)
      let manager = try folder.manager()
      await manager.start {}
      let missing = await #expect(throws: DeviceError.self) { try await manager.reserve([held(["d7"])]) }
      #expect(missing?.message.contains("acme/gadget/mk1 d7") == true)
      // Known, but the plugin has nothing to say about it: its own words are passed on.
      let refused = await #expect(throws: DeviceError.self) { try await manager.reserve([held(["d0"])]) }
      #expect(refused?.message.contains("Reserve") == true && refused?.message.contains("reserve-d0.json") == true)
      await manager.stop()
    }
  }

  @Test func changesAreTold() async throws {
    try await PluginFolder.with { folder in
      try folder.write("groups.json", #"[\#(group(["d0"]))]"#)
      let manager = try folder.manager()
      let changes = Mutex(0)
      await manager.start { changes.withLock { $0 += 1 } }
      let before = changes.withLock { $0 }
      try folder.write("groups.json", #"[\#(group(["d0", "d1"]))]"#)
      try await eventually { await manager.groups.first?.instances.count == 2 }
      #expect(changes.withLock { $0 } > before)
      await manager.stop()
    }
  }

  @Test func devicesOfAPluginThatEndedAreNotHealthyUntilItIsBack() async throws {
    try await PluginFolder.with { folder in
      try folder.write("groups.json", #"[\#(group(["d0"]))]"#)
      let reports = Mutex<[String]>([])
      let manager = try folder.manager { report in reports.withLock { $0.append(report) } }
      await manager.start {}
      #expect(await manager.groups.first?.instances.first?.healthy == true)
      try folder.write("end", "")
      try await eventually { await manager.groups.first?.instances.first?.healthy == false }
      #expect(await manager.groups.first?.instances.first?.healthDescription.contains("exited with status 3") == true)
      try folder.remove("end")
      try await eventually { await manager.groups.first?.instances.first?.healthy == true }
      #expect(reports.withLock { $0.contains { $0.contains("started again") } })
      await manager.stop()
    }
  }

  @Test func aPluginWithoutItsConfigurationIsReportedInItsOwnWords() async throws {
    try await PluginFolder.with { folder in
      let reports = Mutex<[String]>([])
      let manager = try folder.manager(config: JSONObject()) { report in reports.withLock { $0.append(report) } }
      await manager.start {}
      #expect(reports.withLock { $0.contains { $0.contains("Configure: config has no folder") } })
      #expect(await manager.groups.isEmpty)
      await manager.stop()
    }
  }

  @Test func aProgramThatSpeaksAnotherLanguageIsReported() async throws {
    try await PluginFolder.with { folder in
      try folder.write("plugins/noise", "#!/bin/sh\necho hello\nexec sleep 100\n")
      chmod(folder.path + "/plugins/noise", 0o755)
      let reports = Mutex<[String]>([])
      let (files, _) = PluginFile.all(in: folder.path + "/plugins")
      let noise = try #require(files.first { $0.name == "noise" })
      let manager = DeviceManager([.init(file: noise)]) { report in reports.withLock { $0.append(report) } }
      await manager.start {}
      #expect(reports.withLock { $0.contains { $0.contains("a line that is no answer") && $0.contains("hello") } })
      await manager.stop()
    }
  }

  @Test func statisticsArePassedOn() async throws {
    try await PluginFolder.with { folder in
      try folder.write("groups.json", #"[\#(group(["d0"]))]"#)
      try folder.write(
        "statistics.json",
        #"[{"Vendor": "acme", "Type": "gadget", "Name": "mk1", "InstanceStats": {"d0": {"Summary": {"Desc": "turns", "IntNumeratorVal": 7}}}}]"#
      )
      let manager = try folder.manager()
      await manager.start {}
      let statistics = await manager.statistics()
      #expect(statistics.first?.instanceStats["d0"]?["Summary"]?["IntNumeratorVal"] == 7)
      await manager.stop()
    }
  }

  @Test func filesThatOthersCanChangeAreNotStarted() async throws {
    try await PluginFolder.with { folder in
      try folder.write("plugins/open", "#!/bin/sh\n")
      chmod(folder.path + "/plugins/open", 0o777)
      try folder.write("plugins/notes.txt", "no program")
      let (files, problems) = PluginFile.all(in: folder.path + "/plugins")
      #expect(files.map(\.name) == ["serai-device-test"])
      #expect(problems.count == 1 && problems[0].contains("others than its owner can write it"))
      #expect(PluginFile.all(in: folder.path + "/nowhere").problems.isEmpty)
    }
  }

  private func group(_ ids: [String]) -> String {
    let instances = ids.map { #"{"ID": "\#($0)", "Healthy": true}"# }.joined(separator: ", ")
    return #"{"Vendor": "acme", "Type": "gadget", "Name": "mk1", "Instances": [\#(instances)]}"#
  }

  private func held(_ ids: [String]) -> AllocatedDeviceResource {
    var device = AllocatedDeviceResource()
    (device.vendor, device.type, device.name, device.deviceIDs) = ("acme", "gadget", "mk1", ids)
    return device
  }

  private func eventually(_ condition: () async throws -> Bool) async throws {
    let deadline = ContinuousClock.now + .seconds(60)
    while try await !condition() {
      try #require(ContinuousClock.now < deadline, "not within a minute")
      try await Task.sleep(for: .milliseconds(10))
    }
  }
}

extension NodeDeviceResource {
  fileprivate var groupName: String { "\(vendor)/\(type)/\(name)" }
}

/// A folder with the test's plugin in it and what the plugin reads.
struct PluginFolder {
  let path: String

  static func with(_ body: (PluginFolder) async throws -> Void) async throws {
    var template = Array("/tmp/serai-devices-XXXXXX".utf8CString)
    try #require(mkdtemp(&template) != nil)
    let folder = PluginFolder(path: String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self))
    try Files.makeDirectories(folder.path + "/plugins", permissions: 0o755)
    let program = try folder.program()
    try #require(symlink(program, folder.path + "/plugins/serai-device-test") == 0)
    do {
      try await body(folder)
    } catch {
      try? Files.removeTree(folder.path)
      throw error
    }
    try Files.removeTree(folder.path)
  }

  func write(_ file: String, _ text: String) throws {
    try Files.replace("\(path)/\(file)", with: Array(text.utf8), permissions: 0o644)
  }

  func remove(_ file: String) throws { try Files.removeTree("\(path)/\(file)") }

  func manager(
    config: JSONObject? = nil, report: @escaping @Sendable (String) -> Void = { _ in }
  ) throws -> DeviceManager {
    var own = JSONObject()
    own["folder"] = .string(path)
    let (files, _) = PluginFile.all(in: path + "/plugins")
    return DeviceManager(files.map { .init(file: $0, config: config ?? own) }, report: report)
  }

  /// The plugin's program, beside the test bundle.
  private func program() throws -> String {
    var places = [Files.parent(of: try FileDescriptor.open("/proc/self", [.directory]).readSymbolicLink("exe"))]
    for argument in CommandLine.arguments where argument.contains("/") {
      places.append(Files.parent(of: argument.split(separator: "=").last.map(String.init) ?? argument))
    }
    let found = places.map { "\($0)/serai-device-test" }.first { Files.exists($0) }
    return try #require(found, "no serai-device-test beside the tests: \(places.joined(separator: ", "))")
  }
}
