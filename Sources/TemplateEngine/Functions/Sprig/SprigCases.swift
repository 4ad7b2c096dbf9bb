// Letter case and word joining.
extension FunctionSets {
  static func addSprigCases(_ table: inout FunctionTable) {
    table.text("untitle") { text in
      var isStart = true
      return ByteText.mapRunes(text[0]) { rune in
        if Runes.isSpace(rune) {
          isStart = true
          return rune
        }
        defer { isStart = false }
        return isStart ? Runes.lower(rune) : rune
      }
    }
    table.text("swapcase") { text in
      var isStart = true
      return ByteText.mapRunes(text[0]) { rune in
        if Runes.isUpper(rune) {
          isStart = false
          return Runes.lower(rune)
        }
        if Runes.isLower(rune) {
          defer { isStart = false }
          return isStart ? Runes.title(rune) : Runes.upper(rune)
        }
        isStart = Runes.isSpace(rune)
        return rune
      }
    }
    table.text("camelcase") { Runes.encode(camel(Runes.all($0[0]))) }
    table.text("snakecase") { Runes.encode(Words.joined(Runes.all($0[0]), by: 0x5F)) }
    table.text("kebabcase") { Runes.encode(Words.joined(Runes.all($0[0]), by: 0x2D)) }
  }

  static func isConnector(_ rune: UInt32) -> Bool { rune == 0x2D || rune == 0x5F || Runes.isSpace(rune) }

  /// Words without their connectors, each capitalised. Connectors at the start and repeated ones stay.
  private static func camel(_ runes: [UInt32]) -> [UInt32] {
    // Of connectors alone the last comes out twice; that is how it has always been.
    guard let start = runes.firstIndex(where: { !isConnector($0) }) else { return runes + runes.suffix(1) }
    var out = Array(runes[..<start])
    var pending = Runes.upper(runes[start])
    for rune in runes[(start + 1)...] {
      let isJoint = isConnector(rune)
      if isConnector(pending) {
        if isJoint {
          out.append(pending)
          pending = rune
        } else {
          pending = Runes.upper(rune)
        }
      } else {
        out.append(pending)
        pending = Runes.lower(rune)
      }
    }
    return out + [pending]
  }
}

/// Splits an identifier into words as xstrings does: at connectors, changes of case, numbers and punctuation.
private enum Words {
  enum Kind { case none, number, upper, letters, connector, punctuation, other }

  private static func isPunctuation(_ rune: UInt32) -> Bool {
    switch Unicode.Scalar(rune)?.properties.generalCategory {
    case .connectorPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation, .initialPunctuation,
      .finalPunctuation, .otherPunctuation:
      true
    default: false
    }
  }

  private static func isLetter(_ rune: UInt32) -> Bool { Runes.isLetter(rune) }

  /// The first word and where it ends.
  private static func next(_ runes: ArraySlice<UInt32>) -> (kind: Kind, word: ArraySlice<UInt32>) {
    guard let first = runes.first else { return (.none, runes) }
    func run(_ test: (UInt32) -> Bool) -> ArraySlice<UInt32> {
      runes[runes.startIndex..<(runes.dropFirst().firstIndex { !test($0) } ?? runes.endIndex)]
    }
    if FunctionSets.isConnector(first) { return (.connector, run(FunctionSets.isConnector)) }
    if isPunctuation(first) { return (.punctuation, run(isPunctuation)) }
    if Runes.isUpper(first) {
      let second = runes.dropFirst().first
      guard let second else { return (.upper, runes) }
      if Runes.isUpper(second) {
        let capitals = run(Runes.isUpper)
        // The last capital begins the next word if small letters follow it.
        if capitals.endIndex < runes.endIndex, isLetter(runes[capitals.endIndex]) {
          return (.upper, capitals.dropLast())
        }
        return (.upper, capitals)
      }
      if isLetter(second) { return (.upper, run { isLetter($0) && !Runes.isUpper($0) }) }
      return (.upper, runes.prefix(1))
    }
    if isLetter(first) { return (.letters, run { isLetter($0) && !Runes.isUpper($0) }) }
    if Runes.isNumber(first) { return (.number, run(Runes.isNumber)) }
    return (
      .other,
      run {
        !(FunctionSets.isConnector($0) || isLetter($0) || Runes.isNumber($0) || Runes.isUpper($0) || isPunctuation($0))
      }
    )
  }

  static func joined(_ runes: [UInt32], by connector: UInt32) -> [UInt32] {
    var out: [UInt32] = []
    var rest = runes[...]
    func take() -> (kind: Kind, word: ArraySlice<UInt32>) {
      let found = next(rest)
      rest = rest.dropFirst(found.word.count)
      return found
    }
    func write(_ kind: Kind, _ word: ArraySlice<UInt32>) {
      if kind == .connector {
        // As many connectors as there were, of the wanted kind.
        out += word.map { _ in connector }
      } else {
        out += word.map { kind == .upper || kind == .letters ? Runes.lower($0) : $0 }
      }
    }
    guard !rest.isEmpty else { return [] }
    var (kind, word) = take()
    while !rest.isEmpty {
      if kind != .connector { write(kind, word) }
      let (previous, last) = (kind, word)
      (kind, word) = take()
      switch previous {
      case .number:
        while kind == .letters || kind == .number {
          write(kind, word)
          (kind, word) = take()
        }
        if kind != .none, kind != .punctuation, kind != .connector { out.append(connector) }
      case .connector: write(previous, last)
      case .punctuation: break
      default:
        guard kind == .number else {
          if kind != .connector, kind != .punctuation { out.append(connector) }
          break
        }
        if rest.isEmpty { break }
        let number = word
        (kind, word) = take()
        guard kind == .letters else {
          write(.number, number)
          if kind != .connector, kind != .punctuation { out.append(connector) }
          break
        }
        out.append(connector)
        write(.number, number)
        while kind == .letters || kind == .number {
          write(kind, word)
          (kind, word) = take()
        }
        if kind != .none, kind != .connector, kind != .punctuation { out.append(connector) }
      }
    }
    write(kind, word)
    return out
  }
}
