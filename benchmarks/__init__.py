"""Speed with its error: every method measured side by side, in one run, on one stated machine.

``python -m benchmarks --quick`` takes a few minutes, ``python -m benchmarks`` half an hour. One
subject a file; each has ``measure(quick) -> Table``.
"""
