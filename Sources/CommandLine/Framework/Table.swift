/// Columns and key-value lists as the command line prints them.
enum Table {
  /// Rows under a header, columns two spaces apart, empty cells shown as `<none>`, no space at line ends.
  static func columns(_ header: [String], _ rows: [[String]]) -> String {
    let table = [header] + rows.map { row in row.map { $0.isEmpty ? "<none>" : $0 } }
    var widths = [Int](repeating: 0, count: table.map(\.count).max() ?? 0)
    for row in table {
      for (column, cell) in row.enumerated() { widths[column] = max(widths[column], displayWidth(cell)) }
    }
    return table.map { row in
      var line = ""
      for (column, cell) in row.enumerated() {
        line += cell
        if column < row.count - 1 { line += String(repeating: " ", count: widths[column] - displayWidth(cell) + 2) }
      }
      while line.hasSuffix(" ") { line.removeLast() }
      return line
    }.joined(separator: "\n")
  }

  /// `Key   = value` lines with the equals signs beneath one another; empty values shown as `<none>`.
  static func keyValues(_ pairs: [(key: String, value: String)]) -> String {
    let width = pairs.map { displayWidth($0.key) }.max() ?? 0
    return pairs.map { pair in
      let padding = String(repeating: " ", count: width - displayWidth(pair.key))
      return "\(pair.key)\(padding) = \(pair.value.isEmpty ? "<none>" : pair.value)"
    }.joined(separator: "\n")
  }

  /// Cells that `text` takes on a terminal, colour sequences not counted.
  static func displayWidth(_ text: String) -> Int {
    var width = 0
    var inEscape = false
    for scalar in text.unicodeScalars {
      if inEscape {
        if scalar == "m" { inEscape = false }
      } else if scalar == "\u{1b}" {
        inEscape = true
      } else if scalar.properties.generalCategory != .nonspacingMark {
        width += 1
      }
    }
    return width
  }
}
