import Codec
import HCL
import Jobspec
import Model
import State
import Testing

@testable import Server

/// What this version keeps and does not run: one job for each, refused by the name of the block.
@Suite(.timeLimit(.minutes(2))) struct UnsupportedFeaturesTests {
  struct Case: Sendable, CustomTestStringConvertible {
    /// What the refusal must name.
    let name: String
    var job = ""
    var group = ""
    var task = ""
    var testDescription: String { name }

    var text: String {
      """
      job "refused" {
        datacenters = ["dc1"]
        \(job)
        group "web" {
          \(group)
          task "main" {
            driver = "exec"
            config { command = "/bin/true" }
            \(task)
          }
        }
      }
      """
    }
  }

  static let cases: [Case] = [
    Case(name: "multiregion", job: "multiregion {\n region \"north\" { count = 1 }\n }"),
    Case(name: "service", group: "service {\n name = \"web\"\n provider = \"nomad\" \n }"),
    Case(name: "service", task: "service {\n name = \"web\"\n provider = \"nomad\" \n }"),
    Case(
      name: "volume",
      group: """
        volume "data" {
          type = "csi"
          source = "data"
          access_mode = "single-node-writer"
          attachment_mode = "file-system"
        }
        """),
    Case(name: "sticky", group: "volume \"data\" {\n type = \"host\"\n source = \"data\"\n sticky = true\n }"),
    Case(name: "network mode \"bridge\"", group: "network { mode = \"bridge\" }"),
    Case(name: "dns", group: "network {\n dns { servers = [\"192.0.2.1\"] }\n }"),
    Case(name: "vault", task: "vault { policies = [\"p\"] }"),
    Case(name: "csi_plugin", task: "csi_plugin {\n id = \"p\"\n type = \"node\"\n mount_dir = \"/csi\"\n }"),
    Case(name: "action", task: "action \"greet\" { command = \"/bin/true\" }"),
    Case(name: "identity", task: "identity {\n name = \"other\"\n aud = [\"x\"]\n }"),
  ]

  @Test(arguments: cases) func aJobThatDependsOnItIsRefusedByName(_ refused: Case) async throws {
    let parser = JobspecParser(host: FunctionHost(now: { 0 }, random: { [UInt8](repeating: 0, count: $0) }))
    let job = try parser.parse(SourceFile(name: "refused.hcl", text: refused.text))
    let server = try await TestServer()
    let error = await #expect(throws: ServerError.self) { try await server.run(job) }
    #expect(error?.kind == .invalid)
    let sentence = error?.message.split(separator: "\n").first {
      $0.contains("this version does not") && $0.contains(refused.name)
    }
    #expect(sentence != nil, "\(error?.message ?? "")")
    #expect(server.reader.jobs.count == 0)
    var validate = JobValidateRequest()
    validate.job = job
    #expect(server.server.validate(validate, namespace: "default").error.contains(refused.name))
    try await server.remove()
  }

  @Test func aPlainJobIsNotRefused() {
    #expect(UnsupportedFeatures.sentences(for: makeJob("web")) == [])
  }
}
