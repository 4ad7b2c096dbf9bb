internal import Codec

/// The rows of the statistics of devices: each device with what its plugin says in short.
enum DeviceStatsText {
  /// `vendor/type/name[id]` and the summary, one device in a line, in order.
  static func summary(_ groups: [JSONValue]) -> [(String, String)] {
    groups.flatMap { group in
      instances(group).map { id, stats in (name(group, id), text(stats["Summary"])) }
    }
  }

  /// Every figure that a plugin gives about a device, with the figure's name.
  static func details(_ groups: [JSONValue]) -> [(device: String, rows: [(String, String)])] {
    groups.flatMap { group in
      instances(group).map { id, stats in
        (device: name(group, id), rows: figures(stats["Stats"], path: "") + [("Summary", text(stats["Summary"]))])
      }
    }
  }

  private static func instances(_ group: JSONValue) -> [(String, JSONValue)] {
    (group["InstanceStats"]?.objectValue?.members ?? []).map { ($0.key, $0.value) }.sorted { $0.0 < $1.0 }
  }

  private static func name(_ group: JSONValue, _ id: String) -> String {
    ["Vendor", "Type", "Name"].map { group[$0]?.stringValue ?? "" }.joined(separator: "/") + "[\(id)]"
  }

  /// A figure with its unit, and with what it is a part of.
  private static func text(_ value: JSONValue?) -> String {
    guard let value, value != .null else { return "<none>" }
    if let text = value["StringVal"]?.stringValue { return text }
    if let truth = value["BoolVal"]?.boolValue { return "\(truth)" }
    let unit = value["Unit"]?.stringValue ?? ""
    func number(_ kind: String) -> String? {
      if let whole = value["Int\(kind)Val"]?.intValue { return "\(whole)" }
      return value["Float\(kind)Val"]?.doubleValue.map { "\($0)" }
    }
    guard let part = number("Numerator") else { return "<none>" }
    let whole = number("Denominator").map { "\(part) / \($0)" } ?? part
    return unit.isEmpty ? whole : "\(whole) \(unit)"
  }

  private static func figures(_ object: JSONValue?, path: String) -> [(String, String)] {
    guard let object else { return [] }
    var rows: [(String, String)] = []
    for (name, value) in object["Attributes"]?.objectValue?.members ?? [] { rows.append((path + name, text(value))) }
    for (name, nested) in object["Nested"]?.objectValue?.members ?? [] {
      rows += figures(nested, path: path + name + ".")
    }
    return rows.sorted { $0.0 < $1.0 }
  }
}
