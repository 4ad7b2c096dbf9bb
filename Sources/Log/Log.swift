// Log: see Sources/README.md.
