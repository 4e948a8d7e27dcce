"""Ratios measured side by side in one run: ``python -m benchmarks`` (see `benchmarks.__main__`)."""
