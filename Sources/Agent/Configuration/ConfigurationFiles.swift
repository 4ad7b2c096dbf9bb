internal import Codec
internal import Glibc
internal import HCL
internal import HCLSchema

/// A configuration that can't be used, in words for the operator.
struct ConfigurationError: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}

/// Reads configuration files and directories.
enum ConfigurationFiles {
  /// What every path says, later ones over earlier ones. A directory stands for its `.hcl` and `.json` files in order of
  /// their names.
  /// - Throws: `ConfigurationError` with every mistake of a file, each with its line and a caret.
  static func read(_ paths: [String]) throws(ConfigurationError) -> JSONObject {
    var result = JSONObject()
    for path in paths {
      for file in try files(at: path) { result = merged(result, with: try parse(file)) }
    }
    return result
  }

  /// The configuration in one text. JSON is told from HCL by its first character, whatever the file is called.
  static func parse(_ source: SourceFile) throws(ConfigurationError) -> JSONObject {
    let isJSON = source.bytes.first { !" \t\r\n".utf8.contains($0) } == UInt8(ascii: "{")
    let parsed = isJSON ? HCLParser.parseJSON(source) : HCLParser.parse(source, quotedNames: true)
    var diagnostics = parsed.diagnostics
    var decoder = BodyDecoder(context: EvaluationContext())
    let object = decoder.object(parsed.result, schema: agentSchema)
    diagnostics += decoder.diagnostics
    guard !diagnostics.hasErrors else {
      throw ConfigurationError(DiagnosticRenderer([source]).render(diagnostics.filter { $0.severity == .error }))
    }
    return object
  }

  private static func files(at path: String) throws(ConfigurationError) -> [SourceFile] {
    var status = stat()
    guard stat(path, &status) == 0 else {
      throw ConfigurationError("configuration \"\(path)\" can't be read: \(reason(errno)): check the -config flag")
    }
    guard status.st_mode & S_IFMT == S_IFDIR else { return [SourceFile(name: path, bytes: try contents(path))] }
    let names = try entries(path).filter { $0.hasSuffix(".hcl") || $0.hasSuffix(".json") }.sorted()
    var found: [SourceFile] = []
    for name in names where !name.hasPrefix(".") && !name.hasSuffix("~") {
      let file = "\(path)/\(name)"
      found.append(SourceFile(name: file, bytes: try contents(file)))
    }
    return found
  }

  private static func entries(_ path: String) throws(ConfigurationError) -> [String] {
    guard let stream = opendir(path) else {
      throw ConfigurationError("configuration folder \"\(path)\" can't be read: \(reason(errno))")
    }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      names.append(
        withUnsafePointer(to: &entry.pointee.d_name) {
          $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        })
    }
    return names
  }

  private static func contents(_ path: String) throws(ConfigurationError) -> [UInt8] {
    guard let file = fopen(path, "re") else {
      throw ConfigurationError("configuration file \"\(path)\" can't be read: \(reason(errno))")
    }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65536)
    while true {
      let count = fread(&buffer, 1, buffer.count, file)
      if count == 0 { break }
      bytes += buffer[..<count]
      if bytes.count > 16 << 20 { throw ConfigurationError("configuration file \"\(path)\" is larger than 16 MiB") }
    }
    return bytes
  }

  private static func reason(_ number: Int32) -> String { String(cString: strerror(number)) }
}
