// Figures of the RPC transport and the HTTP server on this machine, load generator included: run it in release.
//
//   swift run -c release net-bench rpc [seconds]        round trips and calls per second over loopback
//   swift run -c release net-bench get <url>            one synchronous request, as a command makes it, and its cost
//   swift run -c release net-bench http <port>          serves /, /stream and /wait for an external load generator
import Glibc
import HTTP
import Transport

func nanoseconds() -> UInt64 {
  var now = timespec()
  clock_gettime(CLOCK_MONOTONIC, &now)
  return UInt64(now.tv_sec) * 1_000_000_000 + UInt64(now.tv_nsec)
}

func percentile(_ sorted: [UInt64], _ part: Double) -> Double {
  Double(sorted[min(sorted.count - 1, Int(Double(sorted.count) * part))]) / 1000
}

func rpc() async throws {
  let server = try RPCEndpoint(
    configuration: RPCConfiguration(ourselves: RPCPeer(role: .server, region: "global", name: "server")),
    handler: { $0.body },
    streamHandler: { _, stream in while let bytes = try await stream.read() { _ = bytes } })
  let client = try RPCEndpoint(
    configuration: RPCConfiguration(ourselves: RPCPeer(role: .client, region: "global", name: "client")),
    handler: { $0.body })
  let connection = try await client.connect(to: "127.0.0.1:\(try server.listen(address: "127.0.0.1", port: 0))")
  let body = [UInt8](repeating: 1, count: 100)
  for size in [100, 4096] {
    let body = [UInt8](repeating: 1, count: size)
    var times: [UInt64] = []
    for _ in 0..<20_000 {
      let start = nanoseconds()
      _ = try await connection.call(method: "Bench.Echo", body: body, timeout: .seconds(5))
      times.append(nanoseconds() - start)
    }
    times.sort()
    print("round trip, \(size) bytes: p50 \(percentile(times, 0.5)) µs, p99 \(percentile(times, 0.99)) µs")
  }
  for callers in [16, 64, 256] {
    let each = 200_000 / callers
    let start = nanoseconds()
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<callers {
        group.addTask {
          for _ in 0..<each { _ = try await connection.call(method: "Bench.Echo", body: body, timeout: .seconds(30)) }
        }
      }
      try await group.waitForAll()
    }
    let seconds = Double(nanoseconds() - start) / 1e9
    print("\(callers) callers on one connection: \(Int(Double(each * callers) / seconds)) calls/s")
  }
  let stream = try await connection.openStream(method: "Bench.Sink")
  let block = [UInt8](repeating: 2, count: 64 << 10)
  let start = nanoseconds()
  for _ in 0..<16_000 { try await stream.write(block) }
  stream.finish()
  while try await stream.read() != nil {}
  print("stream: \(Int(Double(16_000 * (64 << 10)) / (Double(nanoseconds() - start) / 1e9) / 1e6)) MB/s")
  await client.close()
  await server.close()
}

func get(_ url: String) throws {
  // One tick of the process's start time is 10 ms: the caller times the whole, this the part in our hands.
  let start = nanoseconds()
  let result = try HTTPClient.perform(HTTPClientRequest(url: url))
  print("\(result.status), \(result.body.count) bytes, \((nanoseconds() - start) / 1000) µs in the request")
}

func http(_ port: UInt16) async throws {
  var configuration = HTTPServerConfiguration(addresses: [.tcp(host: "127.0.0.1", port: port)])
  configuration.maxConnectionsPerClient = 0
  let list = Array(
    String(repeating: "{\"ID\":\"3f7c\",\"Name\":\"example.cache[0]\",\"Status\":\"running\"},", count: 20_000).utf8)
  let server = try HTTPServer(
    configuration: configuration,
    handler: { request in
      switch request.target.path {
      case "/list": return HTTPResponse(headers: ["Content-Type": "application/json"], bytes: list)
      case "/wait":
        try? await Task.sleep(for: .seconds(2))
        return .text("woken")
      default: return .text("ok")
      }
    })
  print(try server.start())
  while true { try await Task.sleep(for: .seconds(3600)) }
}

switch CommandLine.arguments.dropFirst().first {
case "rpc": try await rpc()
case "get": try get(CommandLine.arguments.count > 2 ? CommandLine.arguments[2] : "")
case "http": try await http(CommandLine.arguments.count > 2 ? UInt16(CommandLine.arguments[2]) ?? 0 : 0)
default: print("usage: net-bench rpc | http <port>")
}
