import Codec
import Model
import Testing

@testable import Scheduler

@Suite struct ConstraintTests {
  struct Case: Sendable, CustomStringConvertible {
    let left: String?
    let operation: String
    let right: String?
    let holds: Bool
    init(_ left: String?, _ operation: String, _ right: String?, _ holds: Bool) {
      (self.left, self.operation, self.right, self.holds) = (left, operation, right, holds)
    }
    var description: String { "\(left ?? "nil") \(operation) \(right ?? "nil")" }
  }

  @Test(arguments: [
    Case("a", "", "a", true), Case("a", "=", "b", false), Case(nil, "!=", "a", true), Case("a", "not", "a", false),
    // Numbers of one kind are compared by value, anything else byte by byte.
    Case("9", "<", "10", true), Case("9", ">=", "10", false), Case("2.5", ">", "2.25", true),
    Case("-3", "<", "2", true), Case("9", "<", "10a", false), Case("9", "<=", "9", true), Case("a", "<", "b", true),
    Case(nil, "<", "b", false), Case("a", ">", nil, false),
    Case("a, b ,c", "set_contains", "c,a", true), Case("a,b", "set_contains_all", "a,c", false),
    Case("a,b", "set_contains_any", "x, b", true), Case("ab", "set_contains_any", "a", false),
    Case("x", "is_set", nil, true), Case(nil, "is_not_set", nil, true),
    Case("1.10.0", "version", "> 1.9", true), Case("v1.2", "version", "~> 1.1", true),
    Case("1.2", "version", "banana", false), Case("banana", "version", "> 1", false),
    Case("1.2.3-rc1", "version", "> 1.2", false), Case("1.2.3-rc1", "semver", "> 1.2.0", true),
    Case("1.2.3", "semver", "~> 1.2", false), Case("1.2.3beta", "semver", "> 1.0.0", false),
  ]) func anOperatorHoldsAsDocumented(row: Case) throws {
    let operation = try #require(ConstraintOperator(row.operation))
    var comparison = OperandComparison()
    #expect(comparison.holds(operation, left: row.left, right: row.right) == row.holds)
    // The second time the right side comes from the memory.
    #expect(comparison.holds(operation, left: row.left, right: row.right) == row.holds)
  }

  @Test(.enabled(if: Oracles.folder != nil, Oracles.reason)) func theCollectedCasesHold() throws {
    let cases = try JSON.decode([JSONValue].self, from: Oracles.contents(of: "data/scheduler/constraint_cases.json"))
    #expect(cases.count == 63)
    func text(_ value: JSONValue?) -> String? { value?.stringValue ?? value?.intValue.map { String($0) } }
    var comparison = OperandComparison()
    for item in cases {
      let name = try #require(item["op"]?.stringValue)
      let operation = try #require(ConstraintOperator(name))
      let holds = comparison.holds(operation, left: text(item["left"]), right: text(item["right"]))
      #expect(holds == item["ok"]?.boolValue, "\(item)")
    }
  }

  @Test func anUnknownOperatorIsMetByNoNode() {
    var comparison = OperandComparison()
    let constraint = NodeConstraint(left: "${attr.kernel.name}", operand: "resembles", right: "linux")
    #expect(!constraint.holds(on: makeNode(1), comparing: &comparison))
  }

  @Test(
    arguments: [
      ("${attr.kernel.name}", "linux"), ("${node.datacenter}", "dc1"), ("${node.unique.name}", "node-7"),
      ("${node.class}", ""), ("${node.pool}", "default"), ("${meta.rack}", nil), ("${env.HOME}", nil),
      ("plain", "plain"),
      ("${node.unique.id}", identifier(7).description),
    ] as [(String, String?)]) func aTargetNamesWhatTheNodeHas(target: String, value: String?)
  {
    #expect(Operand(target).value(on: makeNode(7)) == value)
  }

  @Test func uniqueTargetsAreTold() {
    #expect(Operand("${attr.unique.hostname}").isUniqueToNode && Operand("${meta.unique.x}").isUniqueToNode)
    #expect(Operand("${node.unique.id}").isUniqueToNode && !Operand("${attr.cpu.arch}").isUniqueToNode)
  }

  @Test(arguments: [
    ("*", "dc1", true), ("dc*", "dc1", true), ("d*1", "dc21", true), ("d*1", "dc12", false), ("dc1", "dc1", true),
    ("dc1", "dc11", false), ("**", "", true), ("", "", true), ("*a*b*", "xxaxxbxx", true), ("*a*b*", "xxbxxaxx", false),
  ]) func datacentersMatchWithStars(pattern: String, name: String, expected: Bool) {
    #expect(DatacenterGlob.matches(pattern, name) == expected)
  }
}
