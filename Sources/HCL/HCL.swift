// HCL: see Sources/README.md.
