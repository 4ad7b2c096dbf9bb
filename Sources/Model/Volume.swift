public import Codec

/// A volume that a group uses (`volume` block).
public struct VolumeRequest: Record {
  /// Name by which tasks refer to it.
  public var name = ""
  /// `host` or `csi`.
  public var type = ""
  /// Name of the host volume, or id of the storage volume.
  public var source = ""
  /// Mount it read-only for every task.
  public var readOnly = false
  /// A replacement gets the same volume back.
  public var sticky = false
  /// How many may use it and how, such as `single-node-writer`.
  public var accessMode = ""
  /// `file-system` or `block-device`.
  public var attachmentMode = ""
  /// How the storage plugin mounts it.
  @Indirect public var mountOptions: CSIMountOptions?
  /// The allocation's index is appended to `source`: one volume for each.
  public var perAlloc = false

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Name", &name)
    v.field(2, "Type", &type)
    v.field(3, "Source", &source)
    v.field(4, "ReadOnly", &readOnly)
    v.field(5, "Sticky", &sticky)
    v.field(6, "AccessMode", &accessMode)
    v.field(7, "AttachmentMode", &attachmentMode)
    v.field(8, "MountOptions", &_mountOptions)
    v.field(9, "PerAlloc", &perAlloc)
  }
}

/// How a CSI volume is mounted.
public struct CSIMountOptions: Record {
  /// File system of the volume.
  public var fsType = ""
  /// Options of `mount`.
  public var mountFlags: [String] = []

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "FSType", &fsType)
    v.field(2, "MountFlags", &mountFlags)
  }
}

/// Where a task sees a volume of its group (`volume_mount` block).
public struct VolumeMount: Record {
  /// Name of the group's volume.
  public var volume: String?
  /// Where the task sees it, an absolute path inside its root.
  public var destination: String?
  /// Read-only for this task; false by default.
  public var readOnly: Bool?
  /// `private` (the default), `host-to-task` or `bidirectional`.
  public var propagationMode: String?
  /// SELinux label of the mount, `z` or `Z`.
  public var seLinuxLabel: String?

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Volume", &volume)
    v.field(2, "Destination", &destination)
    v.field(3, "ReadOnly", &readOnly)
    v.field(4, "PropagationMode", &propagationMode)
    v.field(5, "SELinuxLabel", &seLinuxLabel)
  }
}
