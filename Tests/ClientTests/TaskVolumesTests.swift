import Drivers
import Linux
import Model
import Testing

@testable import Client

/// From `volume` and `volume_mount` blocks to directories of this node.
@Suite struct TaskVolumesTests {
  private func volumes(
    _ change: (inout VolumeRequest, inout VolumeMount) -> Void = { _, _ in }, index: Int = 0,
    offeredReadOnly: Bool = false
  ) -> TaskVolumes {
    var request = VolumeRequest()
    request.type = "host"
    request.source = "data"
    var mount = VolumeMount()
    mount.volume = "v"
    mount.destination = "/srv/data"
    change(&request, &mount)
    var task = JobTask()
    task.name = "t"
    task.volumeMounts = [mount]
    var group = TaskGroup()
    group.volumes = ["v": request]
    group.tasks = [task]
    var info = HostVolumeInfo()
    info.path = "/host/data"
    info.readOnly = offeredReadOnly
    var third = HostVolumeInfo()
    third.path = "/host/third"
    return TaskVolumes(task: task, group: group, index: index, offered: ["data": info, "data[3]": third])
  }

  private let plain = Interpolation(values: ["NOMAD_GROUP_NAME": "web"])

  @Test func aMountShowsTheNodesDirectory() throws {
    #expect(
      try volumes().resolve(plain, relativeTo: "") == [
        TaskVolume(source: "/host/data", target: "/srv/data", isReadOnly: false)
      ])
  }

  /// "read_only", in the volume or in the mount, and access modes that only read.
  @Test func anyOneOfThemMakesItReadOnly() throws {
    #expect(try volumes { request, _ in request.readOnly = true }.resolve(plain, relativeTo: "")[0].isReadOnly)
    #expect(try volumes { _, mount in mount.readOnly = true }.resolve(plain, relativeTo: "")[0].isReadOnly)
    #expect(
      try volumes { request, _ in request.accessMode = "single-node-reader-only" }
        .resolve(plain, relativeTo: "")[0].isReadOnly)
    #expect(throws: ClientError.self) { try volumes(offeredReadOnly: true).resolve(plain, relativeTo: "") }
    #expect(
      try volumes({ request, _ in request.readOnly = true }, offeredReadOnly: true)
        .resolve(plain, relativeTo: "")[0].isReadOnly)
  }

  /// "per_alloc: the source has the allocation's index appended, in brackets."
  @Test func perAllocGoesByTheAllocationsNumber() throws {
    let third = volumes({ request, _ in request.perAlloc = true }, index: 3)
    #expect(try third.resolve(plain, relativeTo: "")[0].source == "/host/third")
    let error = #expect(throws: ClientError.self) {
      try volumes({ request, _ in request.perAlloc = true }, index: 4).resolve(plain, relativeTo: "")
    }
    #expect(error?.message.contains("no host volume \"data[4]\"") == true)
  }

  @Test(
    arguments: [
      ("/srv/data", "", "/srv/data"), ("srv/data", "", "/srv/data"), ("./a//b/", "/alloc/x/t", "/alloc/x/t/a/b"),
      ("/a", "/alloc/x/t", "/a"), ("/srv/${NOMAD_GROUP_NAME}", "", "/srv/web"),
    ]) func destinationsAreBelowTheTasksRoot(_ destination: String, _ folder: String, _ target: String) throws
  {
    let found = try volumes { _, mount in mount.destination = destination }.resolve(plain, relativeTo: folder)
    #expect(found[0].target == target)
  }

  @Test(arguments: ["", "/", "../x", "/srv/../etc", "."]) func destinationsThatAreNoPlaceAreRefused(
    _ destination: String
  ) {
    let error = #expect(throws: ClientError.self) {
      try volumes { _, mount in mount.destination = destination }.resolve(plain, relativeTo: "/t")
    }
    #expect(error?.message.contains("destination") == true)
  }

  @Test(arguments: [("", 0), ("private", 0), ("host-to-task", 1), ("bidirectional", 2)]) func propagationModes(
    _ mode: String, _ number: UInt8
  ) throws {
    let found = try volumes { _, mount in mount.propagationMode = mode }.resolve(plain, relativeTo: "")
    #expect(found[0].propagation.rawValue == number)
  }
}
