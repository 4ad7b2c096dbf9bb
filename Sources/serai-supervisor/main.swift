import Supervisor

// Synchronous, and no concurrency anywhere below: whoever clones children has one thread that can hold a lock.
#if canImport(Glibc)
  import Glibc
#endif

exit(SupervisorProgram.run(CommandLine.arguments))
