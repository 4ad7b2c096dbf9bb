internal import CMicrohttpd

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
    guard let connection = server.connections.started(descriptor: serai_mhd_socket(native)) else { return }
    slot.pointee = Unmanaged.passRetained(connection).toOpaque()
  } else if let stored = slot.pointee {
    slot.pointee = nil
    server.connections.closed(Unmanaged<ServerConnection>.fromOpaque(stored).takeRetainedValue())
  }
}
