"""What an operator should know: alerts, their mail, and why somebody was mailed or not."""
