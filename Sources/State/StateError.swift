public import Codec

/// Why a log entry was refused; the state is then as it was before. Deterministic: every server refuses the same.
public enum StateError: Error, Hashable, Sendable, CustomStringConvertible {
  case noSuchNode(Identifier)
  case noSuchJob(JobKey)
  case noSuchJobVersion(JobKey, UInt64)
  case noSuchEvaluation(Identifier)
  case noSuchAllocation(Identifier)
  case noSuchDeployment(Identifier)
  case noSuchNamespace(String)
  case noSuchNodePool(String)
  /// Check-and-set: the record has another index than the request was made for.
  case indexMismatch(expected: UInt64, found: UInt64)
  case duplicateAllocation(Identifier)
  case wrongNodeSecret(Identifier)
  case namespaceInUse(String, JobKey)
  case namespaceHasVariables(String, path: String)
  case nodePoolInUse(String, by: String)
  case builtIn(String)
  case deploymentEnded(Identifier)
  case nothingToPromote(Identifier)
  case canariesNotHealthy(group: String, healthy: Int, desired: Int)
  case tagInUse(String, version: UInt64)
  case noSuchTag(String)
  case malformed(String)
  case jobExists(JobKey)
  /// Another one holds the variable's lock, or has lost it a moment ago.
  case variableLocked(VariableKey)
  case notLaunchable(JobKey, String)
  case noSuchGroup(JobKey, String)

  /// One sentence for the user, with what to do where that isn't evident.
  public var description: String {
    switch self {
    case .noSuchNode(let id): "no node has the id \(id)"
    case .noSuchJob(let key): "no job \"\(key.id)\" in namespace \"\(key.namespace)\""
    case .noSuchJobVersion(let key, let version): "job \"\(key.id)\" has no version \(version)"
    case .noSuchEvaluation(let id): "no evaluation has the id \(id)"
    case .noSuchAllocation(let id): "no allocation has the id \(id)"
    case .noSuchDeployment(let id): "no deployment has the id \(id)"
    case .noSuchNamespace(let name): "no namespace \"\(name)\"; create it with `serai namespace apply \(name)`"
    case .noSuchNodePool(let name): "no node pool \"\(name)\"; create it with `serai node pool apply`"
    case .indexMismatch(let expected, let found):
      "the record's modify index is \(found), the request was made for \(expected); read it again and repeat"
    case .duplicateAllocation(let id): "an allocation \(id) exists already"
    case .wrongNodeSecret(let id):
      "node \(id) is registered with another secret; remove its entry or give the client its old data directory back"
    case .namespaceInUse(let name, let job):
      "namespace \"\(name)\" has a job that is not dead, \"\(job.id)\"; stop its jobs first"
    case .namespaceHasVariables(let name, let path):
      "namespace \"\(name)\" has variables, such as \"\(path)\"; remove them first"
    case .nodePoolInUse(let name, let user): "node pool \"\(name)\" is used by \(user); move or remove that first"
    case .builtIn(let name): "\"\(name)\" is built in and can't be deleted"
    case .deploymentEnded(let id): "deployment \(id) has ended"
    case .nothingToPromote(let id): "deployment \(id) has no canaries to promote"
    case .canariesNotHealthy(let group, let healthy, let desired):
      "group \"\(group)\" has \(healthy) of \(desired) canaries healthy; wait for them or fail the deployment"
    case .tagInUse(let name, let version): "tag \"\(name)\" is on version \(version) already"
    case .noSuchTag(let name): "no version has the tag \"\(name)\""
    case .malformed(let what): what
    case .variableLocked(let key):
      "variable \"\(key.path)\" is locked by another, or the lock was lost: try again later"
    case .jobExists(let key): "a job \"\(key.id)\" exists already in namespace \"\(key.namespace)\""
    case .notLaunchable(let key, let why): "job \"\(key.id)\" can't be launched or scaled: \(why)"
    case .noSuchGroup(let key, let name): "job \"\(key.id)\" has no group \"\(name)\""
    }
  }
}
