"""Setting an installation up: what is asked, the settings file that follows, and whether the relay goes along."""
