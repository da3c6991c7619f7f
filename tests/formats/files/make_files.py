#!/usr/bin/env python3
"""Writes one small trained model as files of the Keras that is installed: make_files.py DIR NAME

Runs under Keras 2.2 to 3.x: DIR/NAME.keras (Keras 3), NAME.h5 (whole model), NAME.weights.h5, NAME.json
(architecture), and NAME.csv: what the model predicts for the input that `ramp` gives, and what it predicts after
one more training step, one time step a line. How the files of this folder were made stands in README.md.
"""
import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("JAX_PLATFORMS", "cpu")

import numpy as np

try:
    import keras
    if keras.__version__.startswith("2.") and os.environ.get("TF_KERAS"):
        raise ImportError
except ImportError:
    from tensorflow import keras

try:
    version = keras.__version__
except AttributeError:
    import tensorflow
    version = tensorflow.keras.__version__
L = keras.layers


def ramp(shape):
    return (((np.arange(np.prod(shape)) * 37) % 29) / 14.5 - 1).astype("float32").reshape(shape)


def model():
    x = L.Input((6, 2), name="signal")
    h = L.Conv1D(2, 3, padding="same", activation="relu", name="conv")(x)
    h = L.BatchNormalization(name="norm")(h)
    h = L.Bidirectional(L.LSTM(2, return_sequences=True, name="inner"), name="memory")(h)
    h = L.Dropout(0.0, name="drop")(h)
    y = L.TimeDistributed(L.Dense(1, activation="sigmoid", name="step"), name="label")(h)
    return keras.models.Model(x, y)


def main():
    folder, name = sys.argv[1], sys.argv[2]
    np.random.seed(7)
    m = model()
    # Weights that are the same in every version, and then two real steps.
    for layer in m.layers:
        weights = [ramp(w.shape) * 0.7 + 0.05 * i for i, w in enumerate(layer.get_weights())]
        if layer.name == "norm":
            weights[3] = np.abs(weights[3]) + 0.5
        layer.set_weights(weights)
    optimizer = keras.optimizers.Adam()
    m.compile(optimizer, loss="binary_crossentropy", metrics=["accuracy"])
    x, y = ramp((4, 6, 2)), (ramp((4, 6, 1)) > 0).astype("float32")
    m.fit(x, y, batch_size=2, epochs=1, shuffle=False, verbose=0)
    path = os.path.join(folder, name)
    is_old = version.startswith("2.")
    if not is_old:
        m.save(path + ".keras")
    if not version.startswith("3.0"):  # which fails over the names of Bidirectional's weights
        m.save(path + ".h5")
    m.save_weights(path + (".weights.h5" if not is_old else "_weights.h5"))
    with open(path + ".json", "w") as out:
        out.write(m.to_json())
    saved = m.predict(ramp((2, 6, 2)), verbose=0).reshape(-1)
    m.fit(x[:2], y[:2], batch_size=2, epochs=1, shuffle=False, verbose=0)
    trained = m.predict(ramp((2, 6, 2)), verbose=0).reshape(-1)
    np.savetxt(path + ".csv", np.stack([saved, trained], 1), fmt="%.9g", delimiter=",")
    print(name, version, sorted(f for f in os.listdir(folder) if f.startswith(name)))


if __name__ == "__main__":
    main()
