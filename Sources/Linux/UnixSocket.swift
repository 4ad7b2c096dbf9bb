internal import CLinux

/// A local socket that keeps message boundaries (AF_UNIX, SOCK_SEQPACKET) and can hand over descriptors.
public struct UnixSocket: ~Copyable, Sendable {
  /// The most descriptors one message can carry here.
  public static let maximumDescriptors = Int(SERAI_MAX_PASSED.intValue)

  /// The socket.
  public let descriptor: FileDescriptor

  /// Takes over a socket.
  public init(adopting descriptor: consuming FileDescriptor) { self.descriptor = descriptor }

  /// A listening, non-blocking socket at a path that must not exist; mode 0600.
  public static func listen(at path: String, backlog: Int32 = 64) throws(SystemError) -> UnixSocket {
    let fd = try check(
      serai_unix_listen(path, backlog), "bind", path,
      advice: "the path must be shorter than 108 bytes and must not exist")
    return UnixSocket(adopting: FileDescriptor(adopting: fd))
  }

  /// Connects to a listening socket.
  public static func connect(to path: String) throws(SystemError) -> UnixSocket {
    let fd = try check(serai_unix_connect(path), "connect", path, advice: "is the process that serves it running?")
    return UnixSocket(adopting: FileDescriptor(adopting: fd))
  }

  /// Two connected sockets.
  public static func pair() throws(SystemError) -> (first: Int32, second: Int32) {
    var fds: (Int32, Int32) = (-1, -1)
    let result = withUnsafeMutableBytes(of: &fds) { bytes in
      bytes.withMemoryRebound(to: Int32.self) { $0.baseAddress.map { serai_socketpair($0) } ?? -22 }
    }
    try check(result, "socketpair")
    return (fds.0, fds.1)
  }

  /// The next connection, non-blocking; nil when none waits.
  public borrowing func accept() throws(SystemError) -> UnixSocket? {
    let fd = serai_accept(descriptor.number)
    if fd == -Errno.wouldBlock.rawValue || fd == -103 { return nil }  // ECONNABORTED: the peer has left again
    return UnixSocket(adopting: FileDescriptor(adopting: try check(fd, "accept4")))
  }

  /// Who is at the other end (SO_PEERCRED).
  public borrowing func peer() throws(SystemError) -> (pid: Int32, uid: UInt32, gid: UInt32) {
    var pid: Int32 = 0
    var uid: UInt32 = 0
    var gid: UInt32 = 0
    try check(serai_peer(descriptor.number, &pid, &uid, &gid), "getsockopt SO_PEERCRED")
    return (pid, uid, gid)
  }

  /// Sends one message with descriptors, which the caller keeps owning.
  ///
  /// - Returns: false when `blocking` is false and the socket's buffer is full.
  public borrowing func send(_ bytes: [UInt8], descriptors: [Int32] = [], blocking: Bool) throws(SystemError) -> Bool {
    let fd = descriptor.number
    let sent = bytes.withUnsafeBytes { buffer in
      descriptors.withUnsafeBufferPointer { fds in
        var empty: UInt8 = 0
        guard let base = buffer.baseAddress else {
          return serai_send(fd, &empty, 0, fds.baseAddress, Int32(fds.count), blocking ? 0 : 1)
        }
        return serai_send(fd, base, buffer.count, fds.baseAddress, Int32(fds.count), blocking ? 0 : 1)
      }
    }
    if sent == -Int(Errno.wouldBlock.rawValue) { return false }
    try check(sent, "sendmsg")
    return true
  }

  /// One received message.
  public struct Message: Sendable, Equatable {
    /// Its bytes; empty means that the peer has closed (this protocol never sends empty messages).
    public var bytes: [UInt8]
    /// The descriptors that came with it. The receiver owns them and must close or adopt each.
    public var descriptors: [Int32]
  }

  /// Receives one message of at most `capacity` bytes; nil when `blocking` is false and none waits.
  ///
  /// - Throws: EMSGSIZE for a longer message (its descriptors are closed).
  public borrowing func receive(capacity: Int, blocking: Bool) throws(SystemError) -> Message? {
    var result = 0
    var fds = [Int32](repeating: -1, count: Self.maximumDescriptors)
    var count: Int32 = 0
    let fd = descriptor.number
    let bytes = [UInt8](unsafeUninitializedCapacity: capacity) { buffer, used in
      result = fds.withUnsafeMutableBufferPointer { room in
        guard let base = buffer.baseAddress, let roomBase = room.baseAddress else { return -22 }
        return serai_receive(fd, base, capacity, roomBase, &count, blocking ? 0 : 1)
      }
      used = max(result, 0)
    }
    if result == -Int(Errno.wouldBlock.rawValue) { return nil }
    try check(result, "recvmsg")
    return Message(bytes: bytes, descriptors: Array(fds[..<Int(count)]))
  }

  /// shutdown(2) of both directions: whoever waits in `receive` gets an empty message.
  public borrowing func shutDown() {
    // ENOTCONN: the peer has closed already, which is what is asked.
    _ = serai_shutdown(descriptor.number)
  }

  /// SO_SNDBUF in bytes (the kernel doubles it and caps it by wmem_max).
  public borrowing func setSendBuffer(_ bytes: Int32) throws(SystemError) {
    try check(serai_set_send_buffer(descriptor.number, bytes), "setsockopt SO_SNDBUF")
  }
}
