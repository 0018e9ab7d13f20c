"""How fast tap and target are, and beside what: ``python -m benchmarks``.

What is measured are the commands as they are installed; nothing of theirs is imported.
"""
