internal import CYAML

/// Reads YAML texts.
public enum YAMLDocument {
  /// The only document of a text; nil when the text holds none, just white space and comments.
  /// - Throws: `YAMLError` for what is no YAML, for a second document, for an alias that stands before or inside of its
  ///   anchor, and for more than the limits allow.
  public static func read(_ text: [UInt8], limits: YAMLLimits = YAMLLimits()) throws(YAMLError) -> YAMLNode? {
    let result: Result<YAMLNode?, YAMLError> = text.withUnsafeBufferPointer { bytes in
      // An empty array may have no address.
      var nothing: UInt8 = 0
      return withUnsafePointer(to: &nothing) { empty in
        guard let handle = serai_yaml_open(bytes.baseAddress ?? empty, bytes.count) else {
          return .failure(YAMLError(problem: "there is not enough memory", line: 1, column: 1))
        }
        defer { serai_yaml_close(handle) }
        var composer = Composer(handle, limits)
        do throws(YAMLError) {
          return .success(try composer.stream())
        } catch {
          return .failure(error)
        }
      }
    }
    return try result.get()
  }
}

/// Makes nodes from events. It calls itself for collections, so the limit on nesting also bounds the stack.
private struct Composer {
  private let parser: OpaquePointer
  private let limits: YAMLLimits
  private var event = serai_yaml_event()
  private var anchors: [String: YAMLNode] = [:]
  private var nesting = 0
  /// All nodes that were made, those of aliases included.
  private var made = 0

  init(_ parser: OpaquePointer, _ limits: YAMLLimits) {
    self.parser = parser
    self.limits = limits
  }

  mutating func stream() throws(YAMLError) -> YAMLNode? {
    try advance()
    guard event.kind == SERAI_YAML_DOCUMENT_START else { return nil }
    try advance()
    let root = try node()
    try advance()  // The document's end.
    try advance()
    guard event.kind == SERAI_YAML_STREAM_END else { throw failure("only one document is allowed") }
    return root
  }

  private mutating func advance() throws(YAMLError) {
    guard serai_yaml_next(parser, &event) == 0 else {
      var line = 0
      var column = 0
      let problem = String(cString: serai_yaml_problem(parser, &line, &column))
      throw YAMLError(problem: problem, line: line + 1, column: column + 1)
    }
  }

  private func failure(_ problem: String) -> YAMLError {
    YAMLError(problem: problem, line: event.line + 1, column: event.column + 1)
  }

  /// The node that the current event begins; afterwards the current event is its last.
  private mutating func node() throws(YAMLError) -> YAMLNode {
    let anchor = event.anchor.map { String(cString: $0) }
    let tag = event.tag.map { String(cString: $0) }
    let (line, column) = (event.line + 1, event.column + 1)
    if event.kind == SERAI_YAML_ALIAS {
      let name = anchor ?? ""
      guard let node = anchors[name] else { throw failure("there is no anchor \"\(name)\" before") }
      try count(node.weight)
      return node
    }
    try count(1)
    var weight = 1
    let content: YAMLNode.Content
    switch event.kind {
    case SERAI_YAML_SCALAR:
      let text = String(decoding: UnsafeBufferPointer(start: event.text, count: event.length), as: UTF8.self)
      let style: YAMLNode.ScalarStyle =
        switch event.style {
        case SERAI_YAML_QUOTED: .quoted
        case SERAI_YAML_BLOCK: .block
        default: .plain
        }
      content = .scalar(text, style)
    case SERAI_YAML_SEQUENCE_START:
      var elements: [YAMLNode] = []
      try nest()
      while try next(before: SERAI_YAML_SEQUENCE_END) {
        elements.append(try node())
        weight += elements[elements.count - 1].weight
      }
      content = .sequence(elements)
    default:
      var entries: [(key: YAMLNode, value: YAMLNode)] = []
      try nest()
      while try next(before: SERAI_YAML_MAPPING_END) {
        let key = try node()
        try advance()
        let value = try node()
        weight += key.weight + value.weight
        entries.append((key, value))
      }
      content = .mapping(entries)
    }
    let node = YAMLNode(content: content, tag: tag, line: line, column: column, weight: weight)
    if let anchor { anchors[anchor] = node }
    return node
  }

  private mutating func nest() throws(YAMLError) {
    nesting += 1
    guard nesting <= limits.nesting else { throw failure("more than \(limits.nesting) levels") }
  }

  private mutating func next(before end: serai_yaml_kind) throws(YAMLError) -> Bool {
    try advance()
    guard event.kind == end else { return true }
    nesting -= 1
    return false
  }

  private mutating func count(_ nodes: Int) throws(YAMLError) {
    made += nodes
    guard made <= limits.nodes else { throw failure("more than \(limits.nodes) values, aliases counted") }
  }
}
