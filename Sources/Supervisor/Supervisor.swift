// Supervisor: see Sources/README.md.
