internal import Codec
internal import HCLSchema

/// The `job` block. https://developer.hashicorp.com/nomad/docs/job-specification/job
let jobSchema = BlockSchema(
  labels: ["ID"],
  [
    string("name", "Name"),
    string("region", "Region"),
    string("namespace", "Namespace"),
    string("type", "Type"),
    int("priority", "Priority"),
    bool("all_at_once", "AllAtOnce"),
    strings("datacenters", "Datacenters"),
    string("node_pool", "NodePool"),
    string("id", "ID"),
    string("parent_id", "ParentID"),
    stringMap("meta", "Meta"),
    many("constraint", "Constraints") { constraintSchema },
    many("affinity", "Affinities") { affinitySchema },
    many("spread", "Spreads") { spreadSchema },
    one("update", "Update") { updateSchema },
    one("migrate", "Migrate") { migrateSchema },
    one("reschedule", "Reschedule") { rescheduleSchema },
    one("periodic", "Periodic") { periodicSchema },
    one("parameterized", "ParameterizedJob") { parameterizedSchema },
    one("multiregion", "Multiregion") { multiregionSchema },
    one("ui", "UI") { uiSchema },
    one("vault", "Vault") { vaultSchema },
    many("group", "TaskGroups") { groupSchema },
    many("task", "Tasks") { taskSchema },
  ],
  reshape: { job, _ in
    if job["Name"] == nil { job["Name"] = job["ID"] }
    wrapLooseTasks(&job)
    inheritVault(&job)
  })

/// A task that stands outside of any group gets a group of its own, named after it.
private func wrapLooseTasks(_ job: inout JSONObject) {
  guard let tasks = job["Tasks"]?.arrayValue else { return }
  job["Tasks"] = nil
  let groups = tasks.map { task -> JSONValue in
    ["Name": task["Name"] ?? .null, "Tasks": [task]]
  }
  job["TaskGroups"] = .array(groups + (job["TaskGroups"]?.arrayValue ?? []))
}

/// A `vault` block of the job or of a group holds for every task below that has none.
private func inheritVault(_ job: inout JSONObject) {
  let ofJob = job["Vault"]
  job["Vault"] = nil
  guard let groups = job["TaskGroups"]?.arrayValue else { return }
  job["TaskGroups"] = .array(
    groups.map { value -> JSONValue in
      guard case .object(var group) = value else { return value }
      let inherited = group["Vault"] ?? ofJob
      group["Vault"] = nil
      if let inherited, let tasks = group["Tasks"]?.arrayValue {
        group["Tasks"] = .array(
          tasks.map { value -> JSONValue in
            guard case .object(var task) = value else { return value }
            if task["Vault"] == nil { task["Vault"] = inherited }
            return .object(task)
          })
      }
      return .object(group)
    })
}

let periodicSchema = BlockSchema(
  [
    bool("enabled", "Enabled"),
    string("cron", "Spec"),
    strings("crons", "Specs"),
    bool("prohibit_overlap", "ProhibitOverlap"),
    string("time_zone", "TimeZone"),
  ],
  reshape: { periodic, _ in
    if periodic["Spec"] != nil || periodic["Specs"] != nil { periodic["SpecType"] = "cron" }
  })

let parameterizedSchema = BlockSchema([
  string("payload", "Payload"),
  strings("meta_required", "MetaRequired"),
  strings("meta_optional", "MetaOptional"),
])

let multiregionSchema = BlockSchema([
  one("strategy", "Strategy") {
    BlockSchema([int("max_parallel", "MaxParallel"), string("on_failure", "OnFailure")])
  },
  many("region", "Regions") {
    BlockSchema(
      labels: ["Name"],
      [
        int("count", "Count"), strings("datacenters", "Datacenters"), string("node_pool", "NodePool"),
        stringMap("meta", "Meta"),
      ])
  },
])

let uiSchema = BlockSchema([
  string("description", "Description"),
  many("link", "Links") { BlockSchema([string("label", "Label"), string("url", "URL")]) },
])
