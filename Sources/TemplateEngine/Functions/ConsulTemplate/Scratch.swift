// `scratch`: values that a template keeps for itself while it renders.
extension FunctionSets {
  static func addScratch(_ table: inout FunctionTable) {
    table.add("scratch") { call in .object(Scratch(call.rendering.scratch)) }
  }

  private final class Scratch: TemplateObject {
    let typeName = "*template.Scratch"
    private let values: TemplateMap

    init(_ values: TemplateMap) { self.values = values }

    private func function(
      _ count: Int, _ body: @escaping @Sendable (TemplateMap, ByteString, inout TemplateCall) throws -> TemplateValue
    ) -> TemplateMember {
      let values = values
      let parameters: [ValueType] = [.string] + (count > 2 ? [.string] : []) + (count > 1 ? [.any] : [])
      return .method(
        TemplateFunction(parameters) { call in try body(values, ByteString(bytes: call.text(0)), &call) })
    }

    private static func inner(_ values: TemplateMap, _ key: ByteString) throws -> TemplateMap {
      switch values[key] {
      case .map(let map)?: return map
      case nil:
        let map = TemplateMap()
        values[key] = .map(map)
        return map
      case let other?: throw FunctionFailure("\"\(key)\" is not a map: \(other.type)")
      }
    }

    func member(_ name: ByteString) -> TemplateMember? {
      switch name.description {
      case "Key": return function(1) { values, key, _ in .bool(values[key] != nil) }
      case "Get": return function(1) { values, key, _ in values[key] ?? .nil }
      case "Set":
        return function(2) { values, key, call in
          try values.insert(call.value(1), for: key)
          return .string("")
        }
      case "SetX":
        return function(2) { values, key, call in
          if values[key] == nil { try values.insert(call.value(1), for: key) }
          return .string("")
        }
      case "MapSet":
        return function(3) { values, key, call in
          try Self.inner(values, key).insert(call.value(2), for: ByteString(bytes: call.text(1)))
          return .string("")
        }
      case "MapSetX":
        return function(3) { values, key, call in
          let map = try Self.inner(values, key)
          let inner = ByteString(bytes: call.text(1))
          if map[inner] == nil { try map.insert(call.value(2), for: inner) }
          return .string("")
        }
      case "MapValues":
        return function(1) { values, key, _ in
          guard values[key] != nil else { return .nil }
          return .list(try Self.inner(values, key).sorted.map(\.value))
        }
      default: return nil
      }
    }
  }
}
