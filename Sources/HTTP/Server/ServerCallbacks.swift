internal import CMicrohttpd
internal import CNet
internal import Glibc

// The C library's four callbacks. The server outlives them: `HTTPServer.stop` joins the library's threads before the core
// can go, and a core that was started and never stopped is kept by the retained contexts of its connections.

/// The request line was read: makes the exchange.
func requestBegins(
  _ context: UnsafeMutableRawPointer?, _ target: UnsafePointer<CChar>, _ native: OpaquePointer
) -> UnsafeMutableRawPointer? {
  guard let context, let slot = serai_mhd_connection_context(native) else { return nil }
  let server = Unmanaged<ServerCore>.fromOpaque(context).takeUnretainedValue()
  let connection = Unmanaged<ServerConnection>.fromOpaque(slot).takeUnretainedValue()
  let exchange = ServerExchange(server: server, connection: connection, rawTarget: String(validatingCString: target))
  return Unmanaged.passRetained(exchange).toOpaque()
}

/// A part of a request is there, or its connection was resumed.
func serveRequest(
  _ context: UnsafeMutableRawPointer?, _ native: OpaquePointer?, _ url: UnsafePointer<CChar>?,
  _ method: UnsafePointer<CChar>?, _ version: UnsafePointer<CChar>?, _ upload: UnsafePointer<CChar>?,
  _ uploadSize: UnsafeMutablePointer<Int>?, _ slot: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
) -> MHD_Result {
  guard let native, let uploadSize, let stored = slot?.pointee else { return SERAI_MHD_NO }
  let exchange = Unmanaged<ServerExchange>.fromOpaque(stored).takeUnretainedValue()
  let step = exchange.advance(
    native, method: method, upload: UnsafeRawBufferPointer(start: upload, count: uploadSize.pointee))
  switch step {
  case .goOn:
    uploadSize.pointee = 0
    return SERAI_MHD_YES
  case .respond(let response): return response.queue(on: native) ? SERAI_MHD_YES : SERAI_MHD_NO
  case .cut: return SERAI_MHD_NO
  }
}

/// The response is out, or the connection failed.
func requestCompleted(
  _ context: UnsafeMutableRawPointer?, _ native: OpaquePointer?,
  _ slot: UnsafeMutablePointer<UnsafeMutableRawPointer?>?, _ reason: MHD_RequestTerminationCode
) {
  guard let stored = slot?.pointee else { return }
  slot?.pointee = nil
  let exchange = Unmanaged<ServerExchange>.fromOpaque(stored).takeRetainedValue()
  exchange.completed()
}

/// A connection was accepted, or is about to be closed.
func connectionChanged(
  _ context: UnsafeMutableRawPointer?, _ native: OpaquePointer?,
  _ slot: UnsafeMutablePointer<UnsafeMutableRawPointer?>?, _ change: MHD_ConnectionNotificationCode
) {
  guard let context, let native, let slot else { return }
  let server = Unmanaged<ServerCore>.fromOpaque(context).takeUnretainedValue()
  if change == SERAI_MHD_CONNECTION_STARTED {
    let descriptor = serai_mhd_socket(native)
    let connection = server.connections.opened(descriptor: descriptor, remoteAddress: peerAddress(of: descriptor))
    slot.pointee = Unmanaged.passRetained(connection).toOpaque()
    if connection.refused { sendRefusal(descriptor, limit: server.configuration.maxConnectionsPerClient) }
  } else if let stored = slot.pointee {
    slot.pointee = nil
    server.connections.closed(Unmanaged<ServerConnection>.fromOpaque(stored).takeRetainedValue())
  }
}

private func peerAddress(of descriptor: Int32) -> String {
  var address = serai_address()
  guard serai_peer_name(descriptor, &address) == 0 else { return "" }
  return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 64) { text in
    guard let base = text.baseAddress else { return "" }
    serai_address_host(&address, base, 64)
    return String(cString: base)
  }
}

/// Tells a client why it is turned away. The connection has just been accepted, so that its send buffer has room; the
/// end of the stream follows, and the table's deadline cuts what is left.
private func sendRefusal(_ descriptor: Int32, limit: Int) {
  let text = "too many connections from your address: the limit is \(limit) (limits.http_max_conns_per_client)\n"
  let message =
    "HTTP/1.1 429 Too Many Requests\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n"
    + "Content-Length: \(text.utf8.count)\r\n\r\n" + text
  let bytes = Array(message.utf8)
  _ = bytes.withUnsafeBytes { source in source.baseAddress.map { serai_send(descriptor, $0, source.count) } }
  shutdown(descriptor, Int32(SHUT_WR))
}
