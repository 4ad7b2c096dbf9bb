internal import CommandLine
internal import Glibc

/// The process' environment by name; of a name that is set twice the first counts, as for getenv(3).
private func environment() -> [String: String] {
  var found: [String: String] = [:]
  var entry: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?> = environ
  while let text = entry.pointee {
    let assignment = String(cString: text)
    if let equals = assignment.firstIndex(of: "=") {
      let name = String(assignment[..<equals])
      if found[name] == nil { found[name] = String(assignment[assignment.index(after: equals)...]) }
    }
    entry += 1
  }
  return found
}

exit(CommandLineTool.run(arguments: Array(Swift.CommandLine.arguments.dropFirst()), environment: environment()))
