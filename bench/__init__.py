"""The benchmarks: each prints one JSON line with a ratio that was measured in one run, on one machine."""
