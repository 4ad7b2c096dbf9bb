// State: see Sources/README.md.
