import Codec
import Model
import State

/// Why nodes fell out, counted: becomes the figures that `job plan` and `eval status` print.
struct FilterCounts {
  var evaluated = 0
  var filtered = 0
  var filteredByReason: [String: Int] = [:]
  var filteredByClass: [String: Int] = [:]
  /// By `Dimension`.
  var exhausted = [Int](repeating: 0, count: Dimension.allCases.count)
  var exhaustedSlots: [Int32] = []
  /// Ports.
  var exhaustedByText: [String: Int] = [:]

  mutating func filter(_ reason: String, _ slot: Int, _ columns: NodeColumns) {
    filter(reason, nodeClass: columns.nodeClasses.names[Int(columns.nodeClass[slot])], times: 1)
  }

  mutating func filter(_ reason: String, nodeClass: String, times: Int) {
    filtered += times
    filteredByReason[reason, default: 0] += times
    if !nodeClass.isEmpty { filteredByClass[nodeClass, default: 0] += times }
  }

  mutating func exhaust(_ text: String, _ slot: Int, _ columns: NodeColumns) {
    exhaustedByText[text, default: 0] += 1
    exhaustedSlots.append(Int32(slot))
  }

  /// The counts in the API's shape, with what each task of the group asks for of the dimensions that are exhausted.
  func metric(_ columns: NodeColumns, _ group: TaskGroup) -> AllocMetric {
    var metric = AllocMetric()
    for task in group.tasks where !exhaustedSlots.isEmpty {
      var asked = Resources()
      if exhausted[Dimension.cpu.rawValue] > 0 { asked.cpu = task.resources?.cpu ?? 100 }
      if exhausted[Dimension.memory.rawValue] > 0 { asked.memoryMB = task.resources?.memoryMB ?? 300 }
      if exhaustedByText["cores"] != nil { asked.cores = task.resources?.cores }
      if exhaustedByText["devices"] != nil { asked.devices = task.resources?.devices ?? [] }
      if asked != Resources() { metric.resourcesExhausted[task.name] = asked }
    }
    metric.nodesEvaluated = evaluated
    metric.nodesFiltered = filtered
    metric.constraintFiltered = filteredByReason
    metric.classFiltered = filteredByClass
    metric.nodesExhausted = exhaustedSlots.count
    metric.dimensionExhausted = exhaustedByText
    for dimension in Dimension.allCases where exhausted[dimension.rawValue] > 0 {
      metric.dimensionExhausted[dimension.text] = exhausted[dimension.rawValue]
    }
    for slot in exhaustedSlots {
      let name = columns.nodeClasses.names[Int(columns.nodeClass[Int(slot)])]
      if !name.isEmpty { metric.classExhausted[name, default: 0] += 1 }
    }
    return metric
  }
}
