// Storage: see Sources/README.md.
