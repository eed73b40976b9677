"""Experiments played on outcomes that hang on each other, with what is put into them known."""

import numpy as np

from assay.compare.effect import Units


def series(count, seed, keeps=0.6, mean=5.0):
    """Heavy-tailed, each hanging on the one before it."""
    shocks = np.random.default_rng(seed).standard_t(4, count)
    found = np.zeros(count)
    for place in range(count):
        found[place] = keeps * (found[place - 1] if place else 0.0) + shocks[place]
    return found + mean


def switchback(count, seed, share=0.5, effect=0.0, carried=0.0):
    """`carried` of the effect stays for one block after the new arm; known before a block is the outcome before it."""
    past = series(count + 1, seed)
    treated = np.random.default_rng(seed + 10**6).random(count) < share
    outcome = past[1:] + effect * treated
    outcome[1:] += carried * effect * treated[:-1]
    before = np.append(past[0], outcome[:-1])
    return Units(outcome, treated, share, before[:, np.newaxis], np.arange(count))
