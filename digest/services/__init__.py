"""The use cases, a folder for each area: they order the steps and are what web, cli, daemon and worker call."""
