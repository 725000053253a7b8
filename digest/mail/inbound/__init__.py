"""Mail that comes back, read: delivery reports, complaints, replies, and the posts of providers."""
