internal import HCL

/// The `locals` blocks: names for values, which may refer to one another in any order.
struct Locals {
  private(set) var diagnostics: [Diagnostic] = []
  /// All locals as the object that `local` is.
  private(set) var object: Value = .object([:])

  init(_ body: Body, functions: [String: Function], variables: Value) {
    var pending: [HCL.Attribute] = []
    var names: Set<String> = []
    for block in body.blocks("locals") {
      for inner in block.body.blocks {
        diagnostics.append(
          Diagnostic(
            .error, "Unexpected block", "A locals block holds only name = value lines.", subject: inner.headerRange))
      }
      for attribute in block.body.attributes {
        if names.insert(attribute.name).inserted {
          pending.append(attribute)
        } else {
          diagnostics.append(
            Diagnostic(
              .error, "Duplicate local", "The local \"\(attribute.name)\" is defined twice.",
              subject: attribute.nameRange))
        }
      }
    }
    var values: [String: Value] = [:]
    // Each round takes those whose references have values; n rounds at most, since every one takes at least one.
    while !pending.isEmpty {
      let ready = pending.filter { attribute in
        Self.references(attribute).allSatisfy { values[$0] != nil || !names.contains($0) }
      }
      if ready.isEmpty {
        for attribute in pending {
          diagnostics.append(
            Diagnostic(
              .error, "Circular local",
              "The local \"\(attribute.name)\" needs its own value, directly or through others.",
              subject: attribute.nameRange))
        }
        break
      }
      for attribute in ready {
        let context = EvaluationContext(
          variables: ["var": variables, "local": .object(values)], functions: functions,
          unresolved: { traversal in
            ["vars", "locals"].contains(traversal.root) ? nil : .string("${" + traversal.text + "}")
          })
        let evaluated = attribute.expression.evaluated(in: context)
        diagnostics += evaluated.diagnostics
        values[attribute.name] = evaluated.diagnostics.hasErrors ? .dynamic : evaluated.value
      }
      let done = Set(ready.map(\.name))
      pending.removeAll { done.contains($0.name) }
    }
    object = .object(values)
  }

  private static func references(_ attribute: HCL.Attribute) -> [String] {
    attribute.expression.variables.compactMap { traversal in
      guard traversal.root == "local", case .attribute(let name)? = traversal.steps.first?.kind else { return nil }
      return name
    }
  }
}
