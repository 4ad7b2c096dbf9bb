/// Runs a program over a text: all threads of the match in step, one scalar at a time (Pike's virtual machine). Each instruction
/// is visited once at most for each position, so a search takes time in the product of text and program, never more.
struct Machine {
  private let program: Program
  private let bytes: [UInt8]
  /// Threads in order of preference, with their captured positions side by side.
  private struct Threads {
    var pcs: [Int] = []
    var slots: [Int] = []
    /// `marks[pc] == generation` when the instruction is in the list already.
    var marks: [Int]
    var generation = 1

    init(_ count: Int) {
      marks = [Int](repeating: 0, count: count)
    }

    mutating func clear() {
      pcs.removeAll(keepingCapacity: true)
      slots.removeAll(keepingCapacity: true)
      generation += 1
    }
  }

  private var current: Threads
  private var following: Threads
  private var explorer: Explorer

  init(_ program: Program, _ bytes: [UInt8]) {
    self.program = program
    self.bytes = bytes
    current = Threads(program.instructions.count)
    following = Threads(program.instructions.count)
    explorer = Explorer(slots: program.slots)
  }

  /// Instructions visited so far, over all searches.
  var steps: Int { explorer.steps }

  mutating func run(from start: Int) -> Match? {
    var best: [Int]?
    current.clear()
    following.clear()
    var at = start
    while at <= bytes.count {
      // A new thread begins here with the least preference, until something has matched.
      if best == nil {
        explorer.forget()
        explorer.add(0, at, &current, program, bytes)
      }
      if current.pcs.isEmpty {
        if best != nil { break }
      }
      let (scalar, length) = at < bytes.count ? decode(bytes, at) : (0, 0)
      let slotCount = program.slots
      threads: for index in current.pcs.indices {
        let pc = current.pcs[index]
        switch program.instructions[pc] {
        case .match:
          best = Array(current.slots[index * slotCount..<(index + 1) * slotCount])
          // Threads of less preference can't win any more.
          break threads
        case .takeScalar(let wanted):
          guard length > 0, scalar == wanted else { continue }
        case .take(let set):
          guard length > 0, program.sets[set].contains(scalar) else { continue }
        default: continue
        }
        explorer.take(current.slots[index * slotCount..<(index + 1) * slotCount])
        explorer.add(pc + 1, at + length, &following, program, bytes)
      }
      swap(&current, &following)
      following.clear()
      if at >= bytes.count { break }
      at += length
    }
    guard let best else { return nil }
    var groups: [Range<Int>?] = []
    for i in stride(from: 0, to: best.count, by: 2) {
      groups.append(best[i] >= 0 && best[i + 1] >= best[i] ? best[i]..<best[i + 1] : nil)
    }
    return Match(groups: groups)
  }

  /// Follows the instructions that take no scalar.
  private struct Explorer {
    private enum Work {
      case visit(Int)
      case restore(slot: Int, value: Int)
    }

    private var stack: [Work] = []
    /// The captured positions of the thread that is followed.
    private var scratch: [Int]
    private(set) var steps = 0

    init(slots: Int) {
      scratch = [Int](repeating: -1, count: slots)
    }

    mutating func forget() {
      for i in scratch.indices { scratch[i] = -1 }
    }

    mutating func take(_ slots: ArraySlice<Int>) {
      for (i, slot) in slots.enumerated() { scratch[i] = slot }
    }

    /// Adds the thread at `pc` and what it reaches without taking a scalar, positions from `scratch`.
    mutating func add(_ pc: Int, _ at: Int, _ threads: inout Threads, _ program: Program, _ bytes: [UInt8]) {
      stack.append(.visit(pc))
      while let work = stack.popLast() {
        guard case .visit(let pc) = work else {
          if case .restore(let slot, let value) = work { scratch[slot] = value }
          continue
        }
        if threads.marks[pc] == threads.generation { continue }
        threads.marks[pc] = threads.generation
        steps += 1
        switch program.instructions[pc] {
        case .jump(let target): stack.append(.visit(target))
        case .split(let first, let second):
          stack.append(.visit(second))
          stack.append(.visit(first))
        case .save(let slot):
          stack.append(.restore(slot: slot, value: scratch[slot]))
          scratch[slot] = at
          stack.append(.visit(pc + 1))
        case .assert(let assertion): if holds(assertion, at, bytes) { stack.append(.visit(pc + 1)) }
        case .take, .takeScalar, .match:
          threads.pcs.append(pc)
          threads.slots += scratch
        }
      }
    }

    private func holds(_ assertion: Assertion, _ at: Int, _ bytes: [UInt8]) -> Bool {
      func isWord(_ i: Int) -> Bool {
        guard i >= 0, i < bytes.count else { return false }
        let b = bytes[i]
        return (0x30...0x39).contains(b) || (0x41...0x5A).contains(b) || (0x61...0x7A).contains(b) || b == 0x5F
      }
      return switch assertion {
      case .textStart: at == 0
      case .textEnd: at == bytes.count
      case .lineStart: at == 0 || bytes[at - 1] == 0x0A
      case .lineEnd: at == bytes.count || bytes[at] == 0x0A
      case .wordBoundary: isWord(at - 1) != isWord(at)
      case .noWordBoundary: isWord(at - 1) == isWord(at)
      }
    }
  }
}
