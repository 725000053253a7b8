"""Who a mail is from, and how a stranger can check it: DKIM, SPF, DMARC, DNS."""
