import Codec
import Glibc
import HCL
import Testing

@testable import Agent

func parse(_ text: String, name: String = "agent.hcl") throws -> JSONObject {
  try ConfigurationFiles.parse(SourceFile(name: name, text: text))
}

/// The configuration that files and flags give together.
func configuration(_ object: JSONObject) throws -> AgentConfiguration {
  try JSON.decode(AgentConfiguration.self, from: JSON.encode(object))
}

/// The refusal of a text that can't be used.
func refusal(_ text: String) -> String {
  do {
    let object = try parse(text)
    try ConfigurationCheck.run(try configuration(object), object)
    return ""
  } catch {
    return "\(error)"
  }
}

/// A directory with files, removed at the end.
final class Folder: Sendable {
  let path: String

  init(_ files: KeyValuePairs<String, String>) throws {
    var template = Array("/tmp/serai-agent-XXXXXX".utf8CString)
    _ = try #require(mkdtemp(&template))
    path = String(cString: template)
    for (name, text) in files {
      let file = open(path + "/" + name, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
      #expect(write(file, text, text.utf8.count) == text.utf8.count)
      close(file)
    }
  }

  func file(_ name: String) -> String { path + "/" + name }

  deinit {
    if let stream = opendir(path) {
      while let entry = readdir(stream) {
        let name = withUnsafePointer(to: &entry.pointee.d_name) {
          $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        }
        if name != ".", name != ".." { unlink(path + "/" + name) }
      }
      closedir(stream)
    }
    rmdir(path)
  }
}
