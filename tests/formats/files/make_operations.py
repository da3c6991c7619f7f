#!/usr/bin/env python3
"""Writes operations.keras, operations.h5 and operations.csv into DIR: slices, arithmetic of tensors and numbers, a
model for each time step, a frozen model: make_operations.py DIR"""
import os
import sys

os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ.setdefault("JAX_PLATFORMS", "cpu")

import keras
import numpy as np
from keras import layers as L

from make_files import ramp


def model():
    x = L.Input((6, 2), name="signal")
    h = L.Conv1D(2, 3, padding="same", name="conv")(x)
    step = keras.Input((2,), name="one")
    inner = keras.Model(step, L.Dense(1, name="narrow")(L.Dense(3, activation="tanh", name="wide")(step)), name="inner")
    frozen_in = keras.Input((6, 1), name="frozen_in")
    frozen = keras.Model(frozen_in, L.Dense(1, name="still")(frozen_in), name="frozen")
    frozen.trainable = False
    mixed = keras.ops.relu(h[:, :, 0:1] * 2.0 + h[:, :, 1:] - 0.5) + L.TimeDistributed(inner, name="each")(h)
    mixed = frozen(mixed)
    parts = [mixed[:, -1], 1.0 - x[..., 0], L.Flatten(name="flat")(x[:, ::-2]), keras.ops.maximum(x[:, 0], x[:, 5, :])]
    y = L.Dense(1, activation="sigmoid", name="label")(L.Concatenate(name="join")(parts) / 2.0)
    return keras.Model(x, y)


def main():
    folder = sys.argv[1]
    m = model()
    for i, weight in enumerate(m.weights):
        weight.assign(ramp(weight.shape) * 0.7 + 0.05 * i)
    m.compile(keras.optimizers.Adam(), "binary_crossentropy")
    x, y = ramp((4, 6, 2)), (ramp((4, 1)) > 0).astype("float32")
    m.fit(x, y, batch_size=2, epochs=1, shuffle=False, verbose=0)
    m.save(os.path.join(folder, "operations.keras"))
    m.save(os.path.join(folder, "operations.h5"))
    saved = m.predict(ramp((2, 6, 2)), verbose=0).reshape(-1)
    m.fit(x[:2], y[:2], batch_size=2, epochs=1, shuffle=False, verbose=0)
    trained = m.predict(ramp((2, 6, 2)), verbose=0).reshape(-1)
    np.savetxt(os.path.join(folder, "operations.csv"), np.stack([saved, trained], 1), fmt="%.9g", delimiter=",")


if __name__ == "__main__":
    main()
