/// A pattern as instructions for `Machine` (Thompson's construction).
struct Program: Sendable {
  enum Instruction: Sendable {
    /// Takes one scalar of the set.
    case take(Int)
    /// Takes exactly this scalar, the common case.
    case takeScalar(UInt32)
    /// Goes on at both places; the first is preferred.
    case split(Int, Int)
    case jump(Int)
    /// Remembers the position in a slot: two for each group.
    case save(Int)
    case assert(Assertion)
    case match
  }

  /// Instructions of one pattern: repeat counts multiply, and matching takes time in proportion.
  static let maximumSize = 20_000

  private(set) var instructions: [Instruction] = []
  private(set) var sets: [ScalarSet] = []
  let slots: Int
  private var visits = 0

  static func compile(_ tree: PatternTree, groups: Int) throws(PatternError) -> Program {
    var program = Program(slots: groups * 2)
    try program.add(.group(tree, index: 0))
    try program.emit(.match)
    return program
  }

  private init(slots: Int) {
    self.slots = slots
  }

  private mutating func emit(_ instruction: Instruction) throws(PatternError) {
    guard instructions.count < Program.maximumSize else {
      throw PatternError(message: "expression too large", part: "")
    }
    instructions.append(instruction)
  }

  private mutating func add(_ tree: PatternTree) throws(PatternError) {
    // Repeated nothing emits nothing, but going over it takes time all the same.
    visits += 1
    guard visits < Program.maximumSize * 10 else { throw PatternError(message: "expression too large", part: "") }
    switch tree {
    case .empty: break
    case .set(let set):
      if set.ranges.count == 1, let range = set.ranges.first, range.count == 1, set.categories.isEmpty, !set.negated,
        !set.foldsCase
      {
        try emit(.takeScalar(range.lowerBound))
      } else {
        sets.append(set)
        try emit(.take(sets.count - 1))
      }
    case .assertion(let assertion): try emit(.assert(assertion))
    case .sequence(let items): for item in items { try add(item) }
    case .alternatives(let items):
      var jumps: [Int] = []
      for item in items.dropLast() {
        let split = instructions.count
        try emit(.jump(0))
        try add(item)
        jumps.append(instructions.count)
        try emit(.jump(0))
        instructions[split] = .split(split + 1, instructions.count)
      }
      if let last = items.last { try add(last) }
      for jump in jumps { instructions[jump] = .jump(instructions.count) }
    case .group(let inner, let index):
      try emit(.save(index * 2))
      try add(inner)
      try emit(.save(index * 2 + 1))
    case .repeated(let inner, let minimum, let maximum, let greedy):
      for _ in 0..<minimum { try add(inner) }
      if let maximum {
        // x{2,4} is xx(x(x)?)?
        var splits: [Int] = []
        for _ in minimum..<max(minimum, maximum) {
          splits.append(instructions.count)
          try emit(.jump(0))
          try add(inner)
        }
        for split in splits {
          instructions[split] = greedy ? .split(split + 1, instructions.count) : .split(instructions.count, split + 1)
        }
      } else {
        let split = instructions.count
        try emit(.jump(0))
        try add(inner)
        try emit(.jump(split))
        instructions[split] = greedy ? .split(split + 1, instructions.count) : .split(instructions.count, split + 1)
      }
    }
  }
}
