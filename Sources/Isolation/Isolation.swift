// Isolation: see Sources/README.md.
