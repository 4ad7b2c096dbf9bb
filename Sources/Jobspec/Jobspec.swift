// Jobspec: see Sources/README.md.
