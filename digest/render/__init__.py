"""From a frozen edition to fragments of mail: rendered and inlined once, assembled per reader."""
