"""The client without its I/O: decides what to do from what came and what time it is.

Each module has a twin of the same name in ``dashboard/browser/core``, held to the same vectors in
``tests/vectors``. `session` puts them together; `actions` is what comes out of it.
"""
