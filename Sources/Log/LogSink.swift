import Glibc
import Synchronization

/// Where lines go. Called from any thread; a sink that cannot write drops the line, since nobody is left to tell.
public protocol LogSink: Sendable {
  /// Writes one rendered line; `line` carries no newline.
  func write(line: String)
}

/// Lines to a descriptor that stays open for the process's life, standard error for example.
public struct DescriptorSink: LogSink {
  let descriptor: Int32

  /// A sink on `descriptor`, which it does not close.
  public init(descriptor: Int32) { self.descriptor = descriptor }

  /// One write(2) a line: lines of two threads do not mix as long as they are shorter than a pipe's buffer.
  public func write(line: String) { writeWhole(line + "\n", to: descriptor) }
}

/// Lines to several sinks.
public struct CombinedSink: LogSink {
  let sinks: [any LogSink]

  /// Every line goes to each of `sinks`, in order.
  public init(_ sinks: [any LogSink]) { self.sinks = sinks }

  /// Hands the line to every sink, in order.
  public func write(line: String) { for sink in sinks { sink.write(line: line) } }
}

/// Lines handed to whoever follows the log at the moment (`agent monitor`).
public final class BroadcastSink: LogSink {
  private struct Followers {
    var next = 0
    var handlers: [Int: @Sendable (String) -> Void] = [:]
  }

  private let followers = Mutex(Followers())

  /// A sink that nobody follows yet.
  public init() {}

  /// Hands the line to everyone who follows at the moment, on the caller's thread.
  public func write(line: String) {
    let handlers = followers.withLock { state in state.handlers.sorted { $0.key < $1.key }.map(\.value) }
    for handler in handlers { handler(line) }
  }

  /// Calls `handler` with every later line, on the thread that logs, so it must be quick and must not log.
  /// Returns a token for `unfollow`.
  public func follow(_ handler: @escaping @Sendable (String) -> Void) -> Int {
    followers.withLock { state in
      state.next += 1
      state.handlers[state.next] = handler
      return state.next
    }
  }

  /// Ends what `follow` began; an unknown token is ignored.
  public func unfollow(_ token: Int) { followers.withLock { state in state.handlers[token] = nil } }
}

/// Writes all of `text`; gives up at the first error other than an interruption.
func writeWhole(_ text: String, to descriptor: Int32) {
  var text = text
  text.withUTF8 { bytes in
    var rest = UnsafeRawBufferPointer(bytes)
    while !rest.isEmpty {
      let written = Glibc.write(descriptor, rest.baseAddress, rest.count)
      if written < 0 {
        if errno == EINTR { continue }
        return
      }
      rest = UnsafeRawBufferPointer(rebasing: rest[written...])
    }
  }
}
