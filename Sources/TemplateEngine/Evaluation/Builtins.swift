/// The functions that every template has.
enum Builtin: String, Sendable, CaseIterable {
  case and, call, html, index, slice, js, len, not, or, print, printf, println, urlquery
  case eq, ge, gt, le, lt, ne

  var parameters: [ValueType] {
    switch self {
    case .and, .or, .call, .index, .slice, .eq, .len, .not: [.operand]
    case .ge, .gt, .le, .lt, .ne: [.operand, .operand]
    case .printf: [.string]
    case .html, .js, .print, .println, .urlquery: []
    }
  }

  var variadic: ValueType? {
    switch self {
    case .and, .or, .call, .index, .slice, .eq: .operand
    case .printf, .html, .js, .print, .println, .urlquery: .any
    case .len, .not, .ge, .gt, .le, .lt, .ne: nil
    }
  }
}

extension Rendering {
  /// Calls a built-in with arguments that fit it.
  func call(_ builtin: Builtin, _ arguments: [Slot]) throws -> Slot {
    let first = arguments.first ?? .absent
    let rest = Array(arguments.dropFirst())
    func bool(_ value: Bool) -> Slot { Slot(value: .bool(value), isBoxed: false) }
    func text(_ bytes: [UInt8]) throws -> Slot {
      try charge(bytes: bytes.count)
      return Slot(value: .string(ByteString(bytes: bytes)), isBoxed: false)
    }
    let values = arguments.map(\.value)
    switch builtin {
    case .and, .or: return first
    case .call: return try callValue(first, rest)
    case .index: return try index(first, rest)
    case .slice: return try slice(first, rest)
    case .len: return Slot(value: .int(try length(first)), isBoxed: false)
    case .not: return bool(!first.value.isTrue)
    case .print: return try text(Formatter.print(values, limits))
    case .println: return try text(Formatter.printLine(values, limits))
    case .printf:
      guard case .string(let format) = first.value else { throw FunctionFailure("the format is no string") }
      return try text(Formatter.format(format.bytes, rest.map(\.value), limits))
    case .html: return try text(Escaping.html(try joined(values)))
    case .js: return try text(Escaping.javaScript(try joined(values)))
    case .urlquery: return try text(Escaping.query(try joined(values)))
    case .eq: return bool(try Comparison.isEqual(first.unboxed, rest.map(\.unboxed), limits))
    case .ne: return bool(try !Comparison.isEqual(first.unboxed, rest.map(\.unboxed), limits))
    case .lt: return bool(try Comparison.isLess(first.value, rest[0].value))
    case .le: return bool(try Comparison.isLessOrEqual(first, rest[0], limits))
    case .gt: return bool(try !Comparison.isLessOrEqual(first, rest[0], limits))
    case .ge: return bool(try !Comparison.isLess(first.value, rest[0].value))
    }
  }

  /// What the escaping functions work on: the arguments printed, nil as `<no value>`.
  private func joined(_ values: [TemplateValue]) throws -> [UInt8] {
    if values.count == 1, case .string(let text) = values[0] { return text.bytes }
    return try Formatter.print(values.map { $0.isNil ? .text("<no value>") : $0 }, limits)
  }

  private func callValue(_ slot: Slot, _ arguments: [Slot]) throws -> Slot {
    switch slot.value {
    case .nil: throw FunctionFailure("call of nil")
    case .function(let function):
      let count = function.parameters.count
      if function.variadic != nil {
        guard arguments.count >= count else {
          throw FunctionFailure("wrong number of args: got \(arguments.count) want at least \(count)")
        }
      } else if arguments.count != count {
        throw FunctionFailure("wrong number of args: got \(arguments.count) want \(count)")
      }
      var values: [TemplateValue] = []
      for (index, argument) in arguments.enumerated() {
        let type = index < count ? function.parameters[index] : function.variadic ?? .any
        do {
          values.append(try prepared(argument.value, type))
        } catch {
          throw FunctionFailure(ByteString("arg \(index): ") + error.message)
        }
      }
      return try call(function, "call", values)
    default: throw FunctionFailure("non-function of type \(slot.value.type)")
    }
  }

  /// A value converted to a type as `call` and `index` do: integers to each other, nothing else.
  private func prepared(_ value: TemplateValue, _ type: ValueType) throws(FunctionFailure) -> TemplateValue {
    if value.isNil {
      guard type.canBeNil else { throw FunctionFailure("value is nil; should be of type \(type)") }
      return .zero(of: type)
    }
    if type == .any || type == .operand || value.type == type { return value }
    var bits: UInt64?
    if case .int(let int) = value { bits = UInt64(bitPattern: Int64(int)) }
    if case .sized(let sized) = value { bits = sized.bits }
    if let bits {
      if type == .int { return .int(Int(truncatingIfNeeded: bits)) }
      if case .sized(let kind) = type { return .sized(SizedInteger(kind, bits: bits)) }
    }
    throw FunctionFailure("value has type \(value.type); should be \(type)")
  }

  // MARK: Lists and maps

  private func index(_ slot: Slot, _ indexes: [Slot]) throws -> Slot {
    if slot.value.isNil { throw FunctionFailure("index of untyped nil") }
    var item = slot.unboxed
    for index in indexes {
      switch item.value {
      case .nil: throw FunctionFailure("index of nil pointer")
      case .list(let list):
        let position = try offset(index.unboxed, limit: list.count)
        guard position < list.count else { throw FunctionFailure("reflect: slice index out of range") }
        item = try self.slot(list.elements[position], in: list.elementType)
      case .bytes(let bytes):
        let position = try offset(index.unboxed, limit: bytes.count)
        guard position < bytes.count else { throw FunctionFailure("reflect: slice index out of range") }
        item = Slot(value: .sized(SizedInteger(.uint8, bits: UInt64(bytes[position]))), isBoxed: false)
      case .string(let text):
        let position = try offset(index.unboxed, limit: text.count)
        guard position < text.count else { throw FunctionFailure("reflect: string index out of range") }
        item = Slot(value: .sized(SizedInteger(.uint8, bits: UInt64(text.bytes[position]))), isBoxed: false)
      case .map(let map):
        guard case .string(let key) = try prepared(index.value, .string) else { throw FunctionFailure("not a key") }
        item = try self.slot(map[key] ?? .zero(of: map.elementType), in: map.elementType)
      default: throw FunctionFailure("can't index item of type \(item.value.type)")
      }
    }
    return item
  }

  private func offset(_ index: Slot, limit: Int) throws(FunctionFailure) -> Int {
    let value: Int64
    switch index.value {
    case .int(let int) where !index.isBoxed: value = Int64(int)
    case .sized(let sized) where !index.isBoxed: value = sized.signed
    case .nil where !index.isBoxed: throw FunctionFailure("cannot index slice/array with nil")
    default: throw FunctionFailure("cannot index slice/array with type \(index.type)")
    }
    guard value >= 0, value <= Int64(limit) else { throw FunctionFailure("index out of range: \(value)") }
    return Int(value)
  }

  private func slice(_ slot: Slot, _ indexes: [Slot]) throws -> Slot {
    let item = slot.value
    if item.isNil { throw FunctionFailure("slice of untyped nil") }
    guard indexes.count <= 3 else { throw FunctionFailure("too many slice indexes: \(indexes.count)") }
    let count: Int
    switch item {
    case .string(let text):
      if indexes.count == 3 { throw FunctionFailure("cannot 3-index slice a string") }
      count = text.count
    case .list(let list): count = list.count
    case .bytes(let bytes): count = bytes.count
    default: throw FunctionFailure("can't slice item of type \(item.type)")
    }
    var bounds = [0, count, count]
    for (position, index) in indexes.enumerated() { bounds[position] = try offset(index, limit: count) }
    guard bounds[0] <= bounds[1] else { throw FunctionFailure("invalid slice index: \(bounds[0]) > \(bounds[1])") }
    if indexes.count == 3, bounds[1] > bounds[2] {
      throw FunctionFailure("invalid slice index: \(bounds[1]) > \(bounds[2])")
    }
    let range = bounds[0]..<bounds[1]
    switch item {
    case .string(let text): return Slot(value: .string(ByteString(bytes: text.bytes[range])), isBoxed: false)
    case .bytes(let bytes): return Slot(value: .bytes(Array(bytes[range])), isBoxed: false)
    case .list(let list):
      try charge(range.count / 16)
      return Slot(value: .list(TemplateList(Array(list.elements[range]), of: list.elementType)), isBoxed: false)
    default: return slot
    }
  }

  private func length(_ slot: Slot) throws -> Int {
    switch slot.value {
    case .string(let text): return text.count
    case .bytes(let bytes): return bytes.count
    case .list(let list): return list.count
    case .map(let map): return map.count
    case .nil:
      throw FunctionFailure(
        slot.isBoxed ? "len of nil pointer" : "reflect: call of reflect.Value.Type on zero Value")
    default: throw FunctionFailure("len of type \(slot.value.type)")
    }
  }
}
