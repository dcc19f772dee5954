"""Model files that would do harm: make.py writes them, corpus.py lists all of them with what must become of each."""
