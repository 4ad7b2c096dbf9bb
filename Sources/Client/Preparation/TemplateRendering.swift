internal import Codec
internal import Drivers
internal import Linux
internal import Model
internal import TemplateEngine

/// Renders one `template` block: text, values of the task's environment, and files of the task.
struct TemplateRendering: Sendable {
  let template: Model.Template
  /// The task's variables.
  let variables: [String: String]
  /// Replaces `${…}` in the block's paths.
  let interpolation: Interpolation
  let directories: TaskDirectories

  /// Longest source, and longest file that a template reads.
  private static let longestFile = 16 << 20

  /// What a rendering yields.
  struct Result: Sendable {
    var text: [UInt8]
    /// Files of the task that it depends on.
    var files: [TaskPath]
  }

  /// How the block is called in messages.
  var name: String { template.destPath ?? "" }

  /// Renders; blocks no thread of Swift's pool.
  /// - Throws: `ClientError` saying what is wrong with the template.
  func render() async throws(ClientError) -> Result {
    let result: Swift.Result<Result, ClientError> = await withCheckedContinuation { continuation in
      do throws(SystemError) {
        // The engine's own limit of nesting is for a stack of this size.
        try DetachedThread.start(stackBytes: 4 << 20) {
          continuation.resume(returning: Swift.Result { () throws(ClientError) in try renderNow() })
        }
      } catch {
        continuation.resume(returning: .failure(ClientError(.system, "render template \"\(name)\": \(error)")))
      }
    }
    return try result.get()
  }

  private func renderNow() throws(ClientError) -> Result {
    var engine = TemplateEngine.Template(ByteString(name))
    engine.leftDelimiter = ByteString(template.leftDelim ?? "")
    engine.rightDelimiter = ByteString(template.rightDelim ?? "")
    if template.errMissingKey == true { engine.missingKey = .error }
    engine.functions = FunctionSets.consulTemplate.merging(FunctionSets.sprig) { first, _ in first }
    var files: [TaskPath] = []
    let text = try source(&files)
    let host = TaskTemplateHost(variables: variables, directories: directories)
    do throws(TemplateError) {
      try engine.parse(ByteString(bytes: text))
      let result = try engine.renderTracking(.nil, host: host)
      for dependency in result.used where dependency.function == "file" {
        if let path = dependency.arguments.first, let place = TaskPath(path.description, directories) {
          files.append(place)
        }
      }
      return Result(text: result.output.bytes, files: files)
    } catch {
      throw ClientError(.invalid, "template \"\(name)\": \(error.message)")
    }
  }

  private func source(_ files: inout [TaskPath]) throws(ClientError) -> [UInt8] {
    let path = interpolation(template.sourcePath ?? "")
    if path.isEmpty { return Array((template.embeddedTmpl ?? "").utf8) }
    guard let place = TaskPath(path, directories) else {
      throw ClientError(.invalid, "template \"\(name)\": source \"\(path)\" leads out of the task's directories")
    }
    files.append(place)
    do throws(SystemError) {
      return try place.read(limit: Self.longestFile)
    } catch {
      throw ClientError(.invalid, "template \"\(name)\": read its source: \(error)")
    }
  }

  /// Where the result goes.
  func destination() throws(ClientError) -> TaskPath {
    let path = interpolation(template.destPath ?? "")
    guard let place = TaskPath(path, directories), !place.relative.isEmpty else {
      throw ClientError(
        .invalid, "template destination \"\(path)\" is no file in the task's directories (local/, secrets/, alloc/)")
    }
    return place
  }

  /// Writes the result and says whether the file has changed.
  func write(_ text: [UInt8]) throws(ClientError) -> Bool {
    let place = try destination()
    let permissions = UInt32(template.perms ?? "", radix: 8) ?? 0o644
    let owner = (uid: template.uid ?? -1, gid: template.gid ?? -1)
    let hasOwner = owner.uid >= 0 || owner.gid >= 0
    do throws(SystemError) {
      return try place.write(
        text, permissions: permissions,
        owner: hasOwner ? (UInt32(clamping: max(owner.uid, 0)), UInt32(clamping: max(owner.gid, 0))) : nil)
    } catch {
      throw ClientError(.system, "write template \"\(name)\": \(error)")
    }
  }
}

/// What a task's templates may know: its environment and its files. The same random bytes come twice from nobody.
private struct TaskTemplateHost: TemplateHost {
  let variables: [String: String]
  let directories: TaskDirectories

  func environmentVariable(_ name: ByteString) -> ByteString? { variables[name.description].map { ByteString($0) } }

  var environment: [ByteString: ByteString] {
    Dictionary(uniqueKeysWithValues: variables.map { (ByteString($0.key), ByteString($0.value)) })
  }

  var now: TemplateTime {
    let now = Clock.realtimeNanoseconds
    return TemplateTime(seconds: now / 1_000_000_000, nanoseconds: Int32(now % 1_000_000_000))
  }

  func randomBytes(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8.random(in: .min ... .max) } }

  func value(of dependency: TemplateDependency) throws -> TemplateValue? {
    switch dependency.function {
    case "file":
      let path = dependency.arguments.first?.description ?? ""
      guard let place = TaskPath(path, directories) else {
        throw ClientError(.forbidden, "\"\(path)\" leads out of the task's directories")
      }
      return .string(ByteString(bytes: try place.read(limit: 16 << 20)))
    // Has a value of its own for what is not there.
    case "keyOrDefault": return nil
    default:
      throw ClientError(.invalid, "this version has no \(dependency.function): nothing answers \(dependency)")
    }
  }
}

/// Variables in the form that `template { env = true }` takes them from a file: `NAME=value` lines, `#` comments, quotes
/// as a shell has them, an `export` before the name.
enum EnvironmentFile {
  /// - Throws: `.invalid` naming the line.
  static func parse(_ text: String) throws(ClientError) -> [String: String] {
    var result: [String: String] = [:]
    for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      var rest = trimmed(line)[...]
      if rest.isEmpty || rest.hasPrefix("#") { continue }
      if rest.hasPrefix("export ") { rest = trimmed(rest.dropFirst(7))[...] }
      guard let equals = rest.firstIndex(of: "="), equals != rest.startIndex else {
        throw ClientError(.invalid, "line \(index + 1) is no NAME=value: \"\(line.prefix(40))\"")
      }
      let name = trimmed(rest[..<equals])
      guard name.allSatisfy({ $0.isLetter || $0.isNumber || "_.-".contains($0) }) else {
        throw ClientError(.invalid, "line \(index + 1): \"\(name)\" is no name of a variable")
      }
      guard let value = unquoted(trimmed(rest[rest.index(after: equals)...])) else {
        throw ClientError(.invalid, "line \(index + 1): the value of \(name) has a quote without an end")
      }
      result[name] = value
    }
    return result
  }

  private static func unquoted(_ text: String) -> String? {
    guard let quote = text.first, quote == "\"" || quote == "'" else {
      // A comment may follow a plain value.
      return text.firstPlace(of: " #").map { trimmed(text[..<$0]) } ?? text
    }
    var result = ""
    var isEscaped = false
    for (index, character) in zip(text.indices, text).dropFirst() {
      if isEscaped {
        isEscaped = false
        switch character {
        case "n": result.append("\n")
        case "r": result.append("\r")
        case "t": result.append("\t")
        default: result.append(character)
        }
      } else if character == "\\" && quote == "\"" {
        isEscaped = true
      } else if character == quote {
        let rest = trimmed(text[text.index(after: index)...])
        return rest.isEmpty || rest.hasPrefix("#") ? result : nil
      } else {
        result.append(character)
      }
    }
    return nil
  }
}

extension String {
  fileprivate func firstPlace(of other: String) -> Index? {
    var start = startIndex
    while start < endIndex {
      if self[start...].hasPrefix(other) { return start }
      start = index(after: start)
    }
    return nil
  }
}
