import Codec
import Model
import Testing

/// 462 jobs as Nomad's own packages parse and canonicalise them.
@Suite(.enabled(if: GoldenJob.folder != nil, "SERAI_ORACLES does not name a folder with the oracles"))
struct GoldenTests {
  @Test func jobsReadAndWrittenAreTheSame() throws {
    let jobs = try GoldenJob.load()
    #expect(jobs.count == 462)
    for golden in jobs {
      for expected in [golden.job, golden.canonical] {
        var unknown: [String]? = []
        let job = try JSON.decode(Job.self, from: JSON.encode(expected), unknownKeys: &unknown)
        #expect(unknown == [], "\(golden.file)")
        let written = try JSON.decode(JSONValue.self, from: JSON.encode(job))
        #expect(differences(expected, written) == [], "\(golden.file)")
        #expect(try Binary.decode(Job.self, from: Binary.encode(job)) == job, "\(golden.file)")
      }
    }
  }

  @Test func canonicalFormIsNomads() throws {
    for golden in try GoldenJob.load() {
      var job = try JSON.decode(Job.self, from: JSON.encode(golden.job))
      job.canonicalize()
      let written = try JSON.decode(JSONValue.self, from: JSON.encode(job))
      #expect(differences(golden.canonical, written) == [], "\(golden.file)")
      let once = job
      job.canonicalize()
      #expect(job == once, "\(golden.file): canonical form of the canonical form")
    }
  }
}
