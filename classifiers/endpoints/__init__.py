"""Models that answer over HTTP: asked with rows or pictures, never loaded, and without gradients.

An endpoint is told by a description (description.py): an address and how to ask it. Which addresses may be asked at
all is a matter of rules.py and address.py, since a description comes from somebody else too.
"""
