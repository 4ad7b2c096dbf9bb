// Times the scheduler on simulated clusters, with the state and the log as the server uses them. Build it optimised:
// `make bench-scheduler`. Arguments choose rows: a, a2, b, c, d, e, f, packing.

let chosen = Set(CommandLine.arguments.dropFirst())
func wants(_ row: String) -> Bool { chosen.isEmpty ? row != "a2" : chosen.contains(row) }

if wants("b") { try latencyByNodes([100, 1_000, 10_000, 100_000]) }
if wants("c") {
  try largeEvaluation()
  try preemptions(nodes: 10_000)
}
if wants("d") { try nodeFailure(displaced: 1_000, nodes: 5_000) }
if wants("e") { try systemJob(nodes: 10_000) }
if wants("f") { try blockedEvaluations(10_000, nodes: 100) }
if wants("packing") { try binPacking(jobs: 2_000) }
// Last, so that the peak memory that it prints is its own.
if wants("a") { try await placementsCommitted(jobs: 1_000, count: 1_000, nodes: 5_000) }
if wants("a2") { try await placementsCommitted(jobs: 2_000, count: 1_000, nodes: 6_100) }
