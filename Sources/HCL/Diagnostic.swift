/// A message about a source text, located in it.
public struct Diagnostic: Error, Sendable, Hashable {
  /// Whether the text can be used all the same.
  public enum Severity: String, Sendable {
    case error, warning
  }

  /// Error or warning.
  public var severity: Severity
  /// What is wrong, in a few words.
  public var summary: String
  /// What is wrong here and what to do about it, in sentences.
  public var detail: String
  /// The place that the message is about; nil when it is about no place in a file.
  public var subject: SourceRange?
  /// The larger construct around the subject.
  public var context: SourceRange?

  /// A message; with neither place it is about the whole.
  public init(
    _ severity: Severity = .error, _ summary: String, _ detail: String,
    subject: SourceRange? = nil, context: SourceRange? = nil
  ) {
    self.severity = severity
    self.summary = summary
    self.detail = detail
    self.subject = subject
    self.context = context
  }
}

extension Diagnostic: CustomStringConvertible {
  /// One line: `file:line,column: summary; detail`.
  public var description: String {
    guard let subject else { return "\(summary); \(detail)" }
    return "\(subject.file):\(subject.start.line),\(subject.start.column): \(summary); \(detail)"
  }
}

extension Sequence<Diagnostic> {
  /// Whether any of them is an error rather than a warning.
  public var hasErrors: Bool { contains { $0.severity == .error } }
}

/// Several diagnostics thrown as one error.
public struct Diagnostics: Error, Sendable, CustomStringConvertible {
  /// The messages, in source order.
  public var all: [Diagnostic]

  /// An error of these messages.
  public init(_ all: [Diagnostic]) {
    self.all = all
  }

  /// One line for each.
  public var description: String { all.map(\.description).joined(separator: "\n") }
}
