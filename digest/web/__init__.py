"""The pages: today's edition, archive, search, feeds, and where a mail's links lead. No JavaScript, no other host."""
