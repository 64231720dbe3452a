"""Boston's network on California's districts, whose table has no column on race: 8 - 64 (relu) - 64 (relu) - 1."""

from __future__ import annotations

from datasets.recipes.boston import regression

# RMSprop moves a weight by about 0.001 per step: prices of 200,000 are out of its reach, hundreds of thousands are not.
recipe = regression("california", inputs=8, target_unit=100_000, epochs=20, batch_size=16, seed=8)
