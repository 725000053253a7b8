"""The bytes of a message: addresses, headers, MIME."""
