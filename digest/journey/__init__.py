"""One verb a file: the only place that orders steps. Each step may run twice; each reads its instant from an argument."""
