#!/usr/bin/env python3
"""Writes into DIR models that were frozen by an argument of a layer that holds others, as .keras, .h5 and what they
predict: frozen_steps (a model for each time step, normalization first) and frozen_attention. make_frozen.py DIR"""
import os
import sys

os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ.setdefault("JAX_PLATFORMS", "cpu")

import keras
import numpy as np
from keras import layers as L

from make_files import ramp


def steps():
    x = L.Input((6, 2), name="signal")
    one = keras.Input((2,), name="one")
    inner = keras.Model(one, L.Dense(3, activation="tanh", name="wide")(L.BatchNormalization(name="norm")(one)), name="inner")
    h = L.TimeDistributed(inner, name="each", trainable=False)(x)
    return keras.Model(x, L.Dense(1, name="label")(h))


def attention():
    x = L.Input((6, 2), name="signal")
    h = L.Dense(2, name="mix")(x)
    h = L.MultiHeadAttention(2, 2, name="look", trainable=False)(h, h)
    return keras.Model(x, L.Dense(1, name="label")(h))


def main():
    folder = sys.argv[1]
    for name, m in (("frozen_steps", steps()), ("frozen_attention", attention())):
        for i, weight in enumerate(m.weights):
            weight.assign(ramp(weight.shape) * 0.7 + 0.05 * i + (1.0 if "variance" in weight.path else 0.0))
        m.compile(keras.optimizers.Adam(), "mse")
        m.fit(ramp((4, 6, 2)), ramp((4, 6, 1)), batch_size=2, epochs=1, shuffle=False, verbose=0)
        m.save(os.path.join(folder, name + ".keras"))
        m.save(os.path.join(folder, name + ".h5"))
        np.savetxt(os.path.join(folder, name + ".csv"), m.predict(ramp((2, 6, 2)), verbose=0).reshape(-1), fmt="%.9g")


if __name__ == "__main__":
    main()
