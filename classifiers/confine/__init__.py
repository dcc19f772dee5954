"""A child process that may compute and answer, and nothing else: no files, network, programs or other processes.

Nothing here knows of models. `ConfinedProcess` runs any worker class of evenhand; `confinement()` says how well this
system can confine. What the child imports before it is confined uses the standard library alone.
"""
