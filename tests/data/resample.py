#!/usr/bin/env python3
"""Prints what scipy makes of the numbers in resample_test.cpp."""

import numpy
from scipy.signal import resample_poly

for steps, up, down in [(11, 1, 2), (7, 5, 3), (1, 3, 1), (23, 25, 36), (13, 2, 1)]:
    k = numpy.arange(steps, dtype=numpy.int64)
    numbers = ((k * k * 7 + 3 * k) % 23 - 9).astype(float)
    values = resample_poly(numbers, up, down, padtype="edge")
    print(steps, up, down, ", ".join(f"{value:.6f}f" for value in values))
