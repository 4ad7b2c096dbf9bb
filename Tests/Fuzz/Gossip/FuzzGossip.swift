// The libFuzzer target of the gossip core: `make fuzz-gossip`. The first byte says what the rest is and whether the pool
// is encrypted (with a cipher that takes anything, so that what is inside of packets is reached).

import Gossip

private let open = GossipCipher(
  overheadBytes: 0, seal: { plaintext, _, _ in plaintext }, open: { sealed, _, _ in sealed })
private let ourselves = Member(
  name: "a.global", address: GossipAddress(host: "10.0.0.1", port: 4648), tags: ["id": "1"])

/// What libFuzzer calls with every input; 0 keeps the input for further mutation.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>, _ size: Int) -> CInt {
  guard size > 1, let keys = try? KeyRing(data[0] & 1 == 0 ? [] : [[UInt8](repeating: 1, count: 32)]) else { return 0 }
  var core = GossipCore(ourselves, keys: keys, cipher: open, session: 1, seed: 7, now: 0)
  // Inputs one after the other, each behind one byte of kind and two of length.
  var rest = UnsafeBufferPointer(start: data + 1, count: size - 1)[...]
  var now: UInt64 = 0
  let source = GossipAddress(host: "10.0.0.2", port: 4648)
  var exchanges: [UInt64] = []
  while rest.count >= 3 {
    let kind = rest[rest.startIndex]
    let length = Int(rest[rest.startIndex + 1]) << 8 | Int(rest[rest.startIndex + 2])
    rest = rest.dropFirst(3)
    let bytes = Array(rest.prefix(length))
    rest = rest.dropFirst(length)
    now += UInt64(kind) * 50_000_000
    let outputs =
      switch kind % 6 {
      case 0, 1: core.step(.packet(bytes, from: source), now: now)
      case 2: core.step(.request(1, bytes, from: source), now: now)
      case 3: core.step(.answered(exchange: exchanges.last ?? 0, bytes), now: now)
      case 4: core.step(.join(operation: 1, [source]), now: now)
      default: core.step(.tick, now: now)
      }
    for case .exchange(let number, _, _) in outputs { exchanges.append(number) }
  }
  precondition(core.members.count <= core.configuration.maxMembers + 1)
  precondition(core.nextTimer > 0)
  return 0
}
