internal import HCL

/// One option of a command, named as in Nomad: long names, one dash or two.
struct Flag: Sendable {
  enum Kind: Sendable, Equatable {
    /// Present or absent; `-name=false` is understood.
    case bool
    /// Takes one value, shown as `placeholder` in the help; the last one given wins.
    case value(placeholder: String)
    /// Takes a value each time it is given; all are kept in order.
    case repeated(placeholder: String)
  }

  /// What a shell may offer after the flag.
  enum Completion: Sendable, Equatable {
    case nothing, files, oneOf([String])
  }

  let name: String
  let kind: Kind
  let help: String
  let completion: Completion

  static func bool(_ name: String, _ help: String) -> Flag {
    Flag(name: name, kind: .bool, help: help, completion: .nothing)
  }

  static func value(
    _ name: String, _ placeholder: String, _ help: String, completion: Completion = .nothing
  ) -> Flag {
    Flag(name: name, kind: .value(placeholder: placeholder), help: help, completion: completion)
  }

  static func repeated(
    _ name: String, _ placeholder: String, _ help: String, completion: Completion = .nothing
  ) -> Flag {
    Flag(name: name, kind: .repeated(placeholder: placeholder), help: help, completion: completion)
  }
}

/// What was typed after the command's name, split into flags and arguments.
struct ParsedArguments: Sendable {
  private(set) var values: [String: [String]] = [:]
  /// What is left when the flags are taken out, in order.
  private(set) var arguments: [String] = []

  /// Nothing given.
  init() {}

  /// Reads `words`. Flags may stand before, between and after the arguments; `--` ends them.
  /// - Parameter flagsEndAtArgument: a count of arguments after which everything is an argument, for commands that pass
  ///   the rest on (`alloc exec`); nil for none.
  /// - Throws: `UsageError` for an unknown flag (with the nearest known one), a missing value, or a bad boolean.
  init(_ words: [String], flags: [Flag], flagsEndAtArgument: Int? = nil) throws(UsageError) {
    var rest = words[...]
    while let word = rest.popFirst() {
      if let limit = flagsEndAtArgument, arguments.count >= limit {
        arguments.append(word)
        continue
      }
      if word == "--" {
        arguments += rest
        return
      }
      guard word.hasPrefix("-"), word != "-" else {
        arguments.append(word)
        continue
      }
      let body = word.hasPrefix("--") ? word.dropFirst(2) : word.dropFirst(1)
      let equals = body.firstIndex(of: "=")
      let name = String(equals.map { body[..<$0] } ?? body)
      let inline = equals.map { String(body[body.index(after: $0)...]) }
      guard let flag = flags.first(where: { $0.name == name }) else {
        throw UsageError(
          "unknown flag -\(name)", suggestion: Suggestion.nearest(to: name, among: flags.map(\.name)).map { "-" + $0 })
      }
      switch flag.kind {
      case .bool:
        values[name] = [try Self.boolean(inline, flag: name)]
      case .value, .repeated:
        guard let value = inline ?? rest.popFirst() else { throw UsageError("flag -\(name) needs a value") }
        if flag.kind.isRepeated { values[name, default: []].append(value) } else { values[name] = [value] }
      }
    }
  }

  private static func boolean(_ text: String?, flag: String) throws(UsageError) -> String {
    switch text?.lowercased() {
    case nil, "true", "1", "t": return "true"
    case "false", "0", "f": return "false"
    case .some(let other): throw UsageError("flag -\(flag) is true or false, not \"\(other)\"")
    }
  }

  /// Whether a boolean flag is on.
  func has(_ name: String) -> Bool { values[name]?.last == "true" }

  /// The last value of a flag, nil when it was not given.
  func value(_ name: String) -> String? { values[name]?.last }

  /// Every value of a repeated flag.
  func all(_ name: String) -> [String] { values[name] ?? [] }

  /// The value of a flag as an integer.
  func integer(_ name: String) throws(UsageError) -> Int? {
    guard let text = value(name) else { return nil }
    guard let number = Int(text) else { throw UsageError("flag -\(name) needs a whole number, not \"\(text)\"") }
    return number
  }
}

extension Flag.Kind {
  var isRepeated: Bool { if case .repeated = self { true } else { false } }
}

/// A command line that cannot be understood.
struct UsageError: Error, CustomStringConvertible {
  let message: String
  let suggestion: String?

  init(_ message: String, suggestion: String? = nil) {
    self.message = message
    self.suggestion = suggestion
  }

  var description: String { suggestion.map { "\(message): did you mean \($0)?" } ?? message }
}
