"""Linear algebra over the scalar field."""

from __future__ import annotations

from .attacks import R


def rank(rows: list[list[int]]) -> int:
    """By Gaussian elimination."""
    matrix = [list(row) for row in rows]
    width = len(matrix[0]) if matrix else 0
    found = 0
    for column in range(width):
        pivot = next((i for i in range(found, len(matrix)) if matrix[i][column]), None)
        if pivot is None:
            continue
        matrix[found], matrix[pivot] = matrix[pivot], matrix[found]
        head = matrix[found]
        inverse = pow(head[column], -1, R)
        for i in range(found + 1, len(matrix)):
            factor = matrix[i][column] * inverse % R
            if factor:
                matrix[i] = [(a - factor * b) % R for a, b in zip(matrix[i], head, strict=True)]
        found += 1
    return found
