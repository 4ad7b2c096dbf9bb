internal import Codec
internal import HCLSchema

/// The names that files have for members of the configuration's JSON.
enum OptionNames {
  /// `["Telemetry", "StatsdAddr"]` is `telemetry.statsd_address`. Behind a block with labels, and for what no schema names,
  /// the keys themselves.
  static func inFiles(_ keys: [String], _ schema: BlockSchema = agentSchema) -> String {
    guard let key = keys.first else { return "" }
    // Of two names for one member the later in the alphabet happens to be the one in use.
    if let name = schema.attributes.filter({ $0.value.key == key }).keys.max(), keys.count == 1 { return name }
    guard let block = schema.blocks.first(where: { $0.value.key == key }) else { return keys.joined(separator: ".") }
    let rest = Array(keys.dropFirst())
    guard !rest.isEmpty else { return block.key }
    if case .one(let inner) = block.value.kind { return block.key + "." + inFiles(rest, inner()) }
    return block.key + "." + rest.joined(separator: ".")
  }
}

/// What two configurations differ in.
enum ConfigurationDifference {
  /// The options that differ, by their names in files, sorted.
  static func options(from old: JSONObject, to new: JSONObject) -> [String] {
    var found: [String] = []
    compare(.object(old), .object(new), [], &found)
    return found.sorted()
  }

  private static func compare(_ old: JSONValue, _ new: JSONValue, _ path: [String], _ found: inout [String]) {
    guard case .object(let before) = old, case .object(let after) = new else {
      if old != new { found.append(OptionNames.inFiles(path)) }
      return
    }
    for key in Set(before.keys).union(after.keys) {
      compare(before[key] ?? .null, after[key] ?? .null, path + [key], &found)
    }
  }
}
