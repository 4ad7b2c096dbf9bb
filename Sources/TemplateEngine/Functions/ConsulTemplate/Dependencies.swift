// Functions whose values come from outside through the host.
extension FunctionSets {
  static func addDependencies(_ table: inout FunctionTable) {
    /// `empty` stands in while the value is not known.
    func add(_ name: ByteString, _ count: ClosedRange<Int>, empty: @escaping @Sendable () -> TemplateValue) {
      table.add(name, [], variadic: .string) { call in
        guard count.contains(call.arguments.count) else {
          throw FunctionFailure(
            "\(call.name): wrong number of arguments: expected \(count.lowerBound)"
              + (count.count > 1 ? " to \(count.upperBound)" : "") + ", got \(call.arguments.count)")
        }
        let arguments = call.arguments.indices.map { ByteString(bytes: call.text($0)) }
        return try call.rendering.resolve(TemplateDependency(call.name, arguments)) ?? empty()
      }
    }
    for name: ByteString in ["key", "file", "sockaddr"] { add(name, 1...1) { .string("") } }
    for name: ByteString in ["keyExists", "nomadVarExists"] { add(name, 1...1) { .bool(false) } }
    for name: ByteString in ["caLeaf", "node", "nomadVar", "keyExistsGet"] { add(name, 0...1) { .nil } }
    for name: ByteString in [
      "ls", "safeLs", "tree", "safeTree", "secrets", "nomadVarList", "nomadVarListSafe", "caRoots", "nodes",
      "peerings", "services", "nomadServices", "exportedServices",
    ] { add(name, 0...1) { .list([]) } }
    for name: ByteString in ["service", "connect"] { add(name, 1...3) { .list([]) } }
    add("nomadService", 1...3) { .list([]) }
    for name: ByteString in ["secret", "pkiCert"] { add(name, 1...64) { .nil } }

    // These take values that are not strings.
    table.add("datacenters", [], variadic: .bool) { call in
      let ignoring = call.value(0).isTrue
      let dependency = TemplateDependency("datacenters", ignoring ? ["true"] : [])
      return try call.rendering.resolve(dependency) ?? .list([])
    }
    table.add("keyOrDefault", [.string, .string], result: .string) { call in
      // Asks for the same thing as `key`, and does not wait for it.
      let dependency = TemplateDependency("keyOrDefault", [ByteString(bytes: call.text(0))])
      if case .string(let text)? = try call.rendering.resolve(dependency), !text.isEmpty { return .string(text) }
      return call.value(1)
    }
    addGrouping(&table)
  }

  /// What rearranges the lists that dependencies return.
  private static func addGrouping(_ table: inout FunctionTable) {
    table.add("byKey", [.any]) { call in
      var groups: [ByteString: TemplateValue] = [:]
      for pair in try Conversions.elements(call.value(0)) ?? [] {
        let key = try textMember("Key", of: pair)
        let parts = ByteText.split(key, by: [UInt8(ascii: "/")])
        let rest = ByteText.join(Array(parts.dropFirst()), [UInt8(ascii: "/")])
        guard !rest.isEmpty else { continue }
        let group: TemplateMap
        let name = ByteString(bytes: parts[0])
        if case .map(let existing)? = groups[name] { group = existing } else { group = TemplateMap() }
        group[ByteString(bytes: rest)] = .map([
          "Key": .string(ByteString(bytes: rest)),
          "Value": .string(ByteString(bytes: try textMember("Value", of: pair))),
          "Path": .string(ByteString(bytes: try textMember("Path", of: pair))),
        ])
        groups[name] = .map(group)
      }
      return .map(groups)
    }
    table.add("byTag", [.any]) { call in
      var groups: [ByteString: [TemplateValue]] = [:]
      for service in try Conversions.elements(call.value(0)) ?? [] {
        for tag in try Conversions.elements(try member("Tags", of: service)) ?? [] {
          groups[ByteString(bytes: try call.textValue(tag)), default: []].append(service)
        }
      }
      return .map(groups.mapValues { .list($0) })
    }
    table.add("explode", [.any]) { call in
      let root = TemplateMap()
      for pair in try Conversions.elements(call.value(0)) ?? [] {
        try explode(textMember("Key", of: pair), .string(ByteString(bytes: textMember("Value", of: pair))), into: root)
      }
      return .map(root)
    }
    table.add("explodeMap", [.map(.any)]) { call in
      let root = TemplateMap()
      for (key, value) in call.map(0).sorted { try explode(key.bytes, value, into: root) }
      return .map(root)
    }
  }

  /// Stores a value under a path of keys separated by slashes.
  private static func explode(_ path: [UInt8], _ value: TemplateValue, into root: TemplateMap) throws {
    let parts = ByteText.split(path, by: [UInt8(ascii: "/")]).filter { !$0.isEmpty }
    guard let last = parts.last else { return }
    var map = root
    for part in parts.dropLast() {
      let key = ByteString(bytes: part)
      switch map[key] {
      case .map(let inner)?: map = inner
      case nil:
        let inner = TemplateMap()
        map[key] = .map(inner)
        map = inner
      default: throw FunctionFailure("not a map: " + Quoting.quoted(part) + ": " + key + " already has value")
      }
    }
    try map.insert(value, for: ByteString(bytes: last))
  }

  static func member(_ name: ByteString, of value: TemplateValue) throws -> TemplateValue {
    switch value {
    case .map(let map): return try map[name]?.resolved() ?? .nil
    case .object(let object):
      if case .field(let field)? = try object.member(name) { return try field.resolved() }
      return .nil
    default: return .nil
    }
  }

  private static func textMember(_ name: ByteString, of value: TemplateValue) throws -> [UInt8] {
    if case .string(let text) = try member(name, of: value) { text.bytes } else { [] }
  }
}
