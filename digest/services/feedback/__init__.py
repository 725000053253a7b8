"""What comes back: bounces, complaints and requests to leave."""
