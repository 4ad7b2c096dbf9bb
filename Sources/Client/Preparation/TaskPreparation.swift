internal import Artifact
internal import Codec
internal import Drivers
internal import Isolation
internal import Linux
internal import Model

/// Why a task cannot be started now.
struct PreparationFailure: Error {
  /// What users are told.
  var event: TaskEvent
  /// Whether the restart policy may try again; else the task has failed.
  var isTemporary: Bool
}

/// What is done before every start of a task. Every step may be done again, and a crash between two of them is mended by
/// doing all of them again:
/// 1. the driver accepts the interpolated `config` block;
/// 2. the allocation's and the task's directories are there with their owners and modes;
/// 3. the payload of a dispatch is in the task's local directory;
/// 4. artifacts are downloaded (once in an allocation: a restarted task finds what it has made of them);
/// 5. templates are rendered.
struct TaskPreparation: Sendable {
  let task: JobTask
  let driver: any TaskDriver
  let environment: TaskEnvironment
  let directory: AllocationDirectory
  let work: BlockingWork
  let artifactLimits: ArtifactLimits
  let payload: [UInt8]?
  let hasArtifacts: Bool
  /// What the task has at /secrets, where that is no directory of the host.
  let secrets: SecretsMount?

  /// What the steps yield.
  struct Outcome: Sendable {
    /// Variables that templates hold.
    var variables: [String: String] = [:]
    /// Files that each template depends on, by the template's place in the task.
    var templateFiles: [Int: [TaskPath]] = [:]
    /// Templates whose files are not what they were.
    var changedTemplates: [Int] = []
  }

  private var directories: TaskDirectories {
    var directories = directory.task(task.name)
    directories.secretsMount = secrets
    return directories
  }

  /// Takes all steps.
  /// - Parameter report: told what is worth an event while it goes on.
  func run(report: @Sendable (TaskEvent) async -> Void) async throws(PreparationFailure) -> Outcome {
    do throws(DriverError) { try driver.validate(environment.interpolation(task.config)) } catch {
      throw Self.failure(error.message)
    }
    let account = try await makeDirectories()
    try await writePayload()
    if !task.artifacts.isEmpty && !hasArtifacts {
      await report(.downloadingArtifacts(at: Moment.now.wall))
      for artifact in task.artifacts { try await fetch(artifact, account) }
    }
    return try await renderTemplates()
  }

  private static func failure(_ problem: String) -> PreparationFailure {
    PreparationFailure(event: .setupFailure(problem, at: Moment.now.wall), isTemporary: false)
  }

  private func makeDirectories() async throws(PreparationFailure) -> ArtifactOwner {
    let user = environment.interpolation(task.user)
    let wanted = user.isEmpty && driver.capabilities.isolation == .image ? "nobody" : user
    let (directory, name, secrets) = (directory, task.name, secrets)
    // In an isolated task's root the places of mounts are made when it starts.
    let places =
      driver.capabilities.isolation == .none
      ? task.volumeMounts.compactMap { $0.destination.map { environment.interpolation($0) } }.filter {
        !$0.hasPrefix("/")
      } : []
    do throws(SystemError) {
      return try await work.run { () throws(SystemError) in
        let account = RunnerContext.account(wanted.isEmpty ? "root" : String(wanted.prefix { $0 != ":" }))
        let owner = ArtifactOwner(uid: account?.uid ?? 0, gid: account?.gid ?? 0)
        try directory.ensure()
        try directory.ensure(task: name, owner: (owner.uid, owner.gid))
        try secrets?.give(to: owner.uid, gid: owner.gid)
        for place in places { try directory.ensurePlace(place, inTask: name) }
        return owner
      }
    } catch {
      throw Self.failure("build the task's directory: \(error)")
    }
  }

  private func writePayload() async throws(PreparationFailure) {
    guard let file = task.dispatchPayload?.file, let payload else { return }
    guard let place = TaskPath("local/" + file, directories), place.base == directories.task else {
      throw Self.failure("dispatch_payload: \"\(file)\" leads out of the task's local directory")
    }
    do throws(SystemError) {
      try await work.run { () throws(SystemError) in _ = try place.write(payload, permissions: 0o644, owner: nil) }
    } catch {
      throw Self.failure("write the payload of the dispatch to local/\(file): \(error)")
    }
  }

  // MARK: - Artifacts

  private func fetch(_ artifact: TaskArtifact, _ account: ArtifactOwner) async throws(PreparationFailure) {
    let interpolation = environment.interpolation
    let source = interpolation(artifact.getterSource ?? "")
    let destination = interpolation(artifact.relativeDest ?? "local/")
    guard let place = TaskPath(destination, directories) else {
      throw Self.failure("artifact \(source): destination \"\(destination)\" leads out of the task's directories")
    }
    let request = ArtifactRequest(
      source: source, options: artifact.getterOptions.mapValues { interpolation($0) },
      headers: artifact.getterHeaders.mapValues { interpolation($0) },
      mode: ArtifactRequest.Mode(rawValue: artifact.getterMode ?? "") ?? .any,
      isInsecure: artifact.getterInsecure ?? false, directory: place.base, destination: place.relative,
      owner: artifact.chown ? account : nil)
    do throws(ArtifactError) {
      try await ArtifactFetch.run(request, limits: artifactLimits)
    } catch {
      throw PreparationFailure(
        event: .artifactFailure(error.message, at: Moment.now.wall), isTemporary: error.kind != .invalid)
    }
  }

  // MARK: - Templates

  /// One of the task's templates, ready to be rendered.
  func rendering(_ template: Template) -> TemplateRendering {
    TemplateRendering(
      template: template, variables: environment.variables, interpolation: environment.interpolation,
      directories: directories)
  }

  /// The last step alone.
  func renderTemplates() async throws(PreparationFailure) -> Outcome {
    var outcome = Outcome()
    for (index, template) in task.templates.enumerated() {
      let rendering = rendering(template)
      do throws(ClientError) {
        let result = try await rendering.render()
        let isNew = try await work.run { () throws(ClientError) in try rendering.write(result.text) }
        if isNew { outcome.changedTemplates.append(index) }
        outcome.templateFiles[index] = result.files
        if template.envvars == true {
          outcome.variables.merge(try variables(in: result.text, template)) { _, new in new }
        }
      } catch {
        throw Self.failure(error.message)
      }
    }
    return outcome
  }

  private func variables(in text: [UInt8], _ template: Template) throws(ClientError) -> [String: String] {
    do throws(ClientError) {
      return try EnvironmentFile.parse(String(decoding: text, as: UTF8.self))
    } catch {
      throw ClientError(.invalid, "template \"\(template.destPath ?? "")\" with env = true: \(error.message)")
    }
  }
}
