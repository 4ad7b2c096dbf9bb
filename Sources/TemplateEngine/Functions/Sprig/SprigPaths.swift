// Paths with slashes.
extension FunctionSets {
  static func addSprigPaths(_ table: inout FunctionTable) {
    for prefix in ["", "os"] {
      func name(_ plain: String) -> ByteString {
        prefix.isEmpty ? ByteString(plain) : ByteString(prefix + plain.prefix(1).uppercased() + plain.dropFirst())
      }
      table.text(name("base")) { base($0[0]) }
      table.text(name("dir")) { text in
        let end = text[0].lastIndex(of: 0x2F).map { $0 + 1 } ?? 0
        return cleaned(Array(text[0][..<end]))
      }
      table.text(name("clean")) { cleaned($0[0]) }
      table.text(name("ext")) { text in
        let tail = text[0][(text[0].lastIndex(of: 0x2F).map { $0 + 1 } ?? 0)...]
        return tail.lastIndex(of: 0x2E).map { Array(tail[$0...]) } ?? []
      }
      table.add(name("isAbs"), [.string], result: .bool) { .bool($0.text(0).first == 0x2F) }
    }
  }

  private static func base(_ path: [UInt8]) -> [UInt8] {
    if path.isEmpty { return [0x2E] }
    var end = path.count
    while end > 0, path[end - 1] == 0x2F { end -= 1 }
    if end == 0 { return [0x2F] }
    let tail = path[..<end]
    return Array(tail[(tail.lastIndex(of: 0x2F).map { $0 + 1 } ?? 0)...])
  }

  /// The shortest path that means the same without looking at a file system.
  private static func cleaned(_ path: [UInt8]) -> [UInt8] {
    let isAbsolute = path.first == 0x2F
    var parts: [ArraySlice<UInt8>] = []
    let parent = Array("..".utf8)
    for part in path.split(separator: 0x2F) {
      if part.elementsEqual([0x2E]) { continue }
      if part.elementsEqual(parent) {
        if let last = parts.last, !last.elementsEqual(parent) {
          parts.removeLast()
        } else if !isAbsolute {
          parts.append(part)
        }
      } else {
        parts.append(part)
      }
    }
    let joined = Array(parts.joined(separator: [0x2F]))
    return isAbsolute ? [0x2F] + joined : joined.isEmpty ? [0x2E] : joined
  }
}
