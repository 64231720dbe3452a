"""How fast the kit is, measured: `python -m benchmarks.NAME`. See README.md for what each measures and how."""
