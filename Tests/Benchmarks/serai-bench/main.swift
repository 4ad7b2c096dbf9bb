// What `make bench` runs: every figure of the design that can be measured on one machine, beside what others take for the
// same and what the kernel cannot do without, in one run.
//
//   serai-bench RELEASE_FOLDER PROGRAMS_FOLDER [ROUNDS] [PART…]
//
// Parts: starts, density, commands, logs, evaluations, heartbeats, million, encoding; all of them when none is named. Run as root.

import Glibc
import Linux

let arguments = CommandLine.arguments
guard arguments.count >= 3, geteuid() == 0 else {
  print("usage (as root): serai-bench RELEASE_FOLDER PROGRAMS_FOLDER [ROUNDS] [PART…]")
  exit(2)
}
signal(SIGPIPE, SIG_IGN)
let rounds = arguments.count > 3 ? Int(arguments[3]) ?? 200 : 200
let parts = Set(arguments.dropFirst(4))
// Before anything starts a second thread: only this one moves into the benchmark's control group.
let place = try Place(release: arguments[1], programs: arguments[2])

var failed = false

/// Prints the rows of a part as they come, and keeps them for the table at the end.
@MainActor
func measure(_ part: String, _ body: @MainActor () async throws -> [Row]) async -> [Row] {
  guard parts.isEmpty || parts.contains(part) else { return [] }
  do {
    let rows = try await body()
    for row in rows { print(row.cells.joined(separator: "  ")) }
    fflush(nil)
    return rows
  } catch {
    print("\(part): \(error)")
    failed = true
    return []
  }
}

var rows: [Row] = []
rows += await measure("starts") { try await Starts(place: place, rounds: rounds).rows() }
rows += await measure("commands") { try await Commands(place: place, rounds: rounds).rows() }
rows += await measure("density") { try await Density(place: place).rows() }
rows += await measure("logs") { try await Logs(place: place).rows() }
rows += await measure("evaluations") { try Evaluations(place: place).rows() }
rows += await measure("heartbeats") { try await Scale(place: place).heartbeats() }
rows += await measure("million") { try await Scale(place: place).million() }
rows += await measure("encoding") { try Encoding(place: place).rows() }
place.remove()
let missed = rows.filter { $0.isMet == false }.count
print("\n\(Row.table(rows))\n\n\(rows.filter { $0.isMet == true }.count) budgets met, \(missed) missed.")
exit(failed ? 1 : 0)
