/// The template language: a set of named templates that can call each other, as in Go's text/template.
///
/// ```swift
/// var template = Template("status")
/// try template.parse("{{range .}}{{.ID}} {{end}}")
/// let text = try template.render(try TemplateValue(json: bytes))
/// ```
///
/// The engine is pure: it reads no file, clock or environment; what a template may know comes in through its data, its
/// functions and the `TemplateHost`.
public struct Template: Sendable {
  /// What `.name` yields for a key that a map lacks.
  public enum MissingKey: String, Sendable {
    /// The absent value, which prints as `<no value>`.
    case `default`
    /// The zero value of the map's element type.
    case zero
    /// An error that ends the rendering.
    case error
  }

  /// One parsed template.
  struct Definition: Sendable {
    let name: ByteString
    let source: Source
    let root: ListNode
  }

  /// The name under which `parse` stores the text outside of `define`, and which messages carry.
  public let name: ByteString
  /// What begins an action; empty for `{{`.
  public var leftDelimiter: ByteString = ""
  /// What ends an action; empty for `}}`.
  public var rightDelimiter: ByteString = ""
  /// Behaviour for keys that a map lacks.
  public var missingKey = MissingKey.default
  /// Functions beyond the built-in ones; one with a built-in's name replaces it. Must be set before `parse`.
  public var functions: [ByteString: TemplateFunction] = [:]
  private(set) var definitions: [ByteString: Definition] = [:]

  /// A set with no template yet.
  public init(_ name: ByteString) {
    self.name = name
  }

  /// Parses a text and adds what it defines; `name` defaults to the set's own. A later definition replaces an earlier
  /// one, unless it is empty.
  public mutating func parse(_ text: ByteString, as name: ByteString? = nil) throws(TemplateError) {
    let source = Source(name: name ?? self.name, text: text.bytes)
    let lexer = Lexer(
      source.text, left: leftDelimiter.bytes, right: rightDelimiter.bytes,
      breakIsKeyword: functions["break"] == nil, continueIsKeyword: functions["continue"] == nil)
    let parsed = try Parser.parse(
      source, tokens: lexer.tokens(),
      isFunction: { [functions] in
        functions[$0] != nil || Builtin(rawValue: $0.description) != nil
      })
    for (name, root) in parsed {
      if definitions[name] != nil, root.isEmpty { continue }
      definitions[name] = Definition(name: name, source: source, root: root)
    }
  }

  /// Names of all templates in the set, in order.
  public var definedNames: [ByteString] { definitions.keys.sorted() }

  /// The canonical text of a parsed template, nil when there is none of that name (default: the set's own).
  public func canonicalText(of name: ByteString? = nil) -> ByteString? {
    guard let definition = definitions[name ?? self.name] else { return nil }
    var text: [UInt8] = []
    definition.root.write(to: &text)
    return ByteString(bytes: text)
  }

  /// Renders the template `name` (default: the set's own) over `data`.
  public func render(
    _ data: TemplateValue, name: ByteString? = nil, host: any TemplateHost = EmptyHost(),
    limits: TemplateLimits = TemplateLimits()
  ) throws(TemplateError) -> ByteString {
    let rendering = Rendering(self, host: host, limits: limits)
    try rendering.run(name ?? self.name, data)
    return ByteString(bytes: rendering.output)
  }
}
