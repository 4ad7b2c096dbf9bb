internal import Codec
internal import HCL
internal import HCLSchema
internal import Model

/// A variable written down in a file: HCL with `namespace`, `path` and an `items` map, or the API's JSON.
enum VariableSpecification {
  /// - Parameter format: `hcl` or `json`; nil to go by the file's name, and then by what it begins with.
  /// - Throws: `CommandFailure` with the place of a mistake.
  static func parse(_ bytes: [UInt8], name: String, format: String?) throws -> Variable {
    let text = String(decoding: bytes, as: UTF8.self)
    let isJSON = format.map { $0 == "json" } ?? (name.hasSuffix(".json") || text.drop { $0.isWhitespace }.first == "{")
    if isJSON {
      do throws(CodecError) {
        return try JSON.decode(Variable.self, from: bytes)
      } catch {
        throw CommandFailure("\(name) is no variable specification: \(error)")
      }
    }
    let source = SourceFile(name: name, bytes: bytes)
    let parsed = HCLParser.parse(source, quotedNames: true)
    var decoder = BodyDecoder(context: EvaluationContext())
    let object = decoder.object(parsed.result, schema: schema)
    let problems = (parsed.diagnostics + decoder.diagnostics).filter { $0.severity == .error }
    guard problems.isEmpty else { throw CommandFailure(DiagnosticRenderer([source]).render(problems)) }
    do throws(CodecError) {
      return try JSON.decode(Variable.self, from: JSON.encode(object))
    } catch {
      throw CommandFailure("\(name) is no variable specification: \(error)")
    }
  }

  private static let schema = BlockSchema([
    string("namespace", "Namespace"), string("path", "Path", required: true), stringMap("items", "Items"),
  ])

  /// What `var init` writes.
  static let exampleHCL = """
    # A variable and what is in it. Write it into the cluster with
    #   serai var put @spec.nv.hcl

    # The namespace; without it the one of -namespace or NOMAD_NAMESPACE.
    # namespace = "default"

    # Where the variable is found: segments with slashes between them. A job's
    # tasks may read nomad/jobs/<job>/<group>/<task> and what lies above it.
    path = "path/to/variable"

    # Keys and values; both are encrypted wherever the servers keep them.
    items {
      key1 = "value 1"
      key2 = "value 2"
    }

    """

  static let exampleJSON = """
    {
      "Namespace": "default",
      "Path": "path/to/variable",
      "Items": {
        "key1": "value 1",
        "key2": "value 2"
      }
    }

    """
}
