/// What holds other values: the common ground of lists and maps.
///
/// Its only task is to go quietly. A template can nest containers deeper than a thread's stack can recurse, and Swift
/// frees nested objects by recursion; so the outermost container takes its descendants apart in a loop.
///
/// `@unchecked Sendable`: the class itself has no stored state; each subclass proves its own safety.
public class TemplateContainer: @unchecked Sendable {
  init() {}

  /// Moves the containers inside this one to `pending` and forgets everything; only for a container that nobody else
  /// refers to any more.
  func moveChildren(into pending: inout [TemplateContainer]) {}

  /// Appends the containers among `values`.
  static func collect(_ values: some Sequence<TemplateValue>, into pending: inout [TemplateContainer]) {
    for value in values {
      switch value {
      case .list(let list): pending.append(list)
      case .map(let map): pending.append(map)
      default: break
      }
    }
  }

  /// What a subclass calls when it is freed: frees every container below that nobody else refers to.
  func dismantle() {
    var pending: [TemplateContainer] = []
    moveChildren(into: &pending)
    while !pending.isEmpty {
      // Moved out of the array, so that a count of one means that this loop is the last to know the container.
      var container = pending.removeLast()
      if isKnownUniquelyReferenced(&container) { container.moveChildren(into: &pending) }
    }
  }
}
