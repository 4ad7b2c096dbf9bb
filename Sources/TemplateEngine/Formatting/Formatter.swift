/// Prints values as Go's `fmt` does: `Sprint`, `Sprintln` and `Sprintf` with its flags and its `%!` error notes.
struct Formatter {
  /// The settings of one directive.
  struct Flags {
    var width: Int?
    var precision: Int?
    var minus = false
    var plus = false
    var sharp = false
    var space = false
    var zero = false
    /// `%+v`: names of fields.
    var plusV = false
    /// `%#v`: Go syntax.
    var sharpV = false
  }

  var out: [UInt8] = []
  var flags = Flags()
  private let limits: TemplateLimits
  private var depth = 0
  /// Inside a `%!` note, where objects do not print themselves.
  private var isNoting = false

  init(_ limits: TemplateLimits = TemplateLimits()) {
    self.limits = limits
  }

  // MARK: Entry points

  /// `fmt.Sprint`: spaces only between operands of which neither is a string.
  static func print(_ arguments: [TemplateValue], _ limits: TemplateLimits) throws -> [UInt8] {
    var formatter = Formatter(limits)
    var previousIsString = false
    for (index, argument) in arguments.enumerated() {
      let value = try argument.resolved()
      var isString = false
      if case .string = value { isString = true }
      if index > 0, !isString, !previousIsString { formatter.out.append(0x20) }
      try formatter.argument(value, "v")
      previousIsString = isString
    }
    return formatter.out
  }

  /// `fmt.Sprintln`: spaces between all operands and a line's end.
  static func printLine(_ arguments: [TemplateValue], _ limits: TemplateLimits) throws -> [UInt8] {
    var formatter = Formatter(limits)
    for (index, argument) in arguments.enumerated() {
      if index > 0 { formatter.out.append(0x20) }
      try formatter.argument(argument.resolved(), "v")
    }
    return formatter.out + [0x0A]
  }

  /// `fmt.Sprintf`.
  static func format(
    _ format: [UInt8], _ arguments: [TemplateValue], _ limits: TemplateLimits
  ) throws -> [UInt8] {
    var formatter = Formatter(limits)
    var directive = FormatDirective(format: format, arguments: try arguments.map { try $0.resolved() })
    try directive.run(&formatter)
    return formatter.out
  }

  /// Throws when the output is larger than it may be.
  func checkSize(adding more: Int = 0) throws {
    if out.count + more > limits.outputBytes { throw LimitExceeded.output(limits.outputBytes) }
  }

  // MARK: Padding

  private mutating func writePadding(_ count: Int) throws {
    guard count > 0 else { return }
    try checkSize(adding: count)
    out += repeatElement(flags.zero ? 0x30 : 0x20, count: count)
  }

  mutating func pad(_ bytes: [UInt8]) throws {
    guard let width = flags.width, width > 0 else {
      try checkSize(adding: bytes.count)
      out += bytes
      return
    }
    let padding = width - Runes.count(bytes)
    if flags.minus {
      out += bytes
      try writePadding(padding)
    } else {
      try writePadding(padding)
      out += bytes
    }
    try checkSize()
  }

  private mutating func padWithSpaces(_ bytes: [UInt8]) throws {
    let zero = flags.zero
    flags.zero = false
    try pad(bytes)
    flags.zero = zero
  }

  mutating func write(_ text: String) { out += text.utf8 }

  // MARK: Values

  /// Prints one operand under a verb.
  mutating func argument(_ value: TemplateValue, _ verb: Unicode.Scalar) throws {
    if value.isNil {
      if verb == "T" || verb == "v" { try pad(Array("<nil>".utf8)) } else { try badVerb(verb, nil) }
      return
    }
    switch verb {
    case "T": try text(Array(value.type.description.utf8))
    case "p":
      switch value {
      case .list, .map, .bytes, .function:
        try integer(0, base: 16, isSigned: false, verb: "v", forcePrefix: !flags.sharp)
      default: try badVerb(verb, value)
      }
    default: try self.value(value, verb, isTop: true)
    }
  }

  /// Prints a value, or an element of one.
  private mutating func value(_ given: TemplateValue, _ verb: Unicode.Scalar, isTop: Bool = false) throws {
    depth += 1
    defer { depth -= 1 }
    guard depth <= limits.depth else { throw LimitExceeded.depth(limits.depth) }
    let value = try given.resolved()
    switch value {
    case .nil: write(flags.sharpV ? "interface {}(nil)" : "<nil>")
    case .bool(let bool):
      if verb == "t" || verb == "v" { try pad(Array((bool ? "true" : "false").utf8)) } else { try badVerb(verb, value) }
    case .int(let int): try integer(UInt64(bitPattern: Int64(int)), true, verb, value)
    case .sized(let sized): try integer(sized.bits, sized.kind.isSigned, verb, value)
    case .float(let float): try self.float(float, verb, value)
    case .complex(let real, let imaginary): try complex(real, imaginary, verb, value)
    case .string(let string): try self.string(string.bytes, verb, value)
    case .bytes(let bytes): try self.bytes(bytes, verb, isTop: isTop)
    case .list(let list): try self.list(list, verb)
    case .map(let map): try self.map(map, verb)
    case .function: try badOrPointer(value, verb)
    case .object(let object): try self.object(object, verb, value)
    case .lazy: break
    }
    try checkSize()
  }

  private mutating func string(_ bytes: [UInt8], _ verb: Unicode.Scalar, _ value: TemplateValue) throws {
    switch verb {
    case "v": if flags.sharpV { try quoted(bytes) } else { try text(bytes) }
    case "s": try text(bytes)
    case "x": try hex(bytes, upper: false)
    case "X": try hex(bytes, upper: true)
    case "q": try quoted(bytes)
    default: try badVerb(verb, value)
    }
  }

  private mutating func bytes(_ bytes: [UInt8], _ verb: Unicode.Scalar, isTop: Bool) throws {
    switch verb {
    case "s": try text(bytes)
    case "x": try hex(bytes, upper: false)
    case "X": try hex(bytes, upper: true)
    case "q": try quoted(bytes)
    case "v" where flags.sharpV:
      write(isTop ? "[]byte{" : "[]uint8{")
      for (index, byte) in bytes.enumerated() {
        if index > 0 { write(", ") }
        try integer(UInt64(byte), base: 16, isSigned: false, verb: "v", forcePrefix: true)
      }
      write("}")
    default:
      write("[")
      for (index, byte) in bytes.enumerated() {
        if index > 0 { write(" ") }
        try value(.sized(SizedInteger(.uint8, bits: UInt64(byte))), verb)
      }
      write("]")
    }
  }

  private mutating func list(_ list: TemplateList, _ verb: Unicode.Scalar) throws {
    if verb == "w" { return try badVerb(verb, .list(list)) }
    if flags.sharpV { write("[]\(list.elementType){") } else { write("[") }
    for (index, element) in list.elements.enumerated() {
      if index > 0 { write(flags.sharpV ? ", " : " ") }
      try value(element, verb)
    }
    write(flags.sharpV ? "}" : "]")
  }

  private mutating func map(_ map: TemplateMap, _ verb: Unicode.Scalar) throws {
    if verb == "w" { return try badVerb(verb, .map(map)) }
    write(flags.sharpV ? "map[string]\(map.elementType){" : "map[")
    for (index, entry) in map.sorted.enumerated() {
      if index > 0 { write(flags.sharpV ? ", " : " ") }
      try value(.string(entry.key), verb)
      write(":")
      try value(entry.value, verb)
    }
    write(flags.sharpV ? "}" : "]")
  }

  private mutating func object(_ object: any TemplateObject, _ verb: Unicode.Scalar, _ given: TemplateValue) throws {
    if !isNoting, !flags.sharpV, "vsxXq".unicodeScalars.contains(verb), let printed = object.printed {
      return try string(printed.bytes, verb, given)
    }
    let isPointer = object.typeName.hasPrefix("*")
    if isPointer { write("&") }
    if flags.sharpV { write(isPointer ? String(object.typeName.dropFirst()) : object.typeName) }
    write("{")
    for (index, field) in object.fields.enumerated() {
      if index > 0 { write(flags.sharpV ? ", " : " ") }
      if flags.plusV || flags.sharpV {
        out += field.name.bytes
        write(":")
      }
      try value(field.value, verb)
    }
    write("}")
  }

  /// A function has no text; its address is not shown since it would differ between runs.
  private mutating func badOrPointer(_ value: TemplateValue, _ verb: Unicode.Scalar) throws {
    if verb == "v" || verb == "x" || verb == "d" { write("(\(value.type))") } else { try badVerb(verb, value) }
  }

  /// `%!verb(type=value)`.
  mutating func badVerb(_ verb: Unicode.Scalar, _ value: TemplateValue?) throws {
    let outer = isNoting
    isNoting = true
    write("%!")
    Runes.append(verb.value, to: &out)
    write("(")
    if let value, !value.isNil {
      write("\(value.type)=")
      try self.value(value, "v", isTop: true)
    } else {
      write("<nil>")
    }
    write(")")
    isNoting = outer
  }
}
