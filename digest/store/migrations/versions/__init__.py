"""One file per revision, in order; each reversible, or saying why not."""
