internal import Client
internal import Codec
internal import HTTP
internal import Model
internal import Server

let clientRoutes: [Route] = [
  Route([.get], "/v1/client/fs/ls/:id", .allocation("id")) { request, context in
    let files = try await context.theClient().files(ofAllocation: try request.identifier("id", "alloc"))
    return try request.json(try await files.list(request.filePath))
  },
  Route([.get], "/v1/client/fs/stat/:id", .allocation("id")) { request, context in
    let files = try await context.theClient().files(ofAllocation: try request.identifier("id", "alloc"))
    return try request.json(try await files.status(request.filePath))
  },
  Route([.get], "/v1/client/fs/cat/:id", .allocation("id")) { request, context in
    let files = try await context.theClient().files(ofAllocation: try request.identifier("id", "alloc"))
    let follower = try await files.stream(request.filePath, offset: 0, fromEnd: false, follow: false)
    return plainStream(.file(follower))
  },
  Route([.get], "/v1/client/fs/readat/:id", .allocation("id")) { request, context in
    guard let offset = try request.integer("offset") else { throw APIError.badRequest("the query's offset is missing") }
    guard let limit = try request.integer("limit") else { throw APIError.badRequest("the query's limit is missing") }
    guard offset >= 0, limit >= 0 else { throw APIError.badRequest("offset and limit must not be negative") }
    let files = try await context.theClient().files(ofAllocation: try request.identifier("id", "alloc"))
    let bytes = try await files.read(request.filePath, offset: offset, limit: Int(clamping: min(limit, 64 << 20)))
    return HTTPResponse(headers: plainHeaders, bytes: bytes)
  },
  Route([.get], "/v1/client/fs/stream/:id", .allocation("id")) { request, context in
    let files = try await context.theClient().files(ofAllocation: try request.identifier("id", "alloc"))
    let follow = request.query["follow"] == nil ? true : try request.flag("follow")
    let (offset, fromEnd) = (try request.integer("offset") ?? 0, try request.fromEnd())
    do {
      return try request.frames(
        .file(try await files.stream(request.filePath, offset: offset, fromEnd: fromEnd, follow: follow)))
    } catch let error as ClientError where error.code == .notFound {
      // Clients take 404 here for an allocation that is not there.
      throw APIError.badRequest(error.message)
    }
  },
  Route([.get], "/v1/client/fs/logs/:id", .allocation("id")) { request, context in
    let task = request.query["task"] ?? ""
    guard !task.isEmpty else { throw APIError.badRequest("must provide task name: the query's task is missing") }
    guard let kind = LogKind(rawValue: request.query["type"] ?? "stdout") else {
      throw APIError.badRequest("the query's type is stdout or stderr, not \"\(request.query["type"] ?? "")\"")
    }
    let reader = try await context.theClient().logs(
      ofAllocation: try request.identifier("id", "alloc"), task: task, kind: kind,
      offset: try request.integer("offset") ?? 0, fromEnd: try request.fromEnd(), follow: try request.flag("follow"))
    return try request.frames(.log(reader))
  },
  Route([.get], "/v1/client/allocation/:id/stats", .allocation("id")) { request, context in
    let usage = try await context.theClient().usage(
      ofAllocation: try request.identifier("id", "alloc"), task: request.query["task"])
    return try request.json(usage)
  },
  Route([.put, .post], "/v1/client/allocation/:id/restart", .allocation("id")) { request, context in
    let body = try request.body(RestartRequest.self)
    try await context.theClient().restart(
      allocation: try request.identifier("id", "alloc"), task: body.taskName.isEmpty ? nil : body.taskName,
      all: body.allTasks)
    return try request.json(JSONObject())
  },
  Route([.put, .post], "/v1/client/allocation/:id/signal", .allocation("id")) { request, context in
    let body = try request.body(SignalRequest.self)
    try await context.theClient().signal(
      allocation: try request.identifier("id", "alloc"), task: body.task.isEmpty ? nil : body.task,
      signal: body.signal.isEmpty ? "SIGKILL" : body.signal)
    return try request.json(JSONObject())
  },
  Route([.get], "/v1/client/allocation/:id/exec", .allocation("id")) { request, context in
    let command = try request.execCommand()
    let hasHandshake = try request.flag("ws_handshake")
    let session = try await context.theClient().session(
      inAllocation: try request.identifier("id", "alloc"),
      ExecRequest(task: request.query["task"] ?? "", command: command, hasTerminal: try request.flag("tty")))
    return WebSocket.upgrade(request.http, maxMessageBytes: 1 << 20) { socket in
      let channel = WebSocketExecChannel(socket: socket)
      do {
        if hasHandshake { try await channel.receiveHandshake() }
        try await session.run(over: channel)
      } catch {
        await socket.close(code: 1011, reason: APIError(error).message)
      }
    }
  },
  Route([.get, .put, .post], "/v1/client/allocation/:id/gc", .allocation("id")) { request, context in
    try await context.theClient().collectGarbage(allocation: try request.identifier("id", "alloc"))
    return HTTPResponse()
  },
  Route([.get, .put, .post], "/v1/client/gc", .node) { _, context in
    await (try context.theClient()).collectGarbage()
    return HTTPResponse()
  },
  Route([.get], "/v1/client/metadata", .node) { request, context in
    try request.json(await (try context.theClient()).nodeMetadata)
  },
  Route([.put, .post], "/v1/client/metadata", .node) { request, context in
    let body = try request.requiredBody(NodeMetadataRequest.self)
    return try request.json(try await context.theClient().changeMetadata(body.meta))
  },
  Route([.get], "/v1/client/stats", .node) { request, context in
    try request.json(await (try context.theClient()).hostStats())
  },
]

private let plainHeaders: HTTPHeaders = [
  "Content-Type": "text/plain; charset=utf-8", "X-Content-Type-Options": "nosniff",
]

/// Body of `PUT /v1/client/allocation/:id/restart`.
private struct RestartRequest: Record {
  var taskName = ""
  var allTasks = false

  mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "TaskName", &taskName)
    v.field(2, "AllTasks", &allTasks)
  }
}

/// Body of `PUT /v1/client/allocation/:id/signal`.
private struct SignalRequest: Record {
  var task = ""
  var signal = ""

  mutating func visit<V: FieldVisitor>(_ v: inout V) {
    v.field(1, "Task", &task)
    v.field(2, "Signal", &signal)
  }
}

extension APIRequest {
  /// The query's `command`: a JSON list of the program and its arguments.
  fileprivate func execCommand() throws(APIError) -> [String] {
    guard let text = query["command"], !text.isEmpty else { throw .badRequest("command is not present") }
    do throws(CodecError) {
      return try JSON.decode([String].self, from: Array(text.utf8))
    } catch {
      throw .badRequest("the query's command must be a JSON list of strings, such as [\"/bin/sh\"]: \(error)")
    }
  }

  /// The path within the allocation's directory; its root when none is given.
  fileprivate var filePath: String { query["path"] ?? "/" }

  fileprivate func fromEnd() throws(APIError) -> Bool {
    switch query["origin"] ?? "start" {
    case "start", "": return false
    case "end": return true
    case let other: throw .badRequest("the query's origin is start or end, not \"\(other)\"")
    }
  }

  /// Pieces of a file as they come: plain bytes with `plain=true`, else JSON frames, one after the other.
  fileprivate func frames(_ source: FrameSource) throws(APIError) -> HTTPResponse {
    if try flag("plain") { return plainStream(source) }
    return HTTPResponse(
      headers: ["Content-Type": "application/json"],
      body: .stream { writer in
        var source = source
        while let frame = try await source.next() { try await writer.write(JSON.encode(frame)) }
      })
  }
}

private func plainStream(_ source: FrameSource) -> HTTPResponse {
  HTTPResponse(
    headers: plainHeaders,
    body: .stream { writer in
      var source = source
      while let frame = try await source.next() { try await writer.write(frame.data.bytes) }
    })
}

/// Where pieces come from: one file, or all files of a log.
private enum FrameSource: Sendable {
  case file(FileFollower)
  case log(LogReader)

  mutating func next() async throws -> StreamFrame? {
    switch self {
    case .file(var follower):
      let frame = try await follower.next()
      self = .file(follower)
      return frame
    case .log(var reader):
      let frame = try await reader.next()
      self = .log(reader)
      return frame
    }
  }
}
