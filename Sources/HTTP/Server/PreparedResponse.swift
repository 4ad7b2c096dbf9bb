internal import CMicrohttpd

/// A response in the library's form, made on the handler's thread so that the I/O threads only send.
///
/// `@unchecked Sendable`: the library's response object is reference-counted under its own lock and not changed after
/// `init`; this object holds the one reference that `deinit` gives back.
final class PreparedResponse: @unchecked Sendable {
  let status: UInt32
  /// The source of a streamed body.
  let writer: HTTPBodyWriter?
  private let native: OpaquePointer?

  /// A streamed response.
  init(_ response: HTTPResponse, writer: HTTPBodyWriter) {
    status = UInt32(clamping: response.status.rawValue)
    self.writer = writer
    let context = Unmanaged.passRetained(writer)
    native = serai_mhd_stream_response(
      32 << 10,
      { context, _, target, capacity in
        guard let context, let target else { return serai_mhd_end_with_error() }
        let writer = Unmanaged<HTTPBodyWriter>.fromOpaque(context).takeUnretainedValue()
        return writer.read(into: UnsafeMutableRawBufferPointer(start: target, count: capacity))
      }, context.toOpaque(),
      { context in
        if let context { Unmanaged<HTTPBodyWriter>.fromOpaque(context).release() }
      })
    if native == nil { context.release() }
    add(response.headers)
  }

  /// Any other response.
  init(_ response: HTTPResponse, exchange: ServerExchange?, request: HTTPRequest?) {
    writer = nil
    var status = response.status
    switch response.body {
    case .bytes(let bytes):
      native = Self.fromBytes(bytes)
    case .stream:
      // Reached for HEAD only: the head is what was asked for.
      native = Self.fromBytes([])
    case .file(let file):
      if let descriptor = file.take() {
        native = serai_mhd_file_response(file.length, descriptor, file.offset)
      } else {
        status = .internalServerError
        native = Self.fromBytes(Array("the file of this response was already sent".utf8))
      }
    case .upgrade(let serve):
      status = .switchingProtocols
      native = Self.upgrade(serve, exchange: exchange)
    }
    self.status = UInt32(clamping: status.rawValue)
    add(response.headers)
  }

  deinit {
    if let native { serai_mhd_destroy(native) }
  }

  /// Queues the response; false if the connection must be cut.
  func queue(on connection: OpaquePointer) -> Bool {
    guard let native else { return false }
    return serai_mhd_queue(connection, status, native) == SERAI_MHD_YES
  }

  private func add(_ headers: HTTPHeaders) {
    guard let native else { return }
    for field in headers {
      // Refused only for a line break or an empty value, which must not reach the wire: response splitting.
      _ = serai_mhd_add_header(native, field.name, field.value)
    }
  }

  private static func fromBytes(_ bytes: [UInt8]) -> OpaquePointer? {
    bytes.withUnsafeBytes { serai_mhd_buffer_response($0.baseAddress, $0.count) }
  }

  private static func upgrade(
    _ serve: @escaping @Sendable (HTTPUpgradedSocket) async -> Void, exchange: ServerExchange?
  ) -> OpaquePointer? {
    guard let exchange else { return nil }
    let context = Unmanaged.passRetained(UpgradeContext(serve: serve, server: exchange.server))
    let response = serai_mhd_upgrade_response(
      { context, _, _, extra, extraSize, socket, handle in
        guard let context, let handle else { return }
        let upgrade = Unmanaged<UpgradeContext>.fromOpaque(context).takeRetainedValue()
        let early = extra.map { [UInt8](UnsafeRawBufferPointer(start: $0, count: extraSize)) } ?? []
        upgrade.begin(socket: socket, handle: handle, early: early)
      }, context.toOpaque())
    if response == nil { context.release() }
    return response
  }
}
