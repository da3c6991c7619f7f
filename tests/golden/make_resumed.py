#!/usr/bin/env python3
"""Makes models that real Keras saved in the middle of training: make_resumed.py OUT

Each OUT/NAME.keras was compiled and trained for three steps; OUT/NAME.npz holds x and y, and what Keras makes of it
when it loads the file and trains three steps more: after/I (weights as in model.weights) and loss.
"""
import os
import pathlib
import sys

os.environ["KERAS_BACKEND"] = "jax"
os.environ.setdefault("JAX_PLATFORMS", "cpu")

import keras  # noqa: E402
import numpy as np  # noqa: E402
from keras import layers as kl  # noqa: E402
from keras import optimizers as ko  # noqa: E402

OPTIMIZERS = {
    "sgd": lambda: ko.SGD(0.1),
    "sgd_momentum_schedule": lambda: ko.SGD(ko.schedules.CosineDecay(0.2, 10), momentum=0.9, nesterov=True),
    "adam": lambda: ko.Adam(0.02),
    "adam_amsgrad_average": lambda: ko.Adam(0.02, amsgrad=True, use_ema=True, ema_momentum=0.7),
    "adamw": lambda: ko.AdamW(0.02, weight_decay=0.1, clipnorm=0.5),
    "rmsprop": lambda: ko.RMSprop(0.01, momentum=0.5, centered=True),
    "adagrad": lambda: ko.Adagrad(0.1),
}


def make(name, out):
    keras.utils.clear_session()
    keras.utils.set_random_seed(3)
    random = np.random.default_rng(11)
    x = random.standard_normal((6, 9, 2)).astype(np.float32)
    y = (random.random((6, 8, 1)) < 0.4).astype(np.float32)
    source = keras.Input((9, 2))
    h = kl.Conv1D(3, 2, activation="tanh")(source)
    h = kl.LSTM(3, return_sequences=True)(h)
    h = kl.LayerNormalization()(h)  # its trainable weights stand between others
    h = kl.Dense(3, trainable=False)(h)
    model = keras.Model(source, kl.Dense(1, activation="sigmoid")(h))
    model.compile(OPTIMIZERS[name](), "binary_crossentropy", metrics=["accuracy"])

    steps = dict(epochs=3, batch_size=6, shuffle=False, verbose=0)
    model.fit(x, y, **steps)
    model.save(out / f"{name}.keras")
    model = keras.saving.load_model(out / f"{name}.keras")
    loss = model.fit(x, y, **steps).history["loss"]
    after = {f"after/{i}": np.asarray(w) for i, w in enumerate(model.get_weights())}
    np.savez_compressed(out / f"{name}.npz", x=x, y=y, loss=np.float32(loss), **after)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    out = pathlib.Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    for name in OPTIMIZERS:
        make(name, out)


if __name__ == "__main__":
    main()
