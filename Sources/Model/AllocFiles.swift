public import Codec

/// A file of an allocation directory.
public struct AllocFileInfo: Record {
  public var name = ""
  public var isDir = false
  public var size: Int64 = 0
  /// Such as `-rw-r--r--`.
  public var fileMode = ""
  public var modTime: Timestamp = .zeroValue
  public var contentType = ""

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Name", &name)
    v.field(2, "IsDir", &isDir)
    v.field(3, "Size", &size)
    v.field(4, "FileMode", &fileMode)
    v.field(5, "ModTime", &modTime)
    v.field(6, "ContentType", &contentType, .omitEmpty)
  }
}

/// A piece of a streamed file or log; empty ones are heartbeats.
public struct StreamFrame: Record {
  public var offset: Int64 = 0
  public var data = Blob()
  public var file = ""
  public var fileEvent = ""

  public init() {}

  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Offset", &offset, .omitEmpty)
    v.field(2, "Data", &data, .omitEmpty)
    v.field(3, "File", &file, .omitEmpty)
    v.field(4, "FileEvent", &fileEvent, .omitEmpty)
  }
}
