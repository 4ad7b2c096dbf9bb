public import Codec

/// Reads a task's `config` block: every key known, every value of the right kind, all mistakes at once.
///
/// A driver asks for each of its keys, then calls `finish`, which refuses keys that nobody asked for.
public struct ConfigDecoder {
  private let driver: String
  private let config: JSONObject
  private var known: [String] = []
  private var problems: [String] = []

  /// A decoder of `config` for the driver of that name.
  public init(driver: String, config: JSONObject) {
    self.driver = driver
    self.config = config
  }

  /// A text; numbers and booleans are taken as HCL prints them. Nil when the key is absent or null.
  public mutating func string(_ key: String, required: Bool = false) -> String? {
    let value = value(of: key, required: required)
    guard let value else { return nil }
    guard let text = Self.text(value) else {
      problems.append("\(key) must be a string")
      return nil
    }
    if required && text.isEmpty { problems.append("\(key) must not be empty") }
    return text
  }

  /// true or false, also written as a string.
  public mutating func bool(_ key: String) -> Bool? {
    guard let value = value(of: key) else { return nil }
    switch value {
    case .bool(let bool): return bool
    case .string("true"), .string("1"): return true
    case .string("false"), .string("0"): return false
    default:
      problems.append("\(key) must be true or false")
      return nil
    }
  }

  /// A whole number, also written as a string.
  public mutating func int(_ key: String) -> Int? {
    guard let value = value(of: key) else { return nil }
    if let number = value.intValue ?? value.stringValue.flatMap({ Int64($0) }) { return Int(number) }
    problems.append("\(key) must be a whole number")
    return nil
  }

  /// A list of texts.
  public mutating func strings(_ key: String) -> [String]? {
    guard let value = value(of: key) else { return nil }
    let texts = value.arrayValue?.map(Self.text)
    guard let texts, !texts.contains(nil) else {
      problems.append("\(key) must be a list of strings")
      return nil
    }
    return texts.compactMap { $0 }
  }

  /// A map of texts; a list of such maps (HCL's repeated blocks) is merged, the last wins.
  public mutating func map(_ key: String) -> [String: String]? {
    guard let value = value(of: key) else { return nil }
    var merged: [String: String] = [:]
    for element in value.arrayValue ?? [value] {
      guard let object = element.objectValue else {
        problems.append("\(key) must be a map of strings")
        return nil
      }
      for (name, member) in object.members {
        guard let text = Self.text(member) else {
          problems.append("\(key).\(name) must be a string")
          return nil
        }
        merged[name] = text
      }
    }
    return merged
  }

  /// Blocks of one name, in their order; HCL gives a list of them, JSON may give one object.
  public mutating func blocks(_ key: String) -> [JSONObject] {
    guard let value = value(of: key) else { return [] }
    let objects = Self.objects(value)
    if objects == nil { problems.append("\(key) must be a block") }
    return objects ?? []
  }

  /// The objects of a block's value, whatever way HCL or JSON nested it in lists.
  private static func objects(_ value: JSONValue) -> [JSONObject]? {
    if let object = value.objectValue { return [object] }
    guard let elements = value.arrayValue else { return nil }
    var all: [JSONObject] = []
    for element in elements {
      guard let objects = objects(element) else { return nil }
      all += objects
    }
    return all
  }

  /// A decoder for a block inside this one; its problems and unknown keys become this one's with `finish(_:)`.
  public func nested(_ block: JSONObject) -> ConfigDecoder { ConfigDecoder(driver: driver, config: block) }

  /// Takes over what is wrong with a nested block.
  /// - Parameter path: how the block is named in messages, such as `mount[0]`.
  public mutating func finish(_ nested: consuming ConfigDecoder, as path: String) {
    nested.noteUnknownKeys()
    problems += nested.problems.map { "\(path): \($0)" }
  }

  /// Whether the block has a key.
  public func has(_ key: String) -> Bool { config[key] != nil }

  /// Takes a key as known without reading it.
  public mutating func ignore(_ key: String) { known.append(key) }

  /// Notes a problem that the driver itself found in a value.
  public mutating func refuse(_ problem: String) { problems.append(problem) }

  /// - Throws: `.configuration` naming every mistake, and for an unknown key the nearest known one.
  public consuming func finish() throws(DriverError) {
    noteUnknownKeys()
    guard problems.isEmpty else {
      throw DriverError(
        .configuration,
        "config of driver \"\(driver)\": \(problems.joined(separator: "; ")) (keys: \(known.sorted().joined(separator: ", ")))"
      )
    }
  }

  private mutating func noteUnknownKeys() {
    for key in config.keys where !known.contains(key) {
      let hint = Suggestion.nearest(to: key, among: known).map { ": did you mean \"\($0)\"?" } ?? ""
      problems.append("unknown key \"\(key)\"\(hint)")
    }
  }

  private mutating func value(of key: String, required: Bool = false) -> JSONValue? {
    known.append(key)
    guard let value = config[key], value != .null else {
      if required { problems.append("\(key) is required") }
      return nil
    }
    return value
  }

  private static func text(_ value: JSONValue) -> String? {
    switch value {
    case .string(let text): text
    case .bool(let bool): String(bool)
    case .int(let number): String(number)
    case .double(let number): JSON.text(JSONValue.double(number))
    default: nil
    }
  }
}
