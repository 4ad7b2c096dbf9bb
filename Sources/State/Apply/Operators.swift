import Codec
import Model

extension State {
  mutating func apply(_ payload: NamespaceUpsert, _ changes: inout Changes) {
    for namespace in payload.namespaces {
      var namespace = namespace
      namespace.createIndex = reader.namespace(namespace.name)?.value.createIndex ?? reader.index
      namespace.modifyIndex = reader.index
      let record = Shared(namespace)
      reader.namespaces.set(Name(namespace.name), record)
      changes.records.append(.namespace(record))
      changes.tables.insert(.namespaces)
    }
  }

  mutating func apply(_ payload: NamespaceDeletion, _ changes: inout Changes) throws(StateError) {
    for name in payload.names {
      guard name != "default" else { throw .builtIn(name) }
      guard reader.namespace(name) != nil else { throw .noSuchNamespace(name) }
      for (key, job) in reader.jobs.from(JobKey(name, "")) {
        guard key.namespace == name else { break }
        if job.status != .dead { throw .namespaceInUse(name, key) }
      }
      for (key, _) in reader.variables.from(VariableKey(name, "")) {
        guard key.namespace == name else { break }
        throw .namespaceHasVariables(name, path: key.path)
      }
    }
    for name in payload.names {
      reader.namespaces.remove(Name(name))
      changes.records.append(.namespaceRemoved(name))
      changes.tables.insert(.namespaces)
    }
  }

  mutating func apply(_ payload: NodePoolUpsert, _ changes: inout Changes) {
    for pool in payload.pools { put(pool, &changes) }
  }

  mutating func put(_ pool: NodePool, _ changes: inout Changes) {
    var pool = pool
    pool.createIndex = reader.nodePool(pool.name)?.value.createIndex ?? reader.index
    pool.modifyIndex = reader.index
    let record = Shared(pool)
    reader.nodePools.set(Name(pool.name), record)
    changes.records.append(.nodePool(record))
    changes.tables.insert(.nodePools)
  }

  mutating func apply(_ payload: NodePoolDeletion, _ changes: inout Changes) throws(StateError) {
    for name in payload.names {
      guard name != "all", name != "default" else { throw .builtIn(name) }
      guard reader.nodePool(name) != nil else { throw .noSuchNodePool(name) }
      for (id, node) in reader.nodes where node.value.nodePool == name {
        throw .nodePoolInUse(name, by: "node \(id)")
      }
      for (key, job) in reader.jobs where job.spec.value.nodePool == name && job.status != .dead {
        throw .nodePoolInUse(name, by: "job \"\(key.id)\"")
      }
    }
    for name in payload.names {
      reader.nodePools.remove(Name(name))
      changes.records.append(.nodePoolRemoved(name))
      changes.tables.insert(.nodePools)
    }
  }

  mutating func apply(_ payload: SchedulerConfigurationUpdate, _ changes: inout Changes) throws(StateError) {
    let old = reader.schedulerConfiguration
    if let expected = payload.expectedIndex, expected != old.modifyIndex {
      throw .indexMismatch(expected: expected, found: old.modifyIndex)
    }
    reader.schedulerConfiguration = payload.configuration
    reader.schedulerConfiguration.createIndex = old.createIndex == 0 ? reader.index : old.createIndex
    reader.schedulerConfiguration.modifyIndex = reader.index
    changes.records.append(.schedulerConfiguration)
    changes.tables.insert(.schedulerConfiguration)
  }

  mutating func apply(_ payload: AutopilotConfigurationUpdate) throws(StateError) {
    let old = reader.autopilotConfiguration
    if let expected = payload.expectedIndex, expected != old.modifyIndex {
      throw .indexMismatch(expected: expected, found: old.modifyIndex)
    }
    var new = payload.configuration
    new.createIndex = old.createIndex == 0 ? reader.index : old.createIndex
    new.modifyIndex = reader.index
    reader.changedAutopilotConfiguration = new
  }
}
