internal import HCL
internal import Linux

/// The file system as a jobspec's functions (`file`, `fileset`, …) see it: all that the user may read.
struct JobspecFiles: FileAccess {
  let workingDirectory: String
  let homeDirectory: String?

  init(environment: [String: String]) {
    workingDirectory = (try? currentDirectory()) ?? "/"
    homeDirectory = environment["HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil }
  }

  func contents(of path: String) throws(FunctionFailure) -> [UInt8] {
    do throws(SystemError) {
      return try Files.read(path, limit: 64 << 20)
    } catch {
      throw FunctionFailure("\(error)")
    }
  }

  func kind(of path: String) throws(FunctionFailure) -> FileKind {
    do throws(SystemError) {
      switch try FileStatus.of(path).kind {
      case .regular: return .file
      case .directory: return .directory
      default: return .other
      }
    } catch {
      if [.noSuchFile, .notDirectory].contains(error.errno) { return .absent }
      throw FunctionFailure("\(error)")
    }
  }

  func entries(of path: String) throws(FunctionFailure) -> [String] {
    do throws(SystemError) {
      return try FileDescriptor.open(path, [.readOnly, .directory]).entries().map(\.name).filter {
        $0 != "." && $0 != ".."
      }
    } catch {
      throw FunctionFailure("\(error)")
    }
  }
}

private func currentDirectory() throws(SystemError) -> String {
  try FileDescriptor.open("/proc/self", [.readOnly, .directory]).readSymbolicLink("cwd")
}
