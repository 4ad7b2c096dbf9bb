// API: see Sources/README.md.
