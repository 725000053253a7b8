"""An edition, rendered and inlined once, cut into pieces, put together for a reader."""
