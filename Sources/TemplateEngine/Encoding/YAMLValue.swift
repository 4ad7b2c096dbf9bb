internal import BaseEncoding
internal import YAML

/// What `parseYAML` makes of a document.
enum YAMLValue {
  /// Nil for a text without a document.
  /// - Throws: `FunctionFailure` with the line, also for more than one document.
  static func decode(_ text: [UInt8]) throws -> TemplateValue {
    let document: YAMLNode?
    do throws(YAMLError) {
      document = try YAMLDocument.read(text, limits: YAMLLimits(nesting: 200))
    } catch {
      throw FunctionFailure("yaml: line \(error.line): \(error.problem)")
    }
    return try document.map(value) ?? .nil
  }

  private static func value(_ node: YAMLNode) throws -> TemplateValue {
    switch node.content {
    case .scalar(let text, let style): try scalar(Array(text.utf8), style == .plain, node)
    case .sequence(let elements): .list(try elements.map(value))
    case .mapping(let entries): .map(try mapping(entries))
    }
  }

  private static func mapping(_ entries: [(key: YAMLNode, value: YAMLNode)]) throws -> [ByteString: TemplateValue] {
    var own: [ByteString: TemplateValue] = [:]
    // What stands in the map itself wins over what is merged into it, and the first merged map over later ones.
    var merged: [ByteString: TemplateValue] = [:]
    for (key, node) in entries {
      if key.isMergeKey {
        for source in sources(node) {
          guard case .mapping(let more) = source.content else {
            throw FunctionFailure("yaml: line \(node.line): map merge requires map or sequence of maps as the value")
          }
          merged.merge(try mapping(more)) { first, _ in first }
        }
        continue
      }
      // Templates look keys up by their text, so it stays as written.
      guard case .scalar(let name, _) = key.content else {
        throw FunctionFailure("yaml: line \(key.line): a key must be a scalar")
      }
      own[ByteString(name)] = try value(node)
    }
    return merged.merging(own) { $1 }
  }

  private static func sources(_ node: YAMLNode) -> [YAMLNode] {
    if case .sequence(let elements) = node.content { return elements }
    return [node]
  }

  private static func scalar(_ text: [UInt8], _ isPlain: Bool, _ node: YAMLNode) throws -> TemplateValue {
    let plain = ByteString(bytes: text)
    if node.tag == nil { return isPlain ? YAMLScalar.value(text) : .string(plain) }
    let value = YAMLScalar.value(text)
    switch (node.standardTag, value) {
    case ("int", .int), ("int", .sized), ("float", .float), ("bool", .bool), ("null", .nil): return value
    case ("float", .int(let whole)): return .float(Double(whole))
    case ("binary", _):
      do throws(IllegalDigit) {
        return .string(ByteString(bytes: try Base64.decode(text)))
      } catch {
        throw FunctionFailure("yaml: line \(node.line): !!binary value contains invalid base64 data")
      }
    case ("int", _), ("float", _), ("bool", _), ("null", _):
      throw FunctionFailure(
        "yaml: line \(node.line): cannot decode `\(plain.description)` as a !!\(node.standardTag ?? "")")
    default: return .string(plain)
    }
  }
}
