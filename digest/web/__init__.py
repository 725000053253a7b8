"""The pages: today's edition, the archive, and whatever a link in a mail leads to."""
