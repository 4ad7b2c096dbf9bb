import Codec
import Model
import State
import Testing

@testable import Scheduler

@Suite struct ScoreTests {
  @Test func binPackingGoesFromEmptyToFull() {
    #expect(FitScore.binPack(freeCPU: 0, freeMemory: 0) == 18)
    #expect(abs(FitScore.binPack(freeCPU: 1, freeMemory: 1)) < 1e-9)
    #expect(abs(FitScore.binPack(freeCPU: 0.5, freeMemory: 0.5) - 13.675) < 0.001)
    #expect(abs(FitScore.spread(freeCPU: 0.5, freeMemory: 0.5) - (18 - 13.675)) < 0.001)
  }

  @Test func powersAreTheSameFromTheCache() {
    var cache = PowerCache()
    for total in [100, 4_000, 123_457] as [Int32] {
      for free in stride(from: Int32(0), through: total, by: Int(total / 50)) {
        let expected = FitScore.tenTo(Double(free) / Double(total))
        #expect(cache.tenTo(free: free, of: total) == expected)
        #expect(cache.tenTo(free: free, of: total) == expected)
      }
    }
  }

  private func spread(_ targets: [(String, Int)], count: Int) -> SpreadRequirement {
    var spread = Spread()
    spread.attribute = "${node.datacenter}"
    spread.weight = 100
    spread.spreadTarget = targets.map {
      var target = SpreadTarget()
      (target.value, target.percent) = $0
      return target
    }
    return SpreadRequirement.list([spread], count: count)[0]
  }

  /// The counts include the placement that is scored: the third in dc1 and the first in dc2.
  @Test func spreadTargetsScoreByWhatIsMissing() {
    let spread = spread([("dc1", 80), ("dc2", 20)], count: 10)
    #expect(abs(spread.score(value: "dc1", used: 2, range: nil) - 0.625) < 1e-9)
    #expect(abs(spread.score(value: "dc2", used: 0, range: nil) - 0.5) < 1e-9)
    #expect(spread.score(value: "dc3", used: 0, range: nil) == -1)
    #expect(spread.score(value: nil, used: 0, range: nil) == -1)
  }

  @Test func anOpenShareGoesToTheOtherValues() {
    let spread = spread([("dc1", 50)], count: 10)
    #expect(abs(spread.score(value: "dc9", used: 0, range: nil) - 0.8) < 1e-9)
  }

  @Test(
    arguments: [
      (0, nil, 0.0), (1, (1, 1), -1.0), (0, (1, 1), 1.0), (2, (2, 3), 0.5), (3, (2, 3), -0.5),
    ] as [(Int, (Int, Int)?, Double)]) func evenSpreadsFavourTheEmptier(used: Int, range: (Int, Int)?, expected: Double)
  {
    let found = SpreadRequirement.evenScore(used: used, range: range.map { (smallest: $0.0, largest: $0.1) })
    #expect(found == expected)
  }

  /// The heaps against a plain search, under random changes.
  @Test func theHeapsFindWhatASearchFinds() throws {
    var random = RandomBits(seed: 5)
    for _ in 0..<200 {
      let count = Int.random(in: 1...40, using: &random)
      let bucketCount = Int.random(in: 1...4, using: &random)
      var heaps = CandidateHeaps(candidates: count, buckets: bucketCount)
      var known: [Int: (bucket: Int, parts: Int, sum: Double, tie: UInt64)] = [:]
      func draw() -> (bucket: Int, parts: Int, sum: Double, tie: UInt64) {
        (
          Int.random(in: 0..<bucketCount, using: &random), Int.random(in: 1...4, using: &random),
          Double(Int.random(in: -8...8, using: &random)) / 8, UInt64.random(in: 0..<4, using: &random)
        )
      }
      for candidate in 0..<count {
        let item = draw()
        known[candidate] = item
        heaps.append(candidate, bucket: item.bucket, parts: item.parts, sum: item.sum, tieBreak: item.tie)
      }
      heaps.build()
      for _ in 0..<60 {
        let parts: [Double] = [0, 0.5, -1, .nan]
        let shared: [Double] = (0..<bucketCount).map { _ in parts[Int.random(in: 0..<4, using: &random)] }
        var expected: (candidate: Int, score: Double, tie: UInt64)?
        for (candidate, item) in known.sorted(by: { $0.key < $1.key }) where !shared[item.bucket].isNaN {
          let score = CandidateHeaps.mean(sum: item.sum, parts: item.parts, shared: shared[item.bucket])
          if let best = expected, score < best.score || (score == best.score && item.tie <= best.tie) { continue }
          expected = (candidate, score, item.tie)
        }
        let found = heaps.best(shared: shared)
        #expect(found?.candidate == expected?.candidate && found?.score == expected?.score)
        let candidate = Int.random(in: 0..<count, using: &random)
        if Bool.random(using: &random) {
          heaps.remove(candidate)
          known[candidate] = nil
        } else {
          let item = draw()
          known[candidate] = item
          heaps.update(candidate, bucket: item.bucket, parts: item.parts, sum: item.sum, tieBreak: item.tie)
        }
      }
    }
  }
}
