"""The networks that evenhand knows how to build: from a description alone, never from code in a file."""
