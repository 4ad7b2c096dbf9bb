internal import Codec
public import Model

/// Reads a file from an offset to its end, and then what is appended. Pulled by the reader: nothing is read ahead.
public struct FileFollower: Sendable {
  let files: AllocationFiles
  let path: String
  private(set) var offset: Int64
  let follows: Bool

  /// Bytes in one piece.
  static let pieceBytes = 64 << 10
  /// How often a file that did not grow is looked at again.
  static let pause = Duration.milliseconds(200)

  init(files: AllocationFiles, path: String, offset: Int64, follows: Bool) {
    self.files = files
    self.path = path
    self.offset = offset
    self.follows = follows
  }

  /// The next piece; waits for one when following. Nil at the end. Cancel the task to stop waiting.
  public mutating func next() async throws -> StreamFrame? {
    while true {
      try Task.checkCancellation()
      let bytes = try await files.read(path, offset: offset, limit: Self.pieceBytes)
      if !bytes.isEmpty {
        var frame = StreamFrame()
        frame.offset = offset
        frame.file = path
        frame.data = Blob(bytes)
        offset += Int64(bytes.count)
        return frame
      }
      guard follows else { return nil }
      try await Task.sleep(for: Self.pause)
      // A file that was cut off begins anew; one that was deleted ends the reading with an error.
      let size = try await files.status(path).size
      if size < offset {
        offset = 0
        var frame = StreamFrame()
        frame.file = path
        frame.fileEvent = "file truncated"
        return frame
      }
    }
  }
}
