// Scheduler: see Sources/README.md.
