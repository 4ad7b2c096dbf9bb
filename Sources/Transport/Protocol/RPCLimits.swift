/// Limits and timeouts of connections. Each side enforces its own; what the peer must know is told in the handshake.
public struct RPCLimits: Sendable {
  /// Bytes in one frame's payload. Larger messages are cut into frames, so that no stream holds the connection for long.
  /// 1 KiB to 16 MiB.
  public var maxFrameBytes = 64 << 10
  /// Bytes in the request or response of a call. Streams have no such limit.
  public var maxMessageBytes = 64 << 20
  /// Bytes of requests and responses on one connection whose end has not come yet.
  public var maxBufferedBytes = 256 << 20
  /// Bytes of a stream that the peer may send ahead of the reader.
  public var windowBytes = 256 << 10
  /// Bytes of a stream that a writer may have unsent before `RPCStream.write` waits.
  public var sendBufferBytes = 256 << 10
  /// Streams (calls included) that either side may have open on one connection.
  public var maxStreams = 4096
  /// Bytes of frames that wait for the socket beside stream data; a peer that makes us owe more (by flooding pings
  /// without reading the answers) is cut off.
  public var maxQueuedBytes = 4 << 20
  /// From the connection's start to the end of the handshake.
  public var handshakeTimeout: Duration = .seconds(10)
  /// Without a byte from the peer for so long, it is asked for a sign of life.
  public var pingInterval: Duration = .seconds(15)
  /// Without an answer to that for so long, the connection is given up.
  public var pingTimeout: Duration = .seconds(15)
  /// Connections that one address may have open to a listener.
  public var maxConnectionsPerPeer = 100

  /// The limits that both sides have unless told otherwise.
  public init() {}
}
