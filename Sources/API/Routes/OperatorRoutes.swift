internal import Codec
internal import HTTP
internal import Model
internal import Server
internal import State

let operatorRoutes: [Route] = [
  Route([.put, .post], "/v1/system/reconcile/summaries", .server) { _, _ in
    // Summaries are counted as allocations change and stored nowhere: there is nothing that could have gone wrong.
    HTTPResponse()
  },
  Route([.put, .post], "/v1/system/gc", .server) { _, context in
    try await context.theServer().collectGarbage()
    return HTTPResponse()
  },
  Route([.get], "/v1/operator/scheduler/configuration", .server) { request, context in
    let state = try context.theServer().reader
    var answer = SchedulerConfigurationResponse()
    answer.schedulerConfig = state.schedulerConfiguration
    answer.index = state.index(of: .schedulerConfiguration)
    answer.knownLeader = true
    return try request.json(answer, headers: request.indexHeaders(answer.index))
  },
  Route([.put, .post], "/v1/operator/scheduler/configuration", .server) { request, context in
    let body = try request.requiredBody(SchedulerConfiguration.self)
    let cas = try request.integer("cas").map { UInt64(clamping: $0) }
    var answer = SchedulerSetConfigurationResponse()
    do {
      answer.index = try await context.theServer().setSchedulerConfiguration(body, expectedIndex: cas)
      answer.updated = true
    } catch let error as ServerError where error.kind == .conflict {
      // Somebody else was first: no failure, but nothing was changed.
      answer.index = try context.theServer().reader.index(of: .schedulerConfiguration)
    }
    return try request.json(answer, headers: request.indexHeaders(answer.index))
  },
  Route([.get], "/v1/operator/raft/configuration", .server) { request, context in
    // One server, which has always been the whole cluster: no entry of the log has ever changed that.
    var server = JSONObject()
    server["ID"] = .string(context.agent.name)
    server["Node"] = .string(context.agent.name)
    server["Address"] = .string(context.agent.leader)
    server["Leader"] = true
    server["Voter"] = true
    server["RaftProtocol"] = "3"
    var answer = JSONObject()
    answer["Servers"] = .array([.object(server)])
    answer["Index"] = 0
    return try request.json(answer)
  },
]
