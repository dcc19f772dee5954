"""The scripts that made the stored files of the built-in sets; nothing imports them but their tests."""
