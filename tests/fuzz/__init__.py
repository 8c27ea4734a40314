"""Property tests with hypothesis, for as long as one likes: ``python3 -m tests.fuzz --help``.

No file here is called ``test_…``: the ordinary test command needs no hypothesis.
"""
