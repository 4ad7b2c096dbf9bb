import Codec
import Glibc
import Linux
import Server
import Testing

@testable import Agent

@Suite struct VariableKeyTests {
  private func withFolder(_ body: (String) throws -> Void) throws {
    var template = Array("/tmp/serai-key-XXXXXX".utf8CString)
    _ = try #require(mkdtemp(&template))
    let folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    defer { try? Files.removeTree(folder) }
    try body(folder)
  }

  @Test func theOnlyServerMakesItselfAKeyAndKeepsIt() throws {
    try withFolder { folder in
      let first = try #require(try VariableKey.cipher(named: "", folder: folder, isOnlyServer: true))
      let sealed = try first.seal(Array("secret".utf8), Array("a".utf8))
      let status = try FileDescriptor.open(folder + "/variables.key").status()
      #expect(status.permissions & 0o777 == 0o600)
      let second = try #require(try VariableKey.cipher(named: "", folder: folder, isOnlyServer: true))
      #expect(try second.open(sealed, Array("a".utf8)) == Array("secret".utf8))
      #expect(try second.open(sealed, Array("b".utf8)) == nil, "bytes of one variable are no other's")
      #expect(try VariableKey.cipher(named: "", folder: folder, isOnlyServer: false) == nil)
    }
  }

  @Test func aKeyFileIsPrivateAndHasTheRightLength() throws {
    try withFolder { folder in
      func write(_ text: String, _ permissions: UInt32) throws -> String {
        try Files.replace(folder + "/key", with: Array(text.utf8), permissions: permissions)
        return folder + "/key"
      }
      func refusal(_ path: String) -> String {
        do throws(ConfigurationError) {
          _ = try VariableKey.cipher(named: path, folder: folder, isOnlyServer: false)
          return ""
        } catch {
          return error.description
        }
      }
      let good = Blob([UInt8](repeating: 7, count: 32)).base64
      let cases = [
        (good + "\n", UInt32(0o600), ""), (good, 0o644, "chmod 600"), (Blob([1, 2]).base64, 0o600, "32 bytes"),
      ]
      for (text, permissions, part) in cases {
        let path = try write(text, permissions)
        let found = refusal(path)
        #expect(part.isEmpty ? found.isEmpty : found.contains(part), "\(found)")
      }
      #expect(refusal(folder + "/none").contains("none"))
    }
  }
}
