/// Reads values out of a `JSONDocument`.
///
/// The first thing that does not fit stops the reading: `error` is set, and every later call does nothing. A key that
/// occurs twice counts as its last occurrence.
public struct JSONReader: FieldVisitor, Sendable {
  /// The text that is read from, already split into values.
  public let document: JSONDocument
  /// The first thing that did not fit; nil as long as all did.
  public internal(set) var error: CodecError?
  /// Paths of keys that no field list named, when asked for.
  public private(set) var unknownKeys: [String] = []

  /// The object whose members `field` looks up.
  private var object = 0
  private let collectUnknown: Bool
  /// The values of the current object that a field has taken, and the way to it; kept only to report unknown keys.
  private var taken: Set<Int> = []
  private var path: [String] = []

  /// Reads from `document`; `collectUnknown` keeps the paths of members that no field takes, for warnings about typing
  /// errors.
  public init(_ document: JSONDocument, collectUnknown: Bool = false) {
    self.document = document
    self.collectUnknown = collectUnknown
  }

  /// Takes the member called `name`, in letters of either case; without one the value stays.
  public mutating func field<T: FieldValue>(
    _ tag: Int, _ name: StaticString, _ value: inout T, _ options: FieldOptions
  ) {
    if error != nil || options.contains(.binaryOnly) { return }
    guard let index = member(name) else { return }
    if collectUnknown {
      path.append(name.description)
      defer { path.removeLast() }
      value.read(from: &self, at: index)
    } else {
      value.read(from: &self, at: index)
    }
    if error != nil { error?.prepend(name.description) }
  }

  /// The value of the last member of the current object with this name, letters compared without regard to case.
  private mutating func member(_ name: StaticString) -> Int? {
    let end = Int(document.entries[object].next)
    var index = object + 1
    var result: Int? = nil
    while index < end {
      if matches(index, name) {
        result = index + 1
        if collectUnknown { taken.insert(index) }
      }
      index = Int(document.entries[index + 1].next)
    }
    return result
  }

  private func matches(_ key: Int, _ name: StaticString) -> Bool {
    let entry = document.entries[key]
    let count = name.utf8CodeUnitCount
    if entry.flag { return string(at: key).lowercased() == name.description.lowercased() }
    guard Int(entry.end) - Int(entry.start) == count else { return false }
    return name.withUTF8Buffer { buffer in
      var index = Int(entry.start)
      for expected in buffer {
        let byte = document.bytes[index]
        if byte != expected {
          let folded = byte | 0x20
          guard folded == expected | 0x20, folded >= 0x61, folded <= 0x7A else { return false }
        }
        index += 1
      }
      return true
    }
  }

  // MARK: for implementations of FieldValue

  /// Makes the object at `index` the current one; nil for `null` and, with the error set, for anything else.
  public mutating func beginRecord(at index: Int, _ expected: StaticString) -> Outer? {
    guard error == nil, !isNull(at: index) else { return nil }
    guard document.entries[index].kind == .object else {
      fail(at: index, expected: expected)
      return nil
    }
    let outer = Outer(object: object, taken: taken)
    object = index
    taken = []
    return outer
  }

  /// Goes back to the members of the object around; notes those that no field took.
  public mutating func endRecord(_ outer: Outer) {
    if collectUnknown && error == nil {
      for (key, _) in members(of: object) where !taken.contains(key) {
        unknownKeys.append((path + [string(at: key)]).joined(separator: "."))
      }
    }
    object = outer.object
    taken = outer.taken
  }

  /// What `beginRecord` put aside.
  public struct Outer {
    var object: Int
    var taken: Set<Int>
  }

  /// Whether `null` stands there.
  public func isNull(at index: Int) -> Bool { document.entries[index].kind == .null }

  /// Stops the reading: something else was expected at `index`.
  public mutating func fail(at index: Int, expected: StaticString) {
    fail(at: index, "expected \(expected), got \(describe(index))")
  }

  /// Stops the reading: `problem` at `index`.
  public mutating func fail(at index: Int, _ problem: String) {
    if error != nil { return }
    let entry = document.entries[index]
    // A string's entry begins after its quote.
    error = CodecError(offset: Int(entry.start) - (entry.kind == .string ? 1 : 0), problem: problem)
  }

  private func describe(_ index: Int) -> String {
    switch document.entries[index].kind {
    case .null: "null"
    case .bool: "a boolean"
    case .integer, .double: "a number"
    case .string: "a string"
    case .array: "a list"
    case .object: "an object"
    }
  }

  /// The elements of the list at `index`; nil for `null` and, with the error set, for anything else.
  mutating func elements(at index: Int) -> [Int]? {
    guard error == nil, !isNull(at: index) else { return nil }
    guard document.entries[index].kind == .array else {
      fail(at: index, expected: "a list")
      return nil
    }
    var result: [Int] = []
    var element = index + 1
    let end = Int(document.entries[index].next)
    while element < end {
      result.append(element)
      element = Int(document.entries[element].next)
    }
    return result
  }

  /// Key and value of every member of the object at `index`, in the order of the text.
  func members(of index: Int) -> [(key: Int, value: Int)] {
    var result: [(key: Int, value: Int)] = []
    var member = index + 1
    let end = Int(document.entries[index].next)
    while member < end {
      result.append((member, member + 1))
      member = Int(document.entries[member + 1].next)
    }
    return result
  }

  /// Runs `body` with `component` at the end of the path that errors and unknown keys carry.
  mutating func within(_ component: String, _ body: (inout JSONReader) -> Void) {
    if collectUnknown {
      let last = path.popLast() ?? ""
      path.append(last + component)
      body(&self)
      path[path.count - 1] = last
    } else {
      body(&self)
    }
    if error != nil { error?.prepend(component) }
  }

  func kind(at index: Int) -> JSONDocument.Kind { document.entries[index].kind }

  func bool(at index: Int) -> Bool? {
    let entry = document.entries[index]
    return entry.kind == .bool ? entry.flag : nil
  }

  /// A whole number within 64 bits, also one written with a fraction or an exponent (`5.0`, `1e3`).
  func integer(at index: Int) -> Int64? {
    let entry = document.entries[index]
    switch entry.kind {
    case .integer:
      if let value = exactInteger(entry) { return value }
      return nil
    case .double:
      guard let value = double(at: index) else { return nil }
      return Int64(exactly: value)
    default: return nil
    }
  }

  private func exactInteger(_ entry: JSONDocument.Entry) -> Int64? {
    var index = Int(entry.start)
    let end = Int(entry.end)
    let negative = document.bytes[index] == 0x2D
    if negative { index += 1 }
    var value: Int64 = 0
    while index < end {
      let digit = Int64(document.bytes[index] - 0x30)
      let (scaled, overflow) = value.multipliedReportingOverflow(by: 10)
      let (next, overflow2) =
        negative ? scaled.subtractingReportingOverflow(digit) : scaled.addingReportingOverflow(digit)
      if overflow || overflow2 { return nil }
      value = next
      index += 1
    }
    return value
  }

  func unsigned(at index: Int) -> UInt64? {
    let entry = document.entries[index]
    if entry.kind == .integer { return UInt64(raw(index)) }
    return integer(at: index).flatMap { UInt64(exactly: $0) }
  }

  /// A number; nil also for one that a double can't hold.
  func double(at index: Int) -> Double? {
    let entry = document.entries[index]
    guard entry.kind == .integer || entry.kind == .double else { return nil }
    guard let value = Double(raw(index)), value.isFinite else { return nil }
    return value
  }

  /// The text of the value, as it stands.
  func raw(_ index: Int) -> String {
    let entry = document.entries[index]
    return String(decoding: document.bytes[Int(entry.start)..<Int(entry.end)], as: UTF8.self)
  }

  /// The string at `index`, escapes resolved. A surrogate without its partner becomes U+FFFD.
  func string(at index: Int) -> String {
    let entry = document.entries[index]
    if !entry.flag { return raw(index) }
    var result: [UInt8] = []
    let end = Int(entry.end)
    var position = Int(entry.start)
    while position < end {
      let byte = document.bytes[position]
      if byte != 0x5C {
        result.append(byte)
        position += 1
        continue
      }
      let escape = document.bytes[position + 1]
      position += 2
      switch escape {
      case 0x62: result.append(0x08)
      case 0x66: result.append(0x0C)
      case 0x6E: result.append(0x0A)
      case 0x72: result.append(0x0D)
      case 0x74: result.append(0x09)
      case 0x75:
        var unit = codeUnit(at: position)
        position += 4
        if unit >= 0xD800 && unit < 0xDC00, position + 6 <= end, document.bytes[position] == 0x5C,
          document.bytes[position + 1] == 0x75
        {
          let low = codeUnit(at: position + 2)
          if low >= 0xDC00 && low < 0xE000 {
            unit = 0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00)
            position += 6
          }
        }
        let scalar = Unicode.Scalar(unit) ?? "\u{FFFD}"
        result.append(contentsOf: String(Character(scalar)).utf8)
      default: result.append(escape)
      }
    }
    return String(decoding: result, as: UTF8.self)
  }

  /// Four hexadecimal digits, which the parser has checked.
  private func codeUnit(at position: Int) -> UInt32 {
    var unit: UInt32 = 0
    for byte in document.bytes[position..<position + 4] { unit = unit << 4 | UInt32(hexValue(byte) ?? 0) }
    return unit
  }
}
