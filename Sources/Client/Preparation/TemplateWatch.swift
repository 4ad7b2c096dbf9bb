internal import Codec
internal import Linux
internal import Model

/// Renders a running task's templates again when a file that they depend on has changed, and says what the job wants done
/// about it (`change_mode`).
struct TemplateWatch: Sendable {
  let preparation: TaskPreparation
  /// By the template's place in the task.
  let files: [Int: [TaskPath]]

  /// How often the files are looked at.
  static let interval = Duration.seconds(1)

  /// What is to be done about a template that has changed.
  enum Change: Sendable {
    case restart
    case signal(String)
    case script(ChangeScript)
  }

  /// Looks until the task is cancelled.
  /// - Parameters:
  ///   - changed: told of each change that something is to be done about, after the template's `splay`.
  ///   - failed: told when a template cannot be rendered any more; the file stays as it was.
  func run(changed: @Sendable (Change) async -> Void, failed: @Sendable (String) async -> Void) async {
    var files = files
    var seen = await statuses(files)
    while true {
      do { try await Task.sleep(for: Self.interval) } catch { return }
      let now = await statuses(files)
      for (index, status) in now where status != seen[index] {
        let template = preparation.task.templates[index]
        seen[index] = status
        if let wait = template.wait?.min {
          do { try await Task.sleep(for: .nanoseconds(wait.count)) } catch { return }
        }
        do throws(ClientError) {
          let rendering = preparation.rendering(template)
          let result = try await rendering.render()
          files[index] = result.files
          seen[index] = await statuses([index: result.files])[index]
          let isNew = try await preparation.work.run { () throws(ClientError) in try rendering.write(result.text) }
          guard isNew, let change = Self.change(of: template) else { continue }
          let splay = template.splay?.count ?? 0
          if splay > 0 { try? await Task.sleep(for: .nanoseconds(Int64.random(in: 0...splay))) }
          if Task.isCancelled { return }
          await changed(change)
        } catch {
          await failed(error.message)
        }
      }
    }
  }

  /// What the job wants done about a template that has changed.
  static func change(of template: Template) -> Change? {
    switch template.changeMode ?? "restart" {
    case "restart": .restart
    case "signal": .signal(template.changeSignal ?? "SIGHUP")
    case "script": template.changeScript.map { .script($0) }
    default: nil
    }
  }

  private func statuses(_ files: [Int: [TaskPath]]) async -> [Int: [FileStatus?]] {
    await preparation.work.run { () throws(Never) in
      files.mapValues { $0.map { place in try? place.status() } }
    }
  }
}

extension TaskPath {
  /// What is known of the file there; no link is followed.
  func status() throws(SystemError) -> FileStatus {
    let root = try FileDescriptor.open(base, [.path, .directory, .noFollow])
    return try root.open(beneath: relative.isEmpty ? "." : relative, [.path, .noFollow]).status()
  }
}
