// TemplateEngine: see Sources/README.md.
