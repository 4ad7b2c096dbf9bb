extension StandardFunctions {
  static func fileSystem(_ host: FunctionHost) -> [String: Function] {
    func function(
      _ parameters: [String], _ result: ValueType,
      _ body: @escaping @Sendable ([Value], any FileAccess, FunctionRoom) throws(FunctionFailure) -> Value
    ) -> Function {
      Function(parameters.map { .init($0, .string) }, result: result) { a, room throws(FunctionFailure) in
        guard let files = host.files else { throw FunctionFailure("filesystem function disabled") }
        return try body(a, files, room)
      }
    }
    return [
      "abspath": function(["path"], .string) { a, files, _ throws(FunctionFailure) in
        .string(Path.clean(Path.absolute(try a.string(0), files)))
      },
      "basename": function(["path"], .string) { a, _, _ throws(FunctionFailure) in .string(Path.base(try a.string(0)))
      },
      "dirname": function(["path"], .string) { a, _, _ throws(FunctionFailure) in
        .string(Path.directory(try a.string(0)))
      },
      "pathexpand": function(["path"], .string) { a, files, _ throws(FunctionFailure) in
        .string(try Path.expanded(try a.string(0), files))
      },
      "file": function(["path"], .string) { a, files, room throws(FunctionFailure) in
        let path = Path.absolute(try Path.expanded(try a.string(0), files), files)
        let bytes = try files.contents(of: path)
        try room.check(bytes: bytes.count)
        guard let text = String(validating: bytes, as: UTF8.self) else {
          throw FunctionFailure("the file \"\(path)\" is no UTF-8 text", argument: 0)
        }
        return .string(text)
      },
      "fileexists": function(["path"], .bool) { a, files, _ throws(FunctionFailure) in
        let path = Path.absolute(try Path.expanded(try a.string(0), files), files)
        switch try files.kind(of: path) {
        case .absent: return .false
        case .file: return .true
        case .directory, .other:
          throw FunctionFailure("\"\(path)\" is no regular file, but a directory or something else", argument: 0)
        }
      },
      "fileset": function(["path", "pattern"], .set(.string)) { a, files, room throws(FunctionFailure) in
        let root = Path.clean(Path.absolute(try Path.expanded(try a.string(0), files), files))
        let glob = try Glob(try a.string(1))
        var found: [Value] = []
        var seen = 0
        var open = [""]
        while let directory = open.popLast() {
          for name in try files.entries(of: directory.isEmpty ? root : root + "/" + directory) {
            seen += 1
            if seen > 100_000 {
              throw FunctionFailure("there are more than 100000 files below \"\(root)\"", argument: 0)
            }
            let path = directory.isEmpty ? name : directory + "/" + name
            switch try files.kind(of: root + "/" + path) {
            case .directory: if glob.mayMatch(below: path) { open.append(path) }
            case .file: if glob.matches(path) { found.append(.string(path)) }
            case .absent, .other: break
            }
          }
        }
        return .set(found, of: .string)
      },
    ]
  }
}

/// Paths as text.
enum Path {
  static func absolute(_ path: String, _ files: any FileAccess) -> String {
    path.hasPrefix("/") ? path : files.workingDirectory + "/" + path
  }

  /// `~` at the start as the user's home directory.
  static func expanded(_ path: String, _ files: any FileAccess) throws(FunctionFailure) -> String {
    guard path.hasPrefix("~") else { return path }
    guard path == "~" || path.hasPrefix("~/") else {
      throw FunctionFailure("the home directory of another user can't be told: \"\(path)\"", argument: 0)
    }
    guard let home = files.homeDirectory else { throw FunctionFailure("there is no home directory", argument: 0) }
    return clean(home + path.dropFirst())
  }

  /// Without empty parts and `.`, and with `..` resolved as text.
  static func clean(_ path: String) -> String {
    let rooted = path.hasPrefix("/")
    var out: [Substring] = []
    for part in path.split(separator: "/") where part != "." {
      if part == "..", let last = out.last, last != ".." {
        out.removeLast()
      } else if part != ".." || !rooted {
        out.append(part)
      }
    }
    let joined = out.joined(separator: "/")
    return rooted ? "/" + joined : joined.isEmpty ? "." : joined
  }

  static func base(_ path: String) -> String {
    if path.isEmpty { return "." }
    guard let last = path.split(separator: "/").last else { return "/" }
    return String(last)
  }

  static func directory(_ path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return clean(String(path[...slash]))
  }
}

/// A pattern of paths: `*` and `?` inside of a name, `**` over directories, `[a-z]`, `{a,b}`.
struct Glob {
  /// Alternatives that braces stand for, each cut at slashes.
  private var alternatives: [[[Character]]]

  init(_ pattern: String) throws(FunctionFailure) {
    alternatives = try Glob.expanded(Array(pattern)).map { $0.split(separator: "/").map(Array.init) }
  }

  private static func expanded(_ pattern: [Character]) throws(FunctionFailure) -> [[Character]] {
    var done: [[Character]] = []
    var open = [pattern]
    while let next = open.popLast() {
      guard done.count + open.count < 1_000 else {
        throw FunctionFailure("the pattern's braces stand for too many patterns", argument: 1)
      }
      guard let start = next.firstIndex(of: "{") else {
        done.append(next)
        continue
      }
      var depth = 0
      var parts: [[Character]] = [[]]
      var end: Int?
      for i in start..<next.count {
        let c = next[i]
        if c == "{" { depth += 1 }
        if c == "}" { depth -= 1 }
        if depth == 0 {
          end = i
          break
        }
        if c == ",", depth == 1 { parts.append([]) } else if i > start { parts[parts.count - 1].append(c) }
      }
      guard let end else { throw FunctionFailure("a brace in the pattern is not closed", argument: 1) }
      for part in parts { open.append(Array(next[..<start]) + part + Array(next[(end + 1)...])) }
    }
    return done
  }

  func matches(_ path: String) -> Bool {
    let names = path.split(separator: "/").map(Array.init)
    return alternatives.contains { Glob.match($0, names, prefix: false) }
  }

  /// Whether something below the directory could match.
  func mayMatch(below directory: String) -> Bool {
    let names = directory.split(separator: "/").map(Array.init)
    return alternatives.contains { Glob.match($0, names, prefix: true) }
  }

  /// Which parts of the pattern can come next, after each name: linear in the product of both.
  private static func match(_ parts: [[Character]], _ names: [[Character]], prefix: Bool) -> Bool {
    var reach = Set([0])
    func closed(_ set: Set<Int>) -> Set<Int> {
      var out = set
      var open = Array(set)
      while let i = open.popLast() {
        if i < parts.count, parts[i] == ["*", "*"], out.insert(i + 1).inserted { open.append(i + 1) }
      }
      return out
    }
    reach = closed(reach)
    for name in names {
      var next = Set<Int>()
      for i in reach where i < parts.count {
        if parts[i] == ["*", "*"] { next.insert(i) } else if match(parts[i], name) { next.insert(i + 1) }
      }
      reach = closed(next)
    }
    return prefix ? reach.contains { $0 < parts.count } : reach.contains(parts.count)
  }

  private static func match(_ pattern: [Character], _ name: [Character]) -> Bool {
    var (p, n) = (0, 0)
    var star: (p: Int, n: Int)?
    while n < name.count {
      if p < pattern.count, pattern[p] == "*" {
        star = (p, n)
        p += 1
        continue
      }
      if p < pattern.count, let length = one(pattern, p, name[n]) {
        p += length
        n += 1
      } else if let last = star {
        star = (last.p, last.n + 1)
        (p, n) = (last.p + 1, last.n + 1)
      } else {
        return false
      }
    }
    return pattern[p...].allSatisfy { $0 == "*" }
  }

  /// How much of the pattern at `p` the character uses up; nil when it does not match.
  private static func one(_ pattern: [Character], _ p: Int, _ c: Character) -> Int? {
    switch pattern[p] {
    case "?": return 1
    case "\\" where p + 1 < pattern.count: return pattern[p + 1] == c ? 2 : nil
    case "[":
      guard let end = pattern[(p + 1)...].dropFirst().firstIndex(of: "]") else { return c == "[" ? 1 : nil }
      var inside = Array(pattern[(p + 1)..<end])
      let negated = inside.first == "^" || inside.first == "!"
      if negated { inside.removeFirst() }
      var found = false
      var i = 0
      while i < inside.count {
        if i + 2 < inside.count, inside[i + 1] == "-" {
          if inside[i] <= c, c <= inside[i + 2] { found = true }
          i += 3
        } else {
          if inside[i] == c { found = true }
          i += 1
        }
      }
      return found != negated ? end - p + 1 : nil
    case c: return 1
    default: return nil
    }
  }
}
