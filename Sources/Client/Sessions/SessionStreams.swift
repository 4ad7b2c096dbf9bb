internal import Linux
internal import Synchronization

/// The streams of one session: the command's ends and ours.
final class SessionStreams: Sendable {
  /// What the command writes; with a terminal, everything.
  let output: SessionStream
  /// nil with a terminal.
  let error: SessionStream?
  /// nil once it is closed.
  private let input: Mutex<SessionStream?>
  private let isTerminal: Bool
  /// The command's input, output and error. Ours as well until the command has ended, so that the end of the output is
  /// not seen before the command is there.
  private let theirs: Mutex<[Int32]>

  /// Makes three pipes, or a terminal.
  ///
  /// - Parameter pid: a process of the task, among whose terminals it shall be.
  init(isTerminal: Bool, pid: Int) throws(SystemError) {
    self.isTerminal = isTerminal
    if isTerminal {
      let (master, peer) = try Self.terminal(seenBy: pid).release()
      theirs = Mutex([peer])
      output = try SessionStream(adopting: master, reads: true, writes: true)
      error = nil
      input = Mutex(output)
      return
    }
    let input = try Pipe().release()
    theirs = Mutex([input.read])
    self.input = Mutex(try SessionStream(adopting: input.write, reads: false, writes: true))
    let output = try Pipe().release()
    theirs.withLock { $0.append(output.write) }
    self.output = try SessionStream(adopting: output.read, reads: true, writes: false)
    let error = try Pipe().release()
    theirs.withLock { $0.append(error.write) }
    self.error = try SessionStream(adopting: error.read, reads: true, writes: false)
  }

  deinit { closeTheirs() }

  private static func terminal(seenBy pid: Int) throws(SystemError) -> Terminal {
    do {
      return try Terminal(seenBy: Int32(clamping: pid))
    } catch  where error.errno == .noSuchFile || error.errno == .permissionDenied {
      // A task of the host's file system may see no terminals under that name.
      return try Terminal()
    } catch {
      throw error
    }
  }

  /// Numbers for the command's input, output and error.
  var numbers: [Int32] {
    let all = theirs.withLock { $0 }
    return isTerminal ? all + all + all : all
  }

  /// Hands bytes to the command.
  func write(_ bytes: [UInt8]) async {
    // A command that has closed its input does not want them.
    if let input = input.withLock({ $0 }) { _ = await input.write(bytes) }
  }

  /// No more bytes come. A terminal has no end but the character for it, VEOF.
  func closeInput() async {
    if isTerminal { return await write([4]) }
    input.withLock { $0 = nil }
  }

  func resize(rows: Int, columns: Int) {
    if isTerminal { output.resize(rows: rows, columns: columns) }
  }

  /// The command has ended: what it wrote is still read, nothing is waited for.
  func commandEnded() {
    closeTheirs()
    stop()
  }

  /// Nothing is waited for any more.
  func stop() {
    output.stop()
    error?.stop()
    input.withLock { $0 }?.stop()
  }

  private func closeTheirs() {
    let numbers = theirs.withLock { numbers in
      defer { numbers = [] }
      return numbers
    }
    for number in numbers { _ = FileDescriptor(adopting: number) }
  }
}
