/// Work on texts as bytes, with the meaning of Go's `strings` package.
enum ByteText {
  static func find(_ needle: [UInt8], in text: [UInt8], from start: Int = 0) -> Int? {
    guard let first = needle.first else { return start <= text.count ? start : nil }
    var index = start
    while index + needle.count <= text.count {
      if text[index] == first, text[index..<(index + needle.count)].elementsEqual(needle) { return index }
      index += 1
    }
    return nil
  }

  static func contains(_ text: [UInt8], _ needle: [UInt8]) -> Bool { find(needle, in: text) != nil }

  /// Pieces between separators, at most `limit` where that is positive; an empty separator splits into characters.
  static func split(_ text: [UInt8], by separator: [UInt8], limit: Int = -1) -> [[UInt8]] {
    if limit == 0 { return [] }
    var pieces: [[UInt8]] = []
    if separator.isEmpty {
      var index = 0
      while index < text.count {
        if limit > 0, pieces.count == limit - 1 {
          pieces.append(Array(text[index...]))
          return pieces
        }
        let width = Runes.decode(text, index).width
        pieces.append(Array(text[index..<(index + width)]))
        index += width
      }
      return pieces
    }
    var start = 0
    while limit < 0 || pieces.count < limit - 1, let found = find(separator, in: text, from: start) {
      pieces.append(Array(text[start..<found]))
      start = found + separator.count
    }
    pieces.append(Array(text[start...]))
    return pieces
  }

  static func join(_ pieces: [[UInt8]], _ separator: [UInt8]) -> [UInt8] {
    Array(pieces.joined(separator: separator))
  }

  /// Every occurrence replaced; an empty `old` matches before every character and at the end.
  static func replace(_ text: [UInt8], _ old: [UInt8], _ new: [UInt8]) -> [UInt8] {
    if old.isEmpty {
      var out = new
      var index = 0
      while index < text.count {
        let width = Runes.decode(text, index).width
        out += text[index..<(index + width)]
        out += new
        index += width
      }
      return out
    }
    return join(split(text, by: old), new)
  }

  static func trim(_ text: [UInt8], where isCut: (UInt32) -> Bool) -> [UInt8] {
    var start = 0
    while start < text.count {
      let (rune, width) = Runes.decode(text, start)
      guard isCut(rune) else { break }
      start += width
    }
    var end = text.count
    while end > start {
      let width = Runes.widthOfLast(text, before: end)
      guard isCut(Runes.decode(text, end - width).rune) else { break }
      end -= width
    }
    return Array(text[start..<end])
  }

  static func trimSpace(_ text: [UInt8]) -> [UInt8] { trim(text, where: Runes.isSpace) }

  /// Cuts characters of `set` off both ends.
  static func trim(_ text: [UInt8], set: [UInt8]) -> [UInt8] {
    let runes = Set(Runes.all(set))
    return trim(text) { runes.contains($0) }
  }

  static func trimPrefix(_ text: [UInt8], _ prefix: [UInt8]) -> [UInt8] {
    text.starts(with: prefix) ? Array(text.dropFirst(prefix.count)) : text
  }

  static func trimSuffix(_ text: [UInt8], _ suffix: [UInt8]) -> [UInt8] {
    text.suffix(suffix.count).elementsEqual(suffix) ? Array(text.dropLast(suffix.count)) : text
  }

  static func mapRunes(_ text: [UInt8], _ mapping: (UInt32) -> UInt32) -> [UInt8] {
    Runes.encode(Runes.all(text).lazy.map(mapping))
  }

  static func upper(_ text: [UInt8]) -> [UInt8] { mapRunes(text, Runes.upper) }
  static func lower(_ text: [UInt8]) -> [UInt8] { mapRunes(text, Runes.lower) }

  /// Capitalises what follows a separator: white space, or ASCII that is neither letter, digit nor underscore.
  static func title(_ text: [UInt8]) -> [UInt8] {
    var previous: UInt32 = 0x20
    return mapRunes(text) { rune in
      defer { previous = rune }
      let isSeparator: Bool
      if previous < 0x80 {
        isSeparator = !(Runes.isLetter(previous) || Runes.isDigit(previous) || previous == 0x5F)
      } else if Runes.isLetter(previous) || Runes.isDigit(previous) {
        isSeparator = false
      } else {
        isSeparator = Runes.isSpace(previous)
      }
      return isSeparator ? Runes.title(rune) : rune
    }
  }

  /// Capitalises words as Unicode's word boundaries see them.
  static func titleWords(_ text: [UInt8]) -> [UInt8] {
    var isInside = false
    return mapRunes(text) { rune in
      let isWord = Runes.isLetter(rune) || Runes.isNumber(rune) || rune == 0x5F
      // An apostrophe between letters belongs to the word.
      if !isWord { isInside = isInside && (rune == 0x27 || rune == 0x2019) }
      defer { if isWord { isInside = true } }
      return isWord && !isInside ? Runes.title(rune) : rune
    }
  }

  /// Parts between runs of white space.
  static func fields(_ text: [UInt8]) -> [[UInt8]] {
    var fields: [[UInt8]] = []
    var current: [UInt8] = []
    var index = 0
    while index < text.count {
      let (rune, width) = Runes.decode(text, index)
      if Runes.isSpace(rune) {
        if !current.isEmpty { fields.append(current) }
        current = []
      } else {
        current += text[index..<(index + width)]
      }
      index += width
    }
    if !current.isEmpty { fields.append(current) }
    return fields
  }
}
