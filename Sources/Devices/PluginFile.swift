internal import Glibc
internal import Linux

/// A plugin's program: an executable of the plugin directory that nobody but root, or whom the agent runs as, can change.
public struct PluginFile: Equatable, Sendable {
  /// The file's name, which `plugin` blocks use.
  public let name: String
  /// Absolute.
  public let path: String

  /// The plugins in a directory, by name, and what is wrong with those that can't be used. No directory, no plugins.
  /// Blocks.
  public static func all(in directory: String) -> (plugins: [PluginFile], problems: [String]) {
    var plugins: [PluginFile] = []
    var problems: [String] = []
    do throws(SystemError) {
      let folder = try FileDescriptor.open(directory, [.readOnly, .directory])
      for entry in try folder.entries().sorted(by: { $0.name < $1.name }) where !entry.name.hasPrefix(".") {
        let path = "\(directory)/\(entry.name)"
        let status = try FileStatus.of(path)
        guard status.kind == .regular, status.permissions & 0o111 != 0 else { continue }
        if let problem = problem(with: status) {
          problems.append("\(path) is not started: \(problem)")
        } else {
          plugins.append(PluginFile(name: entry.name, path: path))
        }
      }
    } catch {
      if error.errno != .noSuchFile { problems.append("the plugin directory can't be read: \(error)") }
    }
    return (plugins, problems)
  }

  private static func problem(with status: FileStatus) -> String? {
    // A plugin is run with the agent's rights: whoever could write it would have them.
    if status.uid != 0 && status.uid != geteuid() { return "it belongs to user \(status.uid): chown it to root" }
    if status.permissions & 0o022 != 0 { return "others than its owner can write it: chmod go-w" }
    return nil
  }
}
