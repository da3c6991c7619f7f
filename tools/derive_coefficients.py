#!/usr/bin/env python3
"""Derives the minimax coefficients of src/kernels/simd/math-inl.h (needs mpmath).

Each function is a fixed beginning plus a polynomial; Remez' exchange finds the polynomial whose
greatest weighted error is least. Rounding its coefficients to float costs little, because the
polynomial is a small correction to an exact beginning; the script prints how little.
"""

import struct

from mpmath import mp, mpf, matrix, lu_solve, log, exp, expm1, log1p, sqrt, erfc, cos, pi

mp.dps = 40
tiny = mpf("1e-12")


def to_float(value):
    """The nearest float, as an exact mpf."""
    return mpf(struct.unpack("f", struct.pack("f", float(value)))[0])


def remez(target, weight, low, high, powers, rounds=12, grid=1500):
    """Coefficients of `powers` so that max |weight * (target - sum)| over [low, high] is least."""
    n = len(powers)
    points = [(low + high) / 2 - (high - low) / 2 * cos(pi * i / n) for i in range(n + 1)]
    # Where the weight is zero any value is right: such points say nothing.
    points = [x if weight(x) > tiny else x + (high - low) / 50 for x in points]
    candidates = [low + (high - low) * i / grid for i in range(grid + 1)]
    candidates = [x for x in candidates if weight(x) > tiny]
    wanted = {x: (target(x), weight(x)) for x in candidates}
    coefficients = []
    for _ in range(rounds):
        rows = matrix(n + 1, n + 1)
        right = matrix(n + 1, 1)
        for i, x in enumerate(points):
            for j, power in enumerate(powers):
                rows[i, j] = weight(x) * x**power
            rows[i, n] = mpf(-1) ** i
            right[i] = weight(x) * target(x)
        solution = lu_solve(rows, right)
        coefficients = [solution[j] for j in range(n)]

        def error(x):
            value, scale = wanted[x]
            return scale * (value - sum(c * x**p for c, p in zip(coefficients, powers)))

        # The extremes between sign changes are the next points.
        errors = [(x, error(x)) for x in candidates]
        extremes = [errors[0]]
        for x, e in errors[1:]:
            if (e > 0) == (extremes[-1][1] > 0):
                if abs(e) > abs(extremes[-1][1]):
                    extremes[-1] = (x, e)
            else:
                extremes.append((x, e))
        while len(extremes) > n + 1:
            extremes.pop(0 if abs(extremes[0][1]) < abs(extremes[-1][1]) else -1)
        if len(extremes) < n + 1:
            break
        points = [x for x, _ in extremes]
    return coefficients, max(abs(e) for _, e in errors)


def derive(name, target, weight, low, high, degree):
    """Prints the coefficients of 1, x, …, x^degree as floats, and the error before and after."""
    low, high = mpf(low), mpf(high)
    exact, least = remez(target, weight, low, high, range(degree + 1))
    rounded = [to_float(c) for c in exact]
    worst = mpf(0)
    for i in range(2001):
        x = low + (high - low) * i / 2000
        p = sum(c * x**power for power, c in enumerate(rounded))
        worst = max(worst, weight(x) * abs(target(x) - p))
    print(f"{name}: relative error {mp.nstr(least, 3)}, after rounding {mp.nstr(worst, 3)}")
    for power, c in enumerate(rounded):
        print(f"  x^{power}: {mp.nstr(c, 10)}  {float(c).hex()}")


def series(function, terms):
    """`function` away from 0 and its power series, `terms`, near it, where it cancels."""
    return lambda x: function(x) if abs(x) > mpf("1e-6") else sum(
        c * x**p for p, c in enumerate(terms))


# exp: e^r = 1 + r + r^2 q(r), relative to e^r, where |r| <= ln 2 / 2.
half = log(2) / 2 * mpf("1.0001")
q_exp = series(lambda r: (expm1(r) - r) / r**2, [mpf(1) / 2, mpf(1) / 6, mpf(1) / 24])
for degree in (3, 4):
    derive(f"exp, q of degree {degree}", q_exp, lambda r: r**2 / exp(r), -half, half, degree)
    # expm1 and tanh: the same, relative to e^r - 1, which is about r.
    derive(f"expm1, q of degree {degree}", q_exp,
           lambda r: abs(r**2 / (expm1(r) if r else 1)), -half, half, degree)

# log: log(1 + f) = f - f^2 / 2 + f^3 q(f), relative to it, for 1 + f in [sqrt(1/2), sqrt(2)].
q_log = series(lambda f: (log1p(f) - f + f**2 / 2) / f**3, [mpf(1) / 3, mpf(-1) / 4, mpf(1) / 5])
for degree in (6, 7, 8):
    derive(f"log, q of degree {degree}", q_log,
           lambda f: f**3 / (log1p(f) if f else 1), sqrt(mpf(1) / 2) - 1,
           sqrt(mpf(2)) - 1, degree)


# The normal tail: erfc(t / sqrt 2) / 2 = e^(-t^2 / 2) v q(v) with v = 1 / (1 + t / 3).
def tail(v):
    t = 3 * (1 / v - 1)
    return exp(t * t / 2) * erfc(t / sqrt(mpf(2))) / 2


for degree in (7, 8, 9, 10):
    derive(f"normal tail, q of degree {degree}", lambda v: tail(v) / v, lambda v: v / tail(v),
           1 / (1 + mpf("14") / 3), 1, degree)
