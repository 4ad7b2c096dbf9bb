public import Codec

/// A volume that a group uses (`volume` block).
public struct VolumeRequest: Record {
  public var name = ""
  /// `host` or `csi`.
  public var type = ""
  public var source = ""
  public var readOnly = false
  public var sticky = false
  public var accessMode = ""
  public var attachmentMode = ""
  @Indirect public var mountOptions: CSIMountOptions?
  public var perAlloc = false

  public init() {}

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
  public var fsType = ""
  public var mountFlags: [String] = []

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "FSType", &fsType)
    v.field(2, "MountFlags", &mountFlags)
  }
}

/// Where a task sees a volume of its group (`volume_mount` block).
public struct VolumeMount: Record {
  public var volume: String?
  public var destination: String?
  public var readOnly: Bool?
  public var propagationMode: String?
  public var seLinuxLabel: String?

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Volume", &volume)
    v.field(2, "Destination", &destination)
    v.field(3, "ReadOnly", &readOnly)
    v.field(4, "PropagationMode", &propagationMode)
    v.field(5, "SELinuxLabel", &seLinuxLabel)
  }
}
