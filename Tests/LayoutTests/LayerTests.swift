import Glibc
import Testing

/// Holds every import line of the sources against the table in Sources/README.md.
@Suite struct LayerTests {
  let sources = sourcesFolder()

  @Test func everyImportIsAllowedByTheLayerTable() throws {
    let rows = try layerTable(of: sources + "/README.md")
    #expect(rows.count > 15)
    for (module, row) in rows.sorted(by: { $0.key < $1.key }) {
      for file in swiftFiles(under: sources + "/" + module) {
        for imported in importedModules(of: try contents(of: file)) {
          #expect(row.mayImport(imported), "\(file) imports \(imported): not in \(module)'s row of Sources/README.md")
        }
      }
    }
  }

  @Test func importsGoDownTheLayersOrSidewaysOnlyWhereTheRowSaysSo() throws {
    let rows = try layerTable(of: sources + "/README.md")
    for (module, row) in rows {
      for other in row.allowed {
        guard let below = rows[other] else { continue }
        #expect(below.layer <= row.layer, "\(module) (layer \(row.layer)) lists \(other) of layer \(below.layer)")
      }
    }
  }

  @Test func everyFolderUnderSourcesHasARow() throws {
    let rows = try layerTable(of: sources + "/README.md")
    let executables: Set = ["serai", "serai-supervisor", "serai-init"]
    for folder in folders(under: sources) where !executables.contains(folder) {
      #expect(rows[folder] != nil, "Sources/\(folder) has no row in Sources/README.md")
    }
  }

  /// A check that cannot fail proves nothing: the same functions must reject a file that breaks the rule.
  @Test func aBrokenLayerIsNoticed() throws {
    let rows = try layerTable(of: sources + "/README.md")
    let row = try #require(rows["Codec"])
    let imports = importedModules(of: "internal import Server\n@testable import Model\npublic import struct HTTP.URL\n")
    #expect(imports == ["Server", "Model", "HTTP"])
    #expect(imports.allSatisfy { !row.mayImport($0) })
    #expect(!row.mayImport("Foundation") && !row.mayImport("FoundationEssentials") && row.mayImport("Glibc"))
  }
}

/// One row of the table.
struct LayerRow {
  var layer: Int
  var allowed: Set<String>
  /// Modules that must link without Foundation.
  var glibcOnly: Bool

  func mayImport(_ module: String) -> Bool {
    if ["Glibc", "Synchronization", "_Builtin_float"].contains(module) { return true }
    if module == "FoundationEssentials" { return !glibcOnly }
    return allowed.contains(module)
  }
}

func layerTable(of path: String) throws -> [String: LayerRow] {
  let glibcOnly: Set = ["Linux", "Isolation", "Netlink", "Codec", "Supervisor"]
  var rows: [String: LayerRow] = [:]
  for line in try contents(of: path).split(separator: "\n") where line.hasPrefix("| ") {
    let cells = line.split(separator: "|", omittingEmptySubsequences: false).map { trimmed($0) }
    guard cells.count >= 6, let layer = Int(cells[1]) else { continue }
    let module = cells[2].filter { $0 != "`" }
    let allowed = cells[4].split(separator: ",").map { trimmed($0).filter { $0 != "`" } }
    rows[module] = LayerRow(layer: layer, allowed: Set(allowed), glibcOnly: glibcOnly.contains(module))
  }
  return rows
}

/// The modules named by import lines, in order; comments and strings that merely mention imports do not count.
func importedModules(of source: String) -> [String] {
  let kinds: Set = ["struct", "class", "enum", "protocol", "func", "var", "let", "typealias"]
  let modifiers: Set = [
    "public", "internal", "package", "private", "fileprivate", "@testable", "@preconcurrency", "@_exported",
  ]
  var modules: [String] = []
  for line in source.split(separator: "\n") {
    var words = line.split(separator: " ").map(String.init)
    while let first = words.first, modifiers.contains(first) { words.removeFirst() }
    guard words.first == "import" else { continue }
    words.removeFirst()
    if let kind = words.first, kinds.contains(kind) { words.removeFirst() }
    if let path = words.first, let module = path.split(separator: ".").first { modules.append(String(module)) }
  }
  return modules
}

func sourcesFolder(_ file: String = #filePath) -> String {
  file.split(separator: "/", omittingEmptySubsequences: false).dropLast(3).joined(separator: "/") + "/Sources"
}

func trimmed(_ text: some StringProtocol) -> String {
  var part = Substring(text)
  while part.first == " " { part.removeFirst() }
  while part.last == " " { part.removeLast() }
  return String(part)
}

struct UnreadableFile: Error { let path: String }

func contents(of path: String) throws -> String {
  guard let file = fopen(path, "r") else { throw UnreadableFile(path: path) }
  defer { fclose(file) }
  var bytes: [UInt8] = []
  var buffer = [UInt8](repeating: 0, count: 65536)
  while true {
    let count = fread(&buffer, 1, buffer.count, file)
    if count == 0 { break }
    bytes += buffer[..<count]
  }
  return String(decoding: bytes, as: UTF8.self)
}

func entries(of folder: String) -> [(name: String, isFolder: Bool)] {
  guard let stream = opendir(folder) else { return [] }
  defer { closedir(stream) }
  var found: [(String, Bool)] = []
  while let entry = readdir(stream) {
    let name = withUnsafePointer(to: &entry.pointee.d_name) {
      $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
    }
    if name.hasPrefix(".") { continue }
    found.append((name, Int32(entry.pointee.d_type) == Int32(DT_DIR)))
  }
  return found.sorted { $0.0 < $1.0 }
}

func folders(under folder: String) -> [String] { entries(of: folder).filter(\.isFolder).map(\.name) }

func swiftFiles(under folder: String) -> [String] {
  entries(of: folder).flatMap { entry in
    let path = folder + "/" + entry.name
    if entry.isFolder { return swiftFiles(under: path) }
    return entry.name.hasSuffix(".swift") ? [path] : []
  }
}
