"""What an operator does to lists and editions on their way: pause, cancel, correct, redeliver, review."""
