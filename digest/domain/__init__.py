"""The words of the field and the rules between them: values in, decisions out. Standard library only; no I/O, no clock."""
