"""What a uniformly random ranking scores on average, in closed form.

For a query with m matches among n gallery items, in an order drawn uniformly:

- CMC@k: P(a match in the first k) = 1 - C(n - m, k) / C(n, k) (hypergeometric).
- AP: the item at rank r is a match with probability m/n, and then each of the r - 1 items above it
  is one with probability (m - 1)/(n - 1); so E[AP] = 1/m sum_r m/n (1 + (r - 1)(m - 1)/(n - 1))/r
  = (H_n + (m - 1)/(n - 1) (n - H_n)) / n, where H_n is the n-th harmonic number.
- AP by MARS's own rules is the mean of that and of the precisions before the matches: above rank 1
  there is nothing, which counts as 1, and above each other rank a share (m - 1)/(n - 1) of matches,
  so that the mean of these is m/n.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from weakreid.config.training import Rules
from weakreid.retrieval.ranking import RANKS, RankingResult


@dataclass(frozen=True)
class Chance:
    """Expected figures of a random ranking, in per cent, over the queries that have a match."""

    cmc: dict[int, float]
    mean_average_precision: float

    def summary(self) -> dict[str, Any]:
        """Return the figures with string keys."""
        return {
            "mAP": self.mean_average_precision,
            "cmc": {str(rank): value for rank, value in self.cmc.items()},
        }


def expected(
    match_counts: ArrayLike,
    valid_counts: ArrayLike,
    ranks: Sequence[int] = RANKS,
    rules: Rules = "later",
) -> Chance:
    """Return the expected CMC and mAP of a random ranking.

    Args:
        match_counts: [Q] number of matches m; not all have none.
        valid_counts: [Q] number of gallery items n after the exclusions, matches included.
        ranks: where to read the CMC, from 1.
        rules: "later" skips a query without a match; "official" counts it as 0.
    """
    m = np.asarray(match_counts, np.int64)
    n = np.asarray(valid_counts, np.int64)
    matched = m > 0
    used = len(m) if rules == "official" else int(matched.sum())
    m, n = m[matched], n[matched]
    harmonic = np.cumsum(1 / np.arange(1, n.max() + 1))[n - 1]
    precision = (harmonic + (m - 1) / np.maximum(n - 1, 1) * (n - harmonic)) / n
    if rules == "official":
        precision = (precision + m / n) / 2
    missed = np.ones(len(m))  # probability that no match is among the first k
    cmc = {}
    for k in range(1, max(ranks) + 1):
        missed *= np.maximum(n - m - (k - 1), 0) / np.maximum(n - (k - 1), 1)
        if k in ranks:
            cmc[k] = 100 * float(np.sum(1 - missed) / used)
    return Chance(
        cmc={int(k): cmc[k] for k in ranks},
        mean_average_precision=100 * float(np.sum(precision) / used),
    )


def expected_of(result: RankingResult) -> Chance:
    """Return what a random ranking would score where `result` was measured."""
    return expected(result.match_counts, result.valid_counts, rules=result.rules)
