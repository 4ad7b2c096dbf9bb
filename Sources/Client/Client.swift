// Client: see Sources/README.md.
