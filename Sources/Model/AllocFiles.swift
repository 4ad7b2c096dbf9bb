public import Codec

/// A file of an allocation directory.
public struct AllocFileInfo: Record {
  /// Name within its directory.
  public var name = ""
  /// Whether it is a directory.
  public var isDir = false
  /// Bytes.
  public var size: Int64 = 0
  /// Such as `-rw-r--r--`.
  public var fileMode = ""
  /// Last change of its content.
  public var modTime: Timestamp = .zeroValue
  /// MIME type guessed from content; only in answers about single files.
  public var contentType = ""

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
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
  /// Position in the file behind the last byte of `data`.
  public var offset: Int64 = 0
  /// Bytes of the file, Base64 in JSON.
  public var data = Blob()
  /// Path of the file, relative to the allocation directory; only in the first frame of a file.
  public var file = ""
  /// Why a frame without data was sent: `file deleted` or `file truncated`.
  public var fileEvent = ""

  /// Every field at its default: zero, empty or absent.
  public init() {}

  /// Each field once, with the tag of the binary format and the name in JSON.
  public mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Offset", &offset, .omitEmpty)
    v.field(2, "Data", &data, .omitEmpty)
    v.field(3, "File", &file, .omitEmpty)
    v.field(4, "FileEvent", &fileEvent, .omitEmpty)
  }
}
