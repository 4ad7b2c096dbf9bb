/// Shows diagnostics to people: the message, the source line and a caret under the place.
///
/// ```
/// Error: Unsupported attribute
///
///   on web.nomad.hcl line 12, column 9:
///   12 │   image = var.imgae
///      │           ^^^^^^^^^
///
/// There is no attribute "imgae" here. Did you mean "image"?
/// ```
public struct DiagnosticRenderer: Sendable {
  private let sources: [String: SourceFile]

  /// - Parameter sources: the files that diagnostics may point into; one that is missing only costs its source line.
  public init(_ sources: [SourceFile]) {
    self.sources = Dictionary(sources.map { ($0.name, $0) }, uniquingKeysWith: { $1 })
  }

  /// All diagnostics, in order, separated by empty lines.
  public func render(_ diagnostics: [Diagnostic]) -> String {
    diagnostics.map(render).joined(separator: "\n")
  }

  /// Summary, place, source line with a caret, and detail, over several lines.
  public func render(_ diagnostic: Diagnostic) -> String {
    var out = diagnostic.severity == .error ? "Error: " : "Warning: "
    out += diagnostic.summary + "\n"
    if let subject = diagnostic.subject {
      out += "\n  on \(subject.file) line \(subject.start.line), column \(subject.start.column):\n"
      out += snippet(subject)
    }
    if !diagnostic.detail.isEmpty { out += "\n" + diagnostic.detail + "\n" }
    return out
  }

  private func snippet(_ subject: SourceRange) -> String {
    guard let source = sources[subject.file], subject.start.byte <= source.bytes.count else { return "" }
    let bytes = source.bytes
    // A line longer than this is shown only around its subject: outside input may be one line of megabytes.
    let window = 160
    var first = subject.start.byte
    while first > 0, bytes[first - 1] != 0x0A, subject.start.byte - first < window { first -= 1 }
    while first < subject.start.byte, bytes[first] & 0xC0 == 0x80 { first += 1 }
    var last = subject.start.byte
    while last < bytes.count, bytes[last] != 0x0A, last - subject.start.byte < window { last += 1 }
    while last > subject.start.byte, last < bytes.count, bytes[last] & 0xC0 == 0x80 { last -= 1 }
    let line = shown(source.text(first, last))
    let lead = shown(source.text(first, subject.start.byte)).count
    let marked = shown(source.text(subject.start.byte, min(max(subject.end.byte, subject.start.byte), last))).count
    let number = String(subject.start.line)
    let margin = String(repeating: " ", count: number.count)
    return "  \(number) │ \(line)\n  \(margin) │ \(String(repeating: " ", count: lead))"
      + String(repeating: "^", count: max(1, marked)) + "\n"
  }

  /// Control characters would move the caret or the terminal: a tab becomes two spaces, the rest question marks.
  private func shown(_ text: String) -> String {
    var out = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\t": out += "  "
      case "\r": break
      case _ where scalar.value < 0x20 || scalar.value == 0x7F: out += "?"
      default: out.unicodeScalars.append(scalar)
      }
    }
    return out
  }
}
