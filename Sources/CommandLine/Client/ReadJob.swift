internal import Codec
internal import HCL
internal import Jobspec
internal import Linux
internal import Model

/// The job at `path` ("-" for standard input), and the text it was written as.
///
/// HCL is read with the variables of `NOMAD_VAR_*`, `-var-file` and `-var`; with `-json` the file is a job as JSON. A job
/// that names no namespace or region gets those of the flags and the environment.
/// - Throws: `JobspecError` with every mistake; `CommandFailure` for files that can't be read.
func readJob(_ path: String, _ invocation: Invocation) throws -> (job: Job, submission: JobSubmission) {
  let bytes = try LocalFile.read(path)
  var submission = JobSubmission()
  submission.source = String(decoding: bytes, as: UTF8.self)
  var job: Job
  if invocation.has("json") {
    submission.format = "json"
    do throws(CodecError) {
      job = try JobspecParser.parseJSON(bytes)
    } catch {
      throw CommandFailure("Error getting job struct: \(path) is no job as JSON: \(error)")
    }
  } else {
    submission.format = "hcl2"
    var parser = JobspecParser(
      host: FunctionHost(
        now: invocation.clock, random: { count in (try? Randomness.bytes(count)) ?? [] },
        files: JobspecFiles(environment: invocation.environment)))
    parser.variables = try variableSources(invocation, &submission)
    job = try parser.parse(SourceFile(name: path == "-" ? "<stdin>" : path, bytes: bytes))
  }
  let settings = invocation.settings
  if (job.namespace ?? "").isEmpty, let namespace = settings.namespace { job.namespace = namespace }
  if (job.region ?? "").isEmpty, let region = settings.region { job.region = region }
  return (job, submission)
}

private func variableSources(_ invocation: Invocation, _ submission: inout JobSubmission) throws -> VariableSources {
  var sources = VariableSources()
  sources.environment = VariableSources.environment(invocation.environment)
  sources.isStrict = invocation.parsed.value("hcl2-strict") != "false"
  for path in invocation.parsed.all("var-file") {
    let bytes = try LocalFile.read(path)
    sources.files.append(SourceFile(name: path, bytes: bytes))
    submission.variables += String(decoding: bytes, as: UTF8.self) + "\n"
  }
  for text in invocation.parsed.all("var") {
    guard let equals = text.firstIndex(of: "="), equals > text.startIndex else {
      throw UsageError("-var takes name=value, not \"\(text)\"")
    }
    let name = String(text[..<equals]), value = String(text[text.index(after: equals)...])
    sources.flags.append((name, value))
    submission.variableFlags[name] = value
  }
  return sources
}
