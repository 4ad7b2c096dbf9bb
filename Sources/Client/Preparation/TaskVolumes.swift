internal import Drivers
internal import Linux
internal import Model

/// The host volumes that a task mounts, with the directories of this node behind them. Pure.
struct TaskVolumes {
  let task: JobTask
  let group: TaskGroup
  /// The allocation's number, which is a part of the names of volumes with `per_alloc`.
  let index: Int
  /// The node's `host_volume` blocks by name.
  let offered: [String: HostVolumeInfo]

  /// - Parameter relativeTo: what destinations without a leading "/" are below: "" for an isolated task's root.
  /// - Throws: a sentence that names the volume and what to change.
  func resolve(_ interpolation: Interpolation, relativeTo folder: String) throws(ClientError) -> [TaskVolume] {
    var result: [TaskVolume] = []
    for mount in task.volumeMounts {
      let name = interpolation(mount.volume ?? "")
      guard let request = group.volumes[name] else {
        throw ClientError(.invalid, "volume_mount of task \"\(task.name)\": the group has no volume \"\(name)\"")
      }
      let source = request.perAlloc ? "\(request.source)[\(index)]" : request.source
      guard let volume = offered[source] else {
        throw ClientError(
          .notFound,
          "volume \"\(name)\" of task \"\(task.name)\": this node has no host volume \"\(source)\" (client { host_volume \"\(source)\" { path = ... } })"
        )
      }
      let readsOnly = request.readOnly || request.accessMode == "single-node-reader-only"
      if volume.readOnly && !readsOnly {
        throw ClientError(
          .invalid,
          "volume \"\(name)\" of task \"\(task.name)\": host volume \"\(source)\" of this node is read-only: set read_only in the volume block"
        )
      }
      let destination = interpolation(mount.destination ?? "")
      let parts = destination.split(separator: "/").filter { $0 != "." }
      guard !parts.isEmpty, !parts.contains("..") else {
        throw ClientError(
          .invalid,
          "volume_mount \"\(name)\" of task \"\(task.name)\": destination \"\(destination)\" must be a path below the task's root, without \"..\""
        )
      }
      let place = (destination.hasPrefix("/") ? "" : folder) + "/" + parts.joined(separator: "/")
      result.append(
        TaskVolume(
          source: volume.path, target: place, isReadOnly: readsOnly || mount.readOnly == true,
          propagation: Self.propagation(mount.propagationMode ?? "")))
    }
    return result
  }

  private static func propagation(_ mode: String) -> MountPropagation {
    switch mode {
    case "host-to-task": .slave
    case "bidirectional": .shared
    default: .private
    }
  }
}
