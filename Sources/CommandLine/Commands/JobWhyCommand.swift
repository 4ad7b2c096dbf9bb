import Codec
import Model

let jobWhy = Command(
  path: ["job", "why"], arguments: "<job>", summary: "Say what keeps a job from being placed, and what would help",
  flags: readFlags + [verboseFlag], completes: .jobs
) { invocation in
  let client = invocation.client
  let identity = try client.jobIdentity(prefix: try invocation.onlyArgument())
  let bytes = try client.raw("/v1/job/\(identity.id.pathEncoded)/why", namespace: identity.namespace)
  if try invocation.printedRaw(bytes) { return 0 }
  let response = try JSON.decode(JobWhyResponse.self, from: bytes)
  let terminal = invocation.terminal
  if response.groups.isEmpty { terminal.print("All groups of job \"\(response.jobID)\" are placed") }
  for group in response.groups {
    terminal.print(
      terminal.bold("Task Group \"\(group.name)\"") + ": \(group.placed) of \(group.desired) placed, "
        + counted(group.nodes, "node"))
    for text in relaxationLines(group, invocation) { terminal.print("  " + text) }
  }
  return 0
}

private func relaxationLines(_ group: JobWhyGroup, _ invocation: Invocation) -> [String] {
  if group.nodes == 0 { return ["* There are no nodes"] }
  if group.relaxations.isEmpty { return ["* Every node has one already"] }
  return group.relaxations.flatMap { relaxation -> [String] in
    let opened = counted(relaxation.opensNodes, "node")
    var lines: [String] = []
    if relaxation.requirements.isEmpty {
      lines.append("* \(opened) would take one now: the next evaluation places it")
    } else {
      let texts = relaxation.requirements.map { requirement in
        requirement.available < 0
          ? requirement.text : "\(requirement.text) (at most \(requirement.available) free)"
      }
      lines.append("* Without \(texts.joined(separator: " and ")): \(opened)")
    }
    if invocation.has("verbose") { lines += relaxation.examples.map { "    \($0)" } }
    return lines
  }
}

private func counted(_ count: Int, _ noun: String) -> String { count == 1 ? "1 \(noun)" : "\(count) \(noun)s" }
