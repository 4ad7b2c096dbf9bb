/// Brings source text into the canonical layout: two spaces of indentation a level, one space between most tokens, equals signs of
/// neighbouring arguments and comments of neighbouring lines aligned. Line ends stay where they are, and so does all text inside
/// of strings and heredocs. Works on tokens, so text with mistakes in it is laid out too.
public enum Formatter {
  /// The text in canonical style; comments and line breaks stay where they are.
  public static func format(_ source: SourceFile) -> String {
    var lines = Formatter.lines(Lexer.tokens(of: source.bytes, start: .configuration, closesQuotes: false), source)
    indent(&lines)
    for i in lines.indices {
      space(&lines[i].lead)
      space(&lines[i].assignment, before: lines[i].lead.last)
      if !lines[i].assignment.isEmpty { lines[i].assignment[0].spaces = 1 }
      if !lines[i].comment.isEmpty { lines[i].comment[0].spaces = 1 }
    }
    align(&lines)
    var out: [UInt8] = []
    out.reserveCapacity(source.bytes.count)
    for line in lines {
      for token in line.lead + line.assignment + line.comment {
        out += [UInt8](repeating: 0x20, count: token.spaces)
        out += source.bytes[token.start..<token.end]
      }
    }
    return String(decoding: out, as: UTF8.self)
  }

  private struct Piece {
    var kind: Token.Kind
    var start: Int
    var end: Int
    /// Characters wide.
    var width: Int
    var isIn = false
    var spaces = 0

    /// +1 opens a level, -1 closes one.
    var bracket: Int {
      switch kind {
      case .openBrace, .openBracket, .openParenthesis, .templateControl, .templateInterpolation: 1
      case .closeBrace, .closeBracket, .closeParenthesis, .templateEnd: -1
      default: 0
      }
    }
  }

  /// The tokens of one line, its end included. A heredoc belongs to the line that it begins on.
  private struct Line {
    var lead: [Piece] = []
    /// From the equals sign of an argument whose value ends on the line.
    var assignment: [Piece] = []
    var comment: [Piece] = []

    static func width(_ pieces: [Piece]) -> Int { pieces.reduce(0) { $0 + $1.spaces + $1.width } }
  }

  private static func lines(_ tokens: [Token], _ source: SourceFile) -> [Line] {
    var lines = [Line()]
    for token in tokens where token.kind != .endOfFile {
      var piece = Piece(kind: token.kind, start: token.start.byte, end: token.end.byte, width: 0)
      let text = source.text(piece.start, piece.end)
      piece.width = token.kind == .newline ? 0 : text.count
      piece.isIn = token.kind == .identifier && text == "in"
      lines[lines.count - 1].lead.append(piece)
      let endsLine = token.kind == .newline || (token.kind == .comment && text.utf8.last == 0x0A)
      if endsLine { lines.append(Line()) }
    }
    for i in lines.indices {
      if lines[i].lead.count > 1, let last = lines[i].lead.last, last.kind == .comment {
        lines[i].comment = [last]
        lines[i].lead.removeLast()
      }
      guard let equal = lines[i].lead.indices.dropFirst().first(where: { lines[i].lead[$0].kind == .equal }) else {
        continue
      }
      let value = lines[i].lead[equal...]
      if value.reduce(0, { $0 + $1.bracket }) == 0 {
        lines[i].assignment = Array(value)
        lines[i].lead.removeSubrange(equal...)
      }
    }
    return lines
  }

  private static func indent(_ lines: inout [Line]) {
    // How many brackets each level stands for: several that open on one line indent once.
    var levels: [Int] = []
    // Inside of a heredoc every space counts.
    var heredocs = 0
    for i in lines.indices {
      guard let first = lines[i].lead.first else { continue }
      let inHeredoc = heredocs > 0
      var net = 0
      for piece in lines[i].lead + lines[i].assignment {
        net += piece.bracket
        if piece.kind == .openHeredoc { heredocs += 1 }
        if piece.kind == .closeHeredoc { heredocs -= 1 }
      }
      if first.kind == .newline {
        lines[i].lead[0].spaces = 0
        continue
      }
      var depth = levels.count
      if net > 0 {
        levels.append(net)
      } else if net < 0 {
        var closed = -net
        while closed > 0, let last = levels.popLast() {
          if closed < last { levels.append(last - closed) }
          closed -= last
        }
        depth = levels.count
      }
      lines[i].lead[0].spaces = inHeredoc ? 0 : depth * 2
    }
  }

  private static func space(_ pieces: inout [Piece], before: Piece? = nil) {
    for i in pieces.indices.dropFirst() {
      let previous = i >= 2 ? pieces[i - 2] : before
      pieces[i].spaces = isSpaced(previous, pieces[i - 1], pieces[i]) ? 1 : 0
    }
  }

  private static let text: Set<Token.Kind> = [.quotedLiteral, .stringLiteral]
  /// After these a minus sign belongs to the number that follows.
  private static let beforeOperand: Set<Token.Kind> = [
    .openParenthesis, .openBrace, .openBracket, .equal, .colon, .comma, .question, .plus, .star, .slash, .percent,
    .minus, .equalTo,
    .notEqual, .greaterThan, .greaterThanOrEqual, .lessThan, .lessThanOrEqual, .and, .or, .bang,
  ]

  /// Whether there is a space between `left` and `right`.
  private static func isSpaced(_ previous: Piece?, _ left: Piece, _ right: Piece) -> Bool {
    if right.kind == .newline { return false }
    // Calls and references are written together.
    if left.kind == .identifier, right.kind == .openParenthesis { return false }
    if left.kind == .dot || right.kind == .dot || right.kind == .comma || right.kind == .ellipsis { return false }
    if left.kind == .comma { return true }
    // So is everything in strings.
    if text.contains(left.kind) || text.contains(right.kind) { return false }
    if left.kind == .openQuote || left.kind == .openHeredoc || right.kind == .closeQuote || right.kind == .closeHeredoc
    {
      return false
    }
    if left.isIn, previous?.kind == .identifier { return true }
    if right.kind == .openBracket, left.kind == .identifier || left.kind == .number || left.bracket < 0 { return false }
    if left.kind == .minus { return previous.map { !beforeOperand.contains($0.kind) } ?? false }
    if left.kind == .bang { return false }
    // Braces have space inside, other brackets none.
    if left.kind == .openBrace || right.kind == .closeBrace {
      return !(left.kind == .openBrace && right.kind == .closeBrace)
    }
    let opensTemplate = left.kind == .templateInterpolation || left.kind == .templateControl
    if opensTemplate, right.kind == .openBrace { return true }
    if left.kind == .closeBrace, right.kind == .templateEnd { return true }
    if left.kind == .templateEnd, right.kind == .templateInterpolation || right.kind == .templateControl {
      return false
    }
    return left.bracket <= 0 && right.bracket >= 0
  }

  private static func align(_ lines: inout [Line]) {
    func chains(_ isMember: (Line) -> Bool, _ body: (Range<Int>) -> Void) {
      var start: Int?
      for i in 0...lines.count {
        if i < lines.count, isMember(lines[i]) {
          start = start ?? i
        } else if let first = start {
          body(first..<i)
          start = nil
        }
      }
    }
    var assignments: [(Int, Int)] = []
    chains({ !$0.assignment.isEmpty }) { range in
      let widest = range.map { Line.width(lines[$0].lead) }.max() ?? 0
      for i in range { assignments.append((i, widest - Line.width(lines[i].lead) + 1)) }
    }
    for (i, spaces) in assignments { lines[i].assignment[0].spaces = spaces }
    var comments: [(Int, Int)] = []
    chains({ !$0.comment.isEmpty }) { range in
      let widths = range.map { Line.width(lines[$0].lead) + Line.width(lines[$0].assignment) }
      let widest = widths.max() ?? 0
      for (i, width) in zip(range, widths) { comments.append((i, widest - width + 1)) }
    }
    for (i, spaces) in comments { lines[i].comment[0].spaces = spaces }
  }
}
