/// One text that HCL is read from: its name, as messages show it, and its bytes.
public final class SourceFile: Sendable {
  /// The name that diagnostics carry; usually a path.
  public let name: String
  /// The text, as UTF-8 (ill-formed sequences are reported by the lexer).
  public let bytes: [UInt8]

  /// A text of bytes from a file.
  public init(name: String, bytes: [UInt8]) {
    self.name = name
    self.bytes = bytes
  }

  /// A text that is there as a string.
  public convenience init(name: String, text: String) {
    self.init(name: name, bytes: Array(text.utf8))
  }

  /// The text of `range`; empty where the range lies outside the file.
  public func text(_ range: SourceRange) -> String {
    text(range.start.byte, range.end.byte)
  }

  package func text(_ start: Int, _ end: Int) -> String {
    let upper = min(max(end, 0), bytes.count)
    let lower = min(max(start, 0), upper)
    return String(decoding: bytes[lower..<upper], as: UTF8.self)
  }
}

/// A place in a source file.
public struct SourcePosition: Sendable, Hashable, Comparable {
  /// Line, from 1.
  public var line: Int
  /// Column, from 1, counted in grapheme clusters: what a reader sees as one character.
  public var column: Int
  /// Byte offset, from 0.
  public var byte: Int

  /// A place; nothing is checked.
  public init(line: Int, column: Int, byte: Int) {
    self.line = line
    self.column = column
    self.byte = byte
  }

  /// The first position of every file.
  public static let start = SourcePosition(line: 1, column: 1, byte: 0)

  /// Earlier in the file is less.
  public static func < (a: SourcePosition, b: SourcePosition) -> Bool { a.byte < b.byte }
}

/// A stretch of a source file, end excluded.
public struct SourceRange: Sendable, Hashable {
  /// The name of the file.
  public var file: String
  /// Where it begins.
  public var start: SourcePosition
  /// The place behind its last character.
  public var end: SourcePosition

  /// From `start` up to `end`, which is left out.
  public init(file: String, start: SourcePosition, end: SourcePosition) {
    self.file = file
    self.start = start
    self.end = end
  }

  /// From the start of `a` to the end of `b`.
  public static func between(_ a: SourceRange, _ b: SourceRange) -> SourceRange {
    SourceRange(file: a.file, start: a.start, end: max(a.end, b.end))
  }
}
