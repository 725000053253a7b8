"""What is kept about people, for how long, and their own copy of it."""
