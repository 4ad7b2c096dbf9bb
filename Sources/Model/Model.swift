// Model: see Sources/README.md.
