"""Mail on the wire: header bytes, signatures, the relay and the journal of what was said to it; and what comes back."""
