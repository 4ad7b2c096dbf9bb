import Linux

// The end of the child: working directory, command lookup, execve.
extension Child {
  func enterWorkingDirectory(_ path: String) throws(SystemError) {
    try Myself.changeDirectory(path)
    // "(unreachable)" would mean that the path led out of the root, through a descriptor of somebody else.
    if !(try Myself.workingDirectory().hasPrefix("/")) {
      throw SystemError("chdir", path, .permissionDenied, advice: "it lies outside the task's root")
    }
  }

  /// The paths at which a command is looked for.
  static func candidates(for command: Command, root: String) -> [String] {
    let name = command.name
    if name.hasPrefix("/") { return [name] }
    let base = root == "/" ? "" : root
    if name.contains("/") { return ["\(base)/\(name)"] }
    let path = command.environment.last { $0.hasPrefix("PATH=") }.map { String($0.dropFirst(5)) }
    let directories = (path ?? defaultPath).split(separator: ":").filter { $0.hasPrefix("/") }
    return ["\(base)/local/\(name)", "\(base)/\(name)"] + directories.map { "\($0)/\(name)" }
  }

  /// PATH of a task whose environment has none.
  static let defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

  func findProgram(_ command: Command) throws(SystemError) -> String {
    let root = isInRoot ? "/" : command.taskDirectory ?? "/"
    let candidates = Self.candidates(for: command, root: root)
    var refusal = Errno.noSuchFile
    for path in candidates {
      guard let errno = Myself.refusalToExecute(path) else {
        if let status = try? FileStatus.of(path), status.kind == .directory {
          refusal = .permissionDenied
          continue
        }
        return path
      }
      // "not executable" says more than "not there": keep it.
      if errno != .noSuchFile && errno != .notDirectory { refusal = errno }
    }
    let place = isInRoot ? "in the task's root" : "on the host"
    throw SystemError(
      "find", command.name, refusal, advice: "looked for \(candidates.joined(separator: ", ")) \(place)")
  }

  func execute(_ command: Command, useInit: Bool) throws(SystemError) {
    var environment = command.environment
    if let account {
      for (name, value) in [("HOME", account.home), ("USER", account.name), ("LOGNAME", account.name)]
      where !environment.contains(where: { $0.hasPrefix(name + "=") }) {
        environment.append("\(name)=\(value)")
      }
    }
    let arguments = [command.name] + command.arguments
    if useInit {
      try Myself.execute(.file(5), arguments: ["serai-init", program] + arguments, environment: environment)
    } else {
      try Myself.execute(.path(program), arguments: arguments, environment: environment)
    }
  }
}
