"""All mail that answers one person: confirmations, welcomes, goodbyes, links."""
