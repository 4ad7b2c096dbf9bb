// One fuzzer for everything that the supervisor reads and did not write itself. The first byte says which reader gets the
// rest. Beside not crashing, each must keep its promise: what was read and is written again is read the same.
@testable import Isolation
@testable import Linux
@testable import Supervisor

/// What libFuzzer calls.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let input = Array(UnsafeBufferPointer(start: start, count: count))
  guard let kind = input.first else { return 0 }
  let bytes = Array(input.dropFirst())
  let text = String(decoding: bytes, as: UTF8.self)
  switch kind % 10 {
  case 0: fuzzRequest(bytes)
  case 1: fuzzReply(bytes)
  case 2: fuzzSandbox(bytes)
  case 3: fuzzRecord(bytes)
  case 4: fuzzProc(text)
  case 5: fuzzCgroups(text)
  case 6: fuzzAccounts(text)
  case 7: _ = try? SeccompProfile(json: text).compiled(allowsForeignABI: false)
  case 8:
    if let report = Report(decoding: bytes) { precondition(Report(decoding: report.encoded)?.step == report.step) }
    _ = InTaskInit.status(in: bytes)
  default:
    // Text in every place of a sandbox that is otherwise right.
    var sandbox = Sandbox(command: Command(text))
    sandbox.sysctls = [Sysctl(text, text)]
    sandbox.namespaces.insert(.network)
    sandbox.mounts = [.bind(text, at: text)]
    sandbox.root = Root(taskDirectory: text, layersDirectory: "/layers")
    check(sandbox)
  }
  return 0
}

private func fuzzRequest(_ bytes: [UInt8]) {
  guard let request = try? Numbered<Request>(decoding: bytes) else { return }
  let again = try? Numbered<Request>(decoding: request.encoded)
  precondition(again?.body == request.body && again?.number == request.number)
  if case .start(let spec) = request.body { check(spec.sandbox) }
  if case .execute(_, let command, let user, let terminal) = request.body {
    _ = try? Plan(running: command, in: Sandbox(command: Command("/x")), user: user, terminal: terminal)
  }
}

private func fuzzReply(_ bytes: [UInt8]) {
  guard let reply = try? NumberedReply(decoding: bytes) else { return }
  precondition((try? NumberedReply(decoding: reply.encoded))?.body == reply.body)
}

private func fuzzSandbox(_ bytes: [UInt8]) {
  guard let sandbox = try? Sandbox(decoding: bytes) else { return }
  precondition((try? Sandbox(decoding: sandbox.encoded)) == sandbox)
  check(sandbox)
}

private func fuzzRecord(_ bytes: [UInt8]) {
  guard let record = try? TaskRecord(decoding: bytes) else { return }
  precondition((try? TaskRecord(decoding: record.encoded)) == record)
  let order = SpareOrder(spec: record.spec, cgroup: record.cgroup)
  precondition((try? SpareOrder(decoding: order.encoded))?.spec == record.spec)
}

/// A plan never mounts outside the task's root, and whoever has a filter has no_new_privs.
private func check(_ sandbox: Sandbox) {
  guard let plan = try? Plan(sandbox) else { return }
  for case .mount(let mount) in plan.steps {
    precondition(mount.target.hasPrefix("/") && !mount.target.split(separator: "/").contains(".."))
  }
  let names = plan.steps.map(\.name)
  if names.contains(.seccomp) { precondition(names.contains(.noNewPrivileges)) }
  precondition(names.last == .execute)
}

private func fuzzProc(_ text: String) {
  for mount in Proc.mounts(in: text) { _ = mount.target.utf8.count }
  _ = Proc.startTime(inStat: text)
}

private func fuzzCgroups(_ text: String) {
  _ = CgroupLayout.find(mountinfo: text) { _ in text }
  _ = CgroupFile.table(in: text)
  _ = CgroupFile.sum(text, key: "rbytes")
  _ = CgroupFile.pressure(text)
  let values = CgroupFile.values(["cache", "total_rss"], in: Array(text.utf8)[...])
  precondition(values.count == 2)
  _ = CgroupFile.number(in: text)
}

private func fuzzAccounts(_ text: String) {
  let accounts = Accounts(passwd: text, group: text)
  for line in text.split(separator: "\n").prefix(20) {
    let name = line.split(separator: ":").first.map(String.init) ?? ""
    if let account = accounts.account(name) { precondition(account.uid != .max && account.gid != .max) }
  }
}
