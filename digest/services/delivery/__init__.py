"""One delivery from claim to recorded reply, and the limits of relays and domains."""
