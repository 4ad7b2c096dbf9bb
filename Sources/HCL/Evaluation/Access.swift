/// Attributes and elements of values: what `.name` and `[key]` mean.
public enum Access {
  /// Why there is no such attribute or element.
  public struct Failure: Error, Sendable {
    /// What is wrong, in a few words.
    public var summary: String
    /// What is wrong with this value, in sentences.
    public var detail: String
  }

  /// `value.name`: an attribute of an object, or an element of a map.
  public static func attribute(_ name: String, of value: Value) throws(Failure) -> Value {
    if value.isNull {
      throw Failure(
        summary: "Attempt to get attribute from null value", detail: "The value is null and has no attributes.")
    }
    switch value.type {
    case .dynamic: return .dynamic
    case .object(let types, _):
      guard let type = types[name] else {
        throw Failure(
          summary: "Unsupported attribute",
          detail: "There is no attribute \"\(name)\" here." + Suggestion.sentence(for: name, among: types.keys))
      }
      return value.asMapping?[name] ?? .unknown(type)
    case .map(let element):
      guard let elements = value.asMapping else { return .unknown(element) }
      guard let found = elements[name] else {
        throw Failure(
          summary: "Missing map element",
          detail: "The map has no element with the key \"\(name)\"."
            + Suggestion.sentence(for: name, among: elements.keys))
      }
      return found
    case .list, .set, .tuple:
      throw Failure(
        summary: "Unsupported attribute",
        detail:
          "A \(value.type.friendlyName) has no attributes. For one element write [0].\(name), for all of them [*].\(name)."
      )
    case .string, .number, .bool:
      throw Failure(summary: "Unsupported attribute", detail: "A \(value.type.friendlyName) has no attributes.")
    }
  }

  /// `value[key]`: an element of a list or tuple by number, of a map or object by string.
  public static func element(_ key: Value, of value: Value) throws(Failure) -> Value {
    if value.isNull {
      throw Failure(summary: "Attempt to index null value", detail: "The value is null and has no elements.")
    }
    if key.isNull { throw Failure(summary: "Invalid index", detail: "A key can't be null.") }
    switch value.type {
    case .dynamic: return .dynamic
    case .list(let element):
      guard let index = try number(key) else { return .unknown(element) }
      guard let elements = value.asSequence else { return .unknown(element) }
      return elements[try position(index, elements.count)]
    case .tuple(let types):
      guard let index = try number(key) else { return .dynamic }
      let place = try position(index, types.count)
      return value.asSequence?[place] ?? .unknown(types[place])
    case .map(let element):
      guard let name = try string(key) else { return .unknown(element) }
      guard let elements = value.asMapping else { return .unknown(element) }
      guard let found = elements[name] else {
        throw Failure(
          summary: "Invalid index",
          detail: "The map has no element with the key \"\(name)\"."
            + Suggestion.sentence(for: name, among: elements.keys))
      }
      return found
    case .object(let types, _):
      guard let name = try string(key) else { return .dynamic }
      guard let type = types[name] else {
        throw Failure(
          summary: "Invalid index",
          detail: "There is no attribute \"\(name)\" here." + Suggestion.sentence(for: name, among: types.keys))
      }
      return value.asMapping?[name] ?? .unknown(type)
    case .set:
      throw Failure(
        summary: "Invalid index",
        detail: "Elements of a set have no index and no key, only themselves. Convert it to a list first.")
    case .string, .number, .bool:
      throw Failure(summary: "Invalid index", detail: "A \(value.type.friendlyName) has no elements.")
    }
  }

  private static func number(_ key: Value) throws(Failure) -> Number? {
    do throws(Conversion.Failure) {
      return try Conversion.convert(key, to: .number).asNumber
    } catch {
      throw Failure(summary: "Invalid index", detail: "The index must be a whole number: \(error.description).")
    }
  }

  private static func string(_ key: Value) throws(Failure) -> String? {
    do throws(Conversion.Failure) {
      return try Conversion.convert(key, to: .string).asString
    } catch {
      throw Failure(summary: "Invalid index", detail: "The key must be a string: \(error.description).")
    }
  }

  private static func position(_ index: Number, _ count: Int) throws(Failure) -> Int {
    guard index.isInteger else {
      throw Failure(summary: "Invalid index", detail: "The index \(index) is no whole number.")
    }
    guard index.signum >= 0 else {
      throw Failure(summary: "Invalid index", detail: "The index \(index) is negative; the first element is 0.")
    }
    guard let place = index.asInt, place < count else {
      throw Failure(
        summary: "Invalid index",
        detail: count == 0
          ? "There are no elements."
          : "The index \(index) is past the end: there are \(count) elements, the last is \(count - 1).")
    }
    return place
  }
}
