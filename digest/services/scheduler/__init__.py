"""What the minute's tick does, who of several processes does it, and whether the key is ours."""
