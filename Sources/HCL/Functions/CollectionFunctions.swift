extension StandardFunctions {
  static let collections: [String: Function] = [
    "length": Function([.init("collection", .dynamic, unknown: true)], result: .number) {
      a, _ throws(FunctionFailure) in
      switch a[0].type {
      case .tuple(let types): return .number(types.count)
      case .list, .set, .map:
        guard let count = a[0].asSequence?.count ?? a[0].asMapping?.count else { return .unknown(.number) }
        return .number(count)
      case .dynamic: return .unknown(.number)
      default: throw FunctionFailure("a list, set, map or tuple is needed, not \(a[0].type.friendlyName)", argument: 0)
      }
    },
    "element": Function([.init("list", .dynamic), .init("index", .number)]) { a, _ throws(FunctionFailure) in
      switch a[0].type {
      case .list, .tuple: break
      default: throw FunctionFailure("a list or tuple is needed, not \(a[0].type.friendlyName)", argument: 0)
      }
      let elements = try a.elements(0)
      let index = try a.int(1)
      guard index >= 0 else { throw FunctionFailure("the index is negative", argument: 1) }
      guard !elements.isEmpty else { throw FunctionFailure("the list is empty and has no elements", argument: 0) }
      return elements[index % elements.count]
    },
    "index": Function([.init("collection", .dynamic), .init("key", .dynamic)]) { a, _ throws(FunctionFailure) in
      switch (a[0].type, a[1].type) {
      case (.list, .number), (.tuple, .number), (.map, .string): break
      case (.list, _), (.tuple, _): throw FunctionFailure("the key of a list or tuple must be a number", argument: 1)
      case (.map, _): throw FunctionFailure("the key of a map must be a string", argument: 1)
      default: throw FunctionFailure("a list, map or tuple is needed, not \(a[0].type.friendlyName)", argument: 0)
      }
      do throws(Access.Failure) {
        return try Access.element(a[1], of: a[0])
      } catch {
        throw FunctionFailure(String(error.detail.prefix(while: { $0 != "." })), argument: 1)
      }
    },
    "lookup": Function(
      [.init("map", .dynamic), .init("key", .string), .init("default", .dynamic)]
    ) { a, _ throws(FunctionFailure) in
      let key = try a.string(1)
      switch a[0].type {
      case .object: return a[0].asMapping?[key] ?? a[2]
      case .map(let element):
        // The default must fit also where it is not needed.
        let fallback = try converted(a[2], element, 2)
        return a[0].asMapping?[key] ?? fallback
      default: throw FunctionFailure("a map or object is needed, not \(a[0].type.friendlyName)", argument: 0)
      }
    },
    "keys": Function([.init("map", .dynamic)]) { a, _ throws(FunctionFailure) in
      guard let pairs = a[0].sortedPairs else {
        throw FunctionFailure("a map or object is needed, not \(a[0].type.friendlyName)", argument: 0)
      }
      let keys = pairs.map { Value.string($0.key) }
      if case .map = a[0].type { return .list(keys, of: .string) }
      return .tuple(keys)
    },
    "values": Function([.init("map", .dynamic)]) { a, _ throws(FunctionFailure) in
      guard let pairs = a[0].sortedPairs else {
        throw FunctionFailure("a map or object is needed, not \(a[0].type.friendlyName)", argument: 0)
      }
      let values = pairs.map(\.value)
      if case .map(let element) = a[0].type { return .list(values, of: element) }
      return .tuple(values)
    },
    "merge": Function([], variadic: .init("maps", .dynamic, null: true)) { a, _ throws(FunctionFailure) in
      var out: [String: Value] = [:]
      var element: ValueType?
      var oneMapType = true
      for (i, argument) in a.enumerated() {
        switch argument.type {
        case .map(let t):
          if let known = element, known != t { oneMapType = false }
          element = element ?? t
        case .object: oneMapType = false
        default:
          if case .dynamic = argument.type, argument.isNull { break }
          throw FunctionFailure("maps and objects are needed, not \(argument.type.friendlyName)", argument: i)
        }
        for (key, value) in argument.asMapping ?? [:] { out[key] = value }
      }
      if let element, oneMapType { return .map(out, of: element) }
      return .object(out)
    },
    "concat": Function([], variadic: .init("lists", .dynamic)) { a, _ throws(FunctionFailure) in
      guard !a.isEmpty else { throw FunctionFailure("at least one list is needed") }
      var out: [Value] = []
      var elementTypes: [ValueType] = []
      for (i, argument) in a.enumerated() {
        switch argument.type {
        case .list(let element): elementTypes.append(element)
        case .tuple: break
        default: throw FunctionFailure("lists and tuples are needed, not \(argument.type.friendlyName)", argument: i)
        }
        out += try a.elements(i)
      }
      guard elementTypes.count == a.count, let element = Unification.unify(elementTypes) else { return .tuple(out) }
      var converted: [Value] = []
      for value in out { converted.append(try StandardFunctions.converted(value, element)) }
      return .list(converted, of: element)
    },
    "contains": Function([.init("list", .dynamic), .init("value", .dynamic)], result: .bool) {
      a, _ throws(FunctionFailure) in
      for element in try a.elements(0) where Operators.equal(element, a[1]) == true { return .true }
      return .false
    },
    "distinct": Function([.init("list", .list(.dynamic))]) { a, _ throws(FunctionFailure) in
      var seen = Set<Value>()
      var out: [Value] = []
      for element in try a.elements(0) where seen.insert(element).inserted { out.append(element) }
      return .list(out, of: a[0].type.element ?? .dynamic)
    },
    "flatten": Function([.init("list", .dynamic)]) { a, room throws(FunctionFailure) in
      _ = try a.elements(0)
      var out: [Value] = []
      try flatten(a[0], &out, room)
      return .tuple(out)
    },
    "chunklist": Function([.init("list", .list(.dynamic)), .init("size", .number)]) { a, _ throws(FunctionFailure) in
      let elements = try a.elements(0)
      let size = try a.int(1)
      guard size >= 0 else { throw FunctionFailure("the size is negative", argument: 1) }
      let element = a[0].type.element ?? .dynamic
      var out: [Value] = []
      if size == 0 {
        if !elements.isEmpty { out.append(.list(elements, of: element)) }
      } else {
        for start in stride(from: 0, to: elements.count, by: size) {
          out.append(.list(Array(elements[start..<min(elements.count, start.saturatingAdd(size))]), of: element))
        }
      }
      return .list(out, of: .list(element))
    },
    "coalesce": Function([], variadic: .init("values", .dynamic, null: true)) { a, _ throws(FunctionFailure) in
      guard !a.isEmpty else { throw FunctionFailure("at least one value is needed") }
      // Beside a null without a type anything may stand: the first value then keeps its own type.
      guard let type = Unification.unify(a.map(\.type), unsafe: true) else {
        throw FunctionFailure("all values must be of types that convert to one")
      }
      for (i, value) in a.enumerated() where !value.isNull { return try converted(value, type, i) }
      throw FunctionFailure("no value is given that is not null")
    },
    "coalescelist": Function([], variadic: .init("lists", .dynamic)) { a, _ throws(FunctionFailure) in
      guard !a.isEmpty else { throw FunctionFailure("at least one list is needed") }
      for (i, argument) in a.enumerated() {
        switch argument.type {
        case .list, .tuple: break
        default: throw FunctionFailure("lists and tuples are needed, not \(argument.type.friendlyName)", argument: i)
        }
      }
      for argument in a where argument.asSequence?.isEmpty == false { return argument }
      throw FunctionFailure("no list is given that is not empty")
    },
    "compact": Function([.init("list", .list(.string))], result: .list(.string)) { a, _ throws(FunctionFailure) in
      .list(try a.elements(0).filter { !$0.isNull && $0.asString != "" }, of: .string)
    },
    "slice": Function(
      [.init("list", .dynamic), .init("start", .number), .init("end", .number)]
    ) { a, _ throws(FunctionFailure) in
      let elements: [Value]
      switch a[0].type {
      case .list, .tuple: elements = try a.elements(0)
      default: throw FunctionFailure("a list or tuple is needed, not \(a[0].type.friendlyName)", argument: 0)
      }
      let (start, end) = (try a.int(1), try a.int(2))
      guard start >= 0, start <= elements.count else {
        throw FunctionFailure("the start must be from 0 to \(elements.count)", argument: 1)
      }
      guard end >= start, end <= elements.count else {
        throw FunctionFailure("the end must be from \(start) to \(elements.count)", argument: 2)
      }
      let part = Array(elements[start..<end])
      if case .list(let element) = a[0].type { return .list(part, of: element) }
      return .tuple(part)
    },
    "zipmap": Function([.init("keys", .list(.string)), .init("values", .dynamic)]) { a, _ throws(FunctionFailure) in
      let keys = try a.strings(0)
      switch a[1].type {
      case .list, .tuple: break
      default: throw FunctionFailure("a list or tuple is needed, not \(a[1].type.friendlyName)", argument: 1)
      }
      let values = try a.elements(1)
      guard keys.count == values.count else {
        throw FunctionFailure(
          "there are \(keys.count) keys and \(values.count) values; it must be as many", argument: 1)
      }
      var out: [String: Value] = [:]
      for (key, value) in zip(keys, values) { out[key] = value }
      if case .list(let element) = a[1].type { return .map(out, of: element) }
      return .object(out)
    },
    "range": Function([], variadic: .init("limits", .number), result: .list(.number)) { a, _ throws(FunctionFailure) in
      guard (1...3).contains(a.count) else {
        throw FunctionFailure("one to three numbers are needed: end, or start, end, step")
      }
      let end = try a.number(a.count == 1 ? 0 : 1)
      let start = a.count == 1 ? .zero : try a.number(0)
      let step = a.count == 3 ? try a.number(2) : end < start ? Number.one.negated : .one
      guard !start.isInfinite, !end.isInfinite, !step.isInfinite else {
        throw FunctionFailure("the numbers must be finite")
      }
      if start == end { return .list([], of: .number) }
      guard !step.isZero else { throw FunctionFailure("the step is zero, so the end is never reached", argument: 2) }
      if step.isNegative ? end > start : end < start {
        throw FunctionFailure("the end is not in the direction of the step", argument: 1)
      }
      var out: [Value] = []
      var at = start
      while step.isNegative ? at > end : at < end {
        guard out.count < 1_024 else { throw FunctionFailure("more than 1024 values would be made") }
        out.append(.number(at))
        at = at + step
      }
      return .list(out, of: .number)
    },
  ]

  private static func flatten(_ value: Value, _ out: inout [Value], _ room: FunctionRoom) throws(FunctionFailure) {
    for element in value.asSequence ?? [] {
      switch element.type {
      case .list, .set, .tuple: if element.isNull { out.append(element) } else { try flatten(element, &out, room) }
      default: out.append(element)
      }
    }
    try room.check(elements: out.count)
  }

  static let sets: [String: Function] = [
    "setunion": Function(
      [.init("first", .set(.dynamic))], variadic: .init("others", .set(.dynamic))
    ) { a, _ throws(FunctionFailure) in
      let (all, element) = try sameSets(a)
      return .set(all.flatMap { $0 }, of: element)
    },
    "setintersection": Function(
      [.init("first", .set(.dynamic))], variadic: .init("others", .set(.dynamic))
    ) { a, _ throws(FunctionFailure) in
      let (all, element) = try sameSets(a)
      var common = Set(all[0])
      for other in all.dropFirst() { common.formIntersection(other) }
      return .set(Array(common), of: element)
    },
    "setproduct": Function([], variadic: .init("sets", .dynamic)) { a, room throws(FunctionFailure) in
      guard a.count >= 2 else { throw FunctionFailure("at least two sets are needed") }
      return try product(a, room)
    },
  ]

  private static func sameSets(_ arguments: [Value]) throws(FunctionFailure) -> ([[Value]], ValueType) {
    // An empty set without a type fits all.
    let types = arguments.compactMap { argument -> ValueType? in
      if case .set(.dynamic) = argument.type { return nil }
      return argument.type.element
    }
    let element = types.isEmpty ? .dynamic : try unified(types, "elements of all sets")
    var out: [[Value]] = []
    for (i, _) in arguments.enumerated() {
      var values: [Value] = []
      for value in try arguments.elements(i) { values.append(try converted(value, element, i)) }
      out.append(values)
    }
    return (out, element)
  }

  private static func product(_ arguments: [Value], _ room: FunctionRoom) throws(FunctionFailure) -> Value {
    var columns: [[Value]] = []
    var types: [ValueType] = []
    var isSet = false
    for (i, argument) in arguments.enumerated() {
      switch argument.type {
      case .set(let element):
        isSet = true
        columns.append(try arguments.elements(i))
        types.append(element)
      case .list(let element):
        columns.append(try arguments.elements(i))
        types.append(element)
      case .tuple(let elements):
        let element = try unified(elements, "all elements of a tuple")
        var values: [Value] = []
        for value in try arguments.elements(i) { values.append(try converted(value, element, i)) }
        columns.append(values)
        types.append(element)
      default: throw FunctionFailure("sets and lists are needed, not \(argument.type.friendlyName)", argument: i)
      }
    }
    let count = columns.reduce(1) { $0.saturatingMultiply($1.count) }
    try room.check(elements: count.saturatingMultiply(columns.count))
    var rows: [[Value]] = [[]]
    for column in columns { rows = rows.flatMap { row in column.map { row + [$0] } } }
    let tuples = rows.map { Value.tuple($0) }
    return isSet ? .set(tuples, of: .tuple(types)) : .list(tuples, of: .tuple(types))
  }
}
