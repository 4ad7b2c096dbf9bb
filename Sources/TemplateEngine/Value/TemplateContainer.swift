/// What holds other values: the common ground of lists and maps.
///
/// Its only task is to go quietly. A template can nest containers deeper than a thread's stack can recurse, and Swift
/// frees nested objects by recursion; so the outermost container takes its descendants apart in a loop.
///
/// `@unchecked Sendable`: the class itself has no stored state; each subclass proves its own safety.
public class TemplateContainer: @unchecked Sendable {
  init() {}

  /// Empties the container and returns what was in it; only for a container that nobody else refers to any more.
  func takeChildren() -> [TemplateValue] { [] }

  /// Frees `children` and every container below them that nobody else refers to.
  static func dismantle(_ children: [TemplateValue]) {
    var pending: [TemplateContainer] = []
    func collect(_ values: [TemplateValue]) {
      for value in values {
        switch value {
        case .list(let list): pending.append(list)
        case .map(let map): pending.append(map)
        default: break
        }
      }
    }
    collect(children)
    while !pending.isEmpty {
      // Moved out of the array, so that a count of one means that this loop is the last to know the container.
      var container = pending.removeLast()
      if isKnownUniquelyReferenced(&container) { collect(container.takeChildren()) }
    }
  }
}
