"""Plain text and encodings: LaTeX to Unicode, wrapping, quoted-printable."""
