"""Keras 3 on JAX, TensorFlow or PyTorch: one epoch of fit, or predict."""
import os

from problem import Clock, Unsupported, data

VARIANTS = {
    "keras-jax": ["jit auto", "jit auto, 15 steps a call"],
    "keras-tensorflow": ["jit auto", "jit on", "jit off", "jit off, 15 steps a call"],
    "keras-torch": ["jit auto"],
}


def start(backend, threads):
    """Picks the backend, before Keras is imported; its version."""
    os.environ["KERAS_BACKEND"] = backend
    if backend == "tensorflow":
        import tensorflow
        tensorflow.config.threading.set_intra_op_parallelism_threads(threads)
        tensorflow.config.threading.set_inter_op_parallelism_threads(threads)
        return tensorflow.__version__
    if backend == "torch":
        import torch
        torch.set_num_threads(threads)
        torch.set_flush_denormal(True)
        return torch.__version__
    import jax
    return jax.__version__


def layer(keras, name, *numbers):
    make = keras.layers
    if name == "conv":
        return make.Conv1D(*numbers, padding="same", activation="relu")
    if name == "pool":
        return make.MaxPooling1D(*numbers)
    if name == "up":
        return make.UpSampling1D(*numbers)
    if name == "dense":
        return make.Dense(*numbers, activation="sigmoid")
    if name.startswith("bi"):
        return make.Bidirectional(layer(keras, name[2:], *numbers))
    kinds = {"lstm": make.LSTM, "gru": make.GRU, "rnn": make.SimpleRNN}
    return kinds[name](*numbers, return_sequences=True)


def run(name, variant, problem, warm_up, rounds):
    if problem.mode == "stream":
        raise Unsupported("Keras carries no states from call to call of a functional model")
    backend = name.removeprefix("keras-")
    version = start(backend, problem.threads)
    import keras

    model = keras.Sequential([keras.Input((problem.steps, problem.channels))] +
                             [layer(keras, *each) for each in problem.layers])
    loss = "binary_crossentropy" if problem.ends_in_dense else "mean_squared_error"
    model.compile(optimizer=keras.optimizers.Adam(1e-3), loss=loss,
                  jit_compile="auto" if "jit auto" in variant else "jit on" in variant,
                  steps_per_execution=15 if "15 steps" in variant else 1)
    x, y = data(problem)
    clock = Clock()

    class Watch(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            clock.start()

        def on_epoch_end(self, epoch, logs=None):
            float(logs["loss"])  # waits for whatever still runs
            clock.stop()

    if problem.mode == "train":
        model.fit(x, y, batch_size=problem.batch, epochs=warm_up + rounds, shuffle=True, verbose=0,
                  callbacks=[Watch()])
    else:
        for _ in range(warm_up + rounds):
            clock.time(lambda: model.predict(x, batch_size=problem.batch, verbose=0))
    return clock.result(warm_up, f"keras {keras.__version__}, {backend} {version}")
