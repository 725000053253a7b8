"""What came back, what was refused, and what was told to the operator."""
