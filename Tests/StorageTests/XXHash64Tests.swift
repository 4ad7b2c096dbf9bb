import Codec
import Testing

/// Expectations: the reference implementation's published sanity values (xxHash repository, `tests/sanity_test_vectors`
/// and README) and the often quoted ones of short ASCII strings.
@Suite struct XXHash64Tests {
  @Test(arguments: [
    ("", UInt64(0), UInt64(0xEF46_DB37_51D8_E999)),
    ("a", 0, 0xD24E_C4F1_A98C_6E5B),
    ("abc", 0, 0x44BC_2CF5_AD77_0999),
    ("xxhash", 0, 0x32DD_3895_2C4B_C720),
    ("xxhash", 20141025, 0xB559_B98D_844E_0635),
    ("Nobody inspects the spammish repetition", 0, 0xFBCE_A83C_8A37_8BF1),
  ])
  func knownValues(text: String, seed: UInt64, expected: UInt64) {
    #expect(XXHash64.hash(Array(text.utf8), seed: seed) == expected)
  }

  @Test func cutIntoPiecesGivesTheSameValue() {
    let bytes = (0..<1_000).map { UInt8(truncatingIfNeeded: $0 * 31) }
    let whole = XXHash64.hash(bytes)
    for size in [1, 3, 7, 31, 32, 33, 100, 999] {
      var hasher = XXHash64()
      for start in stride(from: 0, to: bytes.count, by: size) {
        hasher.update(Array(bytes[start..<min(start + size, bytes.count)]))
      }
      #expect(hasher.value == whole)
    }
  }
}
