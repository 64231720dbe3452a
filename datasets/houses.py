"""Made-up houses: tables whose columns are distributed and correlated as in a real table, and no row of it.

Normal scores with the wanted correlations are drawn, then each column's scores are turned into its values
(a Gaussian copula). What is between two columns beyond a monotone dependence is lost.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.special import ndtr, ndtri


class Summary(NamedTuple):
    """A column's minimum, quartiles and maximum, and to how many decimals it is given; counts are spread by ratios."""

    low: float
    first: float
    median: float
    third: float
    high: float
    decimals: int
    by_ratio: bool


# California's census of 1990, as many textbooks print it (pandas' describe() and corr() of all 20,640 rows).
CALIFORNIA_SUMMARIES = (
    Summary(-124.35, -121.80, -118.49, -118.01, -114.31, 2, by_ratio=False),  # longitude
    Summary(32.54, 33.93, 34.26, 37.71, 41.95, 2, by_ratio=False),  # latitude
    Summary(1, 18, 29, 37, 52, 0, by_ratio=False),  # housing_median_age
    Summary(2, 1447.75, 2127, 3148, 39320, 0, by_ratio=True),  # total_rooms
    Summary(1, 295, 435, 647, 6445, 0, by_ratio=True),  # total_bedrooms
    Summary(3, 787, 1166, 1725, 35682, 0, by_ratio=True),  # population
    Summary(1, 280, 409, 605, 6082, 0, by_ratio=True),  # households
    Summary(0.4999, 2.5634, 3.5348, 4.74325, 15.0001, 4, by_ratio=True),  # median_income
    Summary(14999, 119600, 179700, 264725, 500001, -2, by_ratio=True),  # the target, median_house_value
)
CALIFORNIA_CORRELATIONS = np.array(
    [
        [1.0, -0.925, -0.108, 0.045, 0.070, 0.100, 0.055, -0.015, -0.046],
        [-0.925, 1.0, 0.011, -0.036, -0.067, -0.109, -0.071, -0.080, -0.144],
        [-0.108, 0.011, 1.0, -0.361, -0.320, -0.296, -0.303, -0.119, 0.106],
        [0.045, -0.036, -0.361, 1.0, 0.930, 0.857, 0.918, 0.198, 0.134],
        [0.070, -0.067, -0.320, 0.930, 1.0, 0.878, 0.980, -0.008, 0.050],
        [0.100, -0.109, -0.296, 0.857, 0.878, 1.0, 0.907, 0.005, -0.025],
        [0.055, -0.071, -0.303, 0.918, 0.980, 0.907, 1.0, 0.013, 0.066],
        [-0.015, -0.080, -0.119, 0.198, -0.008, 0.005, 0.013, 1.0, 0.688],
        [-0.046, -0.144, 0.106, 0.134, 0.050, -0.025, 0.066, 0.688, 1.0],
    ]
)
EXTREME = 4.0  # the score at which a column has its minimum or maximum: one row in 30,000 goes beyond
QUARTILE = 0.6745  # of the normal distribution


def boston(rng: np.random.Generator, table: np.ndarray) -> np.ndarray:
    """As many rows as the real table (n, columns) has, each value of a column one that occurs in it."""
    ranks = table.argsort(axis=0, kind="stable").argsort(axis=0, kind="stable")
    correlations = np.corrcoef(ndtri((ranks + 0.5) / len(table)), rowvar=False)
    shares = ndtr(correlated_scores(rng, len(table), correlations))
    columns = zip(table.T, shares.T, strict=True)
    return np.column_stack([np.quantile(column, share, method="inverted_cdf") for column, share in columns])


def california(rng: np.random.Generator, n: int) -> np.ndarray:
    """n rows from the published summary: eight features, then the value."""
    scores = correlated_scores(rng, n, CALIFORNIA_CORRELATIONS)
    columns = zip(CALIFORNIA_SUMMARIES, scores.T, strict=True)
    return np.column_stack([values(summary, column) for summary, column in columns])


def correlated_scores(rng: np.random.Generator, n: int, correlations: np.ndarray) -> np.ndarray:
    """n rows of standard normal numbers with these correlations between the columns."""
    return rng.standard_normal((n, len(correlations))) @ np.linalg.cholesky(correlations).T


def values(summary: Summary, scores: np.ndarray) -> np.ndarray:
    """A column's values for these normal scores: its quartiles and extremes, and evenly between them."""
    known = (-EXTREME, -QUARTILE, 0.0, QUARTILE, EXTREME)
    knots = np.array(summary[:5])
    if summary.by_ratio:
        return np.round(np.exp(np.interp(scores, known, np.log(knots))), summary.decimals)
    return np.round(np.interp(scores, known, knots), summary.decimals)
