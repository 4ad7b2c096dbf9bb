import CNet
import Glibc
import Linux

@testable import Transport

/// Runs blocking work on a thread of its own.
func offPool<Value: Sendable>(_ work: @escaping @Sendable () -> Value) async -> Value {
  await withCheckedContinuation { continuation in
    do throws(SystemError) {
      try DetachedThread.start(named: "test") { continuation.resume(returning: work()) }
    } catch {
      continuation.resume(returning: work())
    }
  }
}

/// Connects, sends bytes, reads until the end (or a first piece) and closes. Blocks, at most ten seconds a read.
func conversation(_ port: UInt16, _ bytes: [UInt8], readToEnd: Bool = true) -> [UInt8] {
  var address = serai_net_address()
  guard serai_net_address_parse(&address, "127.0.0.1", port) == 0 else { return [] }
  let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
  defer { close(descriptor) }
  var timeout = timeval(tv_sec: 10, tv_usec: 0)
  setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
  guard serai_net_connect(descriptor, &address) == 0 else { return [] }
  _ = bytes.withUnsafeBytes { source in source.baseAddress.map { serai_net_send(descriptor, $0, source.count) } }
  var all: [UInt8] = []
  var buffer = [UInt8](repeating: 0, count: 65536)
  repeat {
    let count = recv(descriptor, &buffer, buffer.count, 0)
    if count <= 0 { break }
    all += buffer[..<count]
  } while readToEnd
  return all
}
