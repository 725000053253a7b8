"""Pure functions over domain values: what is one paper, what is trending, what a reader would like. No I/O, no clock."""
