// Codec: see Sources/README.md.
