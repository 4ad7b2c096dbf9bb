internal import CCurl
internal import Glibc
internal import Linux
internal import Synchronization

/// The thread on which libcurl's multi interface runs all exchanges of a client.
final class ClientLoop: Sendable {
  private enum Command {
    case start(Transfer)
    case resume(Transfer)
    case cancel(Transfer)
  }

  private struct State {
    var commands: [Command] = []
    var multi: Multi?
    var stopping = false
  }

  /// `@unchecked Sendable`: used by the loop's thread only, but for curl_multi_wakeup, which is made for other threads and
  /// called under the lock under which the thread takes the handle away before it frees it.
  private struct Multi: @unchecked Sendable {
    let pointer: UnsafeMutableRawPointer
  }

  private let state = Mutex(State())

  func start(_ transfer: Transfer) throws(HTTPClientError) {
    try CurlHandle.load()
    let started = state.withLock { state in
      if state.stopping { return false }
      if state.multi == nil {
        guard let pointer = serai_curl_multi_init() else { return false }
        let multi = Multi(pointer: pointer)
        do throws(SystemError) {
          try DetachedThread.start(named: "http-client", stackBytes: 0) { [self] in run(multi) }
        } catch {
          serai_curl_multi_cleanup(pointer)
          return false
        }
        state.multi = multi
      }
      return true
    }
    guard started else {
      throw HTTPClientError(
        .other, "\(transfer.what) failed: no memory or thread for an HTTP client; raise the limits (ulimit -u)")
    }
    post(.start(transfer))
  }

  func resume(_ transfer: Transfer) { post(.resume(transfer)) }

  func cancel(_ transfer: Transfer) { post(.cancel(transfer)) }

  func stop() {
    state.withLock { state in
      state.stopping = true
      if let multi = state.multi { serai_curl_multi_wakeup(multi.pointer) }
    }
  }

  private func post(_ command: Command) {
    state.withLock { state in
      state.commands.append(command)
      if let multi = state.multi { serai_curl_multi_wakeup(multi.pointer) }
    }
  }

  private func run(_ multi: Multi) {
    var running = Running(multi: multi.pointer)
    while true {
      let (commands, stopping) = state.withLock { state in
        defer { state.commands = [] }
        return (state.commands, state.stopping)
      }
      for command in commands {
        switch command {
        case .start(let transfer): running.start(transfer)
        case .resume(let transfer): running.resume(transfer)
        case .cancel(let transfer): running.cancel(transfer)
        }
      }
      if stopping { break }
      running.perform()
      serai_curl_multi_poll(multi.pointer, 60_000)
    }
    running.end()
    // From here on no other thread wakes the handle.
    let late = state.withLock { state in
      state.multi = nil
      defer { state.commands = [] }
      return state.commands
    }
    for case .start(let transfer) in late { transfer.finished(Running.clientGone(transfer)) }
    serai_curl_multi_cleanup(multi.pointer)
  }
}

/// The exchanges under way; lives on the loop's thread.
private struct Running: ~Copyable {
  /// An exchange and its C handle; a class because dictionaries hold no noncopyable values.
  final class Entry {
    let handle: CurlHandle
    let transfer: Transfer
    init(_ handle: consuming CurlHandle, _ transfer: Transfer) {
      self.handle = handle
      self.transfer = transfer
    }
  }

  let multi: UnsafeMutableRawPointer
  private var entries: [UnsafeMutableRawPointer: Entry] = [:]
  private var handles: [ObjectIdentifier: UnsafeMutableRawPointer] = [:]

  init(multi: UnsafeMutableRawPointer) { self.multi = multi }

  static func clientGone(_ transfer: Transfer) -> HTTPClientError {
    HTTPClientError(.cancelled, "\(transfer.what) was given up: its client is gone")
  }

  mutating func start(_ transfer: Transfer) {
    do throws(HTTPClientError) {
      let handle = try CurlHandle.make(transfer.request, transfer.configuration)
      // Not retained: the entry keeps the transfer as long as the handle exists.
      let context = Unmanaged.passUnretained(transfer).toOpaque()
      _ = serai_curl_set_receivers(handle.pointer, receiveHeader, receiveBody, context)
      let pointer = handle.pointer
      guard serai_curl_multi_add_handle(multi, pointer) == CURLM_OK else {
        throw HTTPClientError(.other, "\(transfer.what) failed: libcurl takes no more requests")
      }
      entries[pointer] = Entry(handle, transfer)
      handles[ObjectIdentifier(transfer)] = pointer
    } catch {
      transfer.finished(error)
    }
  }

  mutating func resume(_ transfer: Transfer) {
    guard let pointer = handles[ObjectIdentifier(transfer)] else { return }
    serai_curl_easy_pause(pointer, CURLPAUSE_CONT)
  }

  mutating func cancel(_ transfer: Transfer) {
    guard let pointer = handles[ObjectIdentifier(transfer)] else { return }
    remove(pointer)
    transfer.finished(HTTPClientError(.cancelled, "\(transfer.what) was cancelled"))
  }

  mutating func perform() {
    var count: Int32 = 0
    serai_curl_multi_perform(multi, &count)
    var code = CURLE_OK
    while let pointer = serai_curl_next_done(multi, &code) {
      guard let entry = entries[pointer] else { continue }
      let error = entry.handle.failure(code, entry.transfer.request, entry.transfer.configuration)
      remove(pointer)
      entry.transfer.finished(error)
    }
  }

  mutating func end() {
    for (pointer, entry) in entries {
      serai_curl_multi_remove_handle(multi, pointer)
      entry.transfer.finished(Self.clientGone(entry.transfer))
    }
    entries = [:]
    handles = [:]
  }

  private mutating func remove(_ pointer: UnsafeMutableRawPointer) {
    serai_curl_multi_remove_handle(multi, pointer)
    guard let entry = entries.removeValue(forKey: pointer) else { return }
    handles[ObjectIdentifier(entry.transfer)] = nil
  }
}

private func receiveHeader(
  _ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ context: UnsafeMutableRawPointer?
) -> Int {
  guard let bytes, let context else { return serai_curl_write_abort() }
  let transfer = Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
  transfer.receiveHeader(String(decoding: UnsafeRawBufferPointer(start: bytes, count: size * count), as: UTF8.self))
  return size * count
}

private func receiveBody(
  _ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ context: UnsafeMutableRawPointer?
) -> Int {
  guard let bytes, let context else { return serai_curl_write_abort() }
  let transfer = Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
  let taken = transfer.receive(UnsafeRawBufferPointer(start: bytes, count: size * count))
  return taken ? size * count : serai_curl_write_pause()
}
