/// Walks a format string of `Sprintf` and prints what each directive asks for.
struct FormatDirective {
  private let format: [UInt8]
  private let arguments: [TemplateValue]
  private var index = 0
  private var argument = 0
  /// An explicit index like `[2]` was used, so left-over arguments are no mistake.
  private var isReordered = false
  private var isIndexGood = true
  private var afterIndex = false

  /// Widths, precisions and indexes beyond this are taken as mistakes.
  private static let largest = 1_000_000

  init(format: [UInt8], arguments: [TemplateValue]) {
    self.format = format
    self.arguments = arguments
  }

  mutating func run(_ printer: inout Formatter) throws {
    while index < format.count {
      isIndexGood = true
      let start = index
      while index < format.count, format[index] != UInt8(ascii: "%") { index += 1 }
      printer.out += format[start..<index]
      try printer.checkSize()
      guard index < format.count else { break }
      index += 1
      guard try directive(&printer) else { break }
    }
    guard !isReordered, argument < arguments.count else { return }
    printer.flags = Formatter.Flags()
    printer.write("%!(EXTRA ")
    for (position, value) in arguments[argument...].enumerated() {
      if position > 0 { printer.write(", ") }
      if value.isNil {
        printer.write("<nil>")
      } else {
        printer.write("\(value.type)=")
        try printer.argument(value, "v")
      }
    }
    printer.write(")")
  }

  /// One directive after its `%`; false when the format ends before a verb.
  private mutating func directive(_ printer: inout Formatter) throws -> Bool {
    var flags = Formatter.Flags()
    scan: while index < format.count {
      switch format[index] {
      case UInt8(ascii: "#"): flags.sharp = true
      case UInt8(ascii: "0"): flags.zero = !flags.minus
      case UInt8(ascii: "+"): flags.plus = true
      case UInt8(ascii: "-"): (flags.minus, flags.zero) = (true, false)
      case UInt8(ascii: " "): flags.space = true
      default: break scan
      }
      index += 1
    }
    // A lower-case verb right after the flags takes its argument at once; that differs from the general path below
    // only for verbs that an index error would spoil.
    argumentNumber()
    width(&flags, &printer)
    precision(&flags, &printer)
    if !afterIndex { argumentNumber() }
    guard index < format.count else {
      printer.write("%!(NOVERB)")
      return false
    }
    let (rune, size) = Runes.decode(format, index)
    index += size
    let verb = Unicode.Scalar(rune) ?? "\u{FFFD}"
    if verb == "%" {
      printer.out.append(UInt8(ascii: "%"))
    } else if !isIndexGood {
      note(&printer, verb, "BADINDEX")
    } else if argument >= arguments.count {
      note(&printer, verb, "MISSING")
    } else {
      if verb == "v" {
        (flags.sharpV, flags.sharp) = (flags.sharp, false)
        (flags.plusV, flags.plus) = (flags.plus, false)
      }
      printer.flags = flags
      try printer.argument(arguments[argument], verb)
      argument += 1
    }
    return true
  }

  private func note(_ printer: inout Formatter, _ verb: Unicode.Scalar, _ text: String) {
    printer.write("%!")
    Runes.append(verb.value, to: &printer.out)
    printer.write("(\(text))")
  }

  private mutating func width(_ flags: inout Formatter.Flags, _ printer: inout Formatter) {
    if index < format.count, format[index] == UInt8(ascii: "*") {
      index += 1
      flags.width = integerArgument()
      if flags.width == nil { printer.write("%!(BADWIDTH)") }
      if let width = flags.width, width < 0 {
        flags.width = -width
        flags.minus = true
        flags.zero = false
      }
      afterIndex = false
    } else {
      flags.width = number()
      if afterIndex, flags.width != nil { isIndexGood = false }
    }
  }

  private mutating func precision(_ flags: inout Formatter.Flags, _ printer: inout Formatter) {
    guard index + 1 < format.count, format[index] == UInt8(ascii: ".") else { return }
    index += 1
    if afterIndex { isIndexGood = false }
    argumentNumber()
    if index < format.count, format[index] == UInt8(ascii: "*") {
      index += 1
      flags.precision = integerArgument()
      if let precision = flags.precision, precision < 0 { flags.precision = nil }
      if flags.precision == nil { printer.write("%!(BADPREC)") }
      afterIndex = false
    } else {
      flags.precision = number() ?? 0
    }
  }

  /// Digits at the current place; a number too large swallows the rest of the format.
  private mutating func number() -> Int? {
    guard let (value, end) = Self.number(format, index, format.count) else {
      if index < format.count, (0x30...0x39).contains(format[index]) { index = format.count }
      return nil
    }
    index = end
    return value
  }

  private static func number(_ text: [UInt8], _ start: Int, _ end: Int) -> (value: Int, end: Int)? {
    var value = 0
    var index = start
    while index < end, (0x30...0x39).contains(text[index]) {
      if value > largest { return nil }
      value = value * 10 + Int(text[index] - 0x30)
      index += 1
    }
    return index > start ? (value, index) : nil
  }

  /// The argument for a `*`, nil when it is missing, no integer or too large.
  private mutating func integerArgument() -> Int? {
    guard argument < arguments.count else { return nil }
    let value = arguments[argument]
    argument += 1
    var found: Int?
    switch value {
    case .int(let int): found = int
    case .sized(let sized): found = sized.kind.isSigned ? Int(sized.signed) : Int(exactly: sized.bits)
    default: break
    }
    guard let found, found.magnitude <= Self.largest else { return nil }
    return found
  }

  /// `[n]`, if it stands here.
  private mutating func argumentNumber() {
    afterIndex = false
    guard index < format.count, format[index] == UInt8(ascii: "[") else { return }
    isReordered = true
    guard format.count - index >= 3, let close = format[index...].firstIndex(of: UInt8(ascii: "]")) else {
      isIndexGood = false
      index += 1
      return
    }
    let number = Self.number(format, index + 1, close)
    index = close + 1
    guard let number, number.end == close else {
      isIndexGood = false
      return
    }
    afterIndex = true
    if number.value >= 1, number.value <= arguments.count {
      argument = number.value - 1
    } else {
      isIndexGood = false
    }
  }
}
