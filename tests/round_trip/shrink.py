"""Makes a failing network smaller as long as it fails in the same way."""
import time

from networks import Layer, Network, refs_of, replaced


def tidied(network):
    """Without what no output needs."""
    needed = set(network.outputs)
    for name in reversed(list(network.calls)):
        call = network.calls[name]
        if any(r == name or r.startswith(name + "[") for r in needed):
            needed |= set(refs_of([call.inputs, call.keywords]))
        else:
            del network.calls[name]
    network.inputs = {n: s for n, s in network.inputs.items() if n in needed}
    used = {c.layer for c in network.calls.values()}
    network.layers = {n: layer for n, layer in network.layers.items() if n in used}
    return network


def values_of(network):
    """Names of values, those of several outputs by their first: shapes are for Keras to judge."""
    return list(network.inputs) + list(network.calls)


def smaller(network):
    """Networks with one thing less, the boldest changes first."""
    for i in range(len(network.outputs) if len(network.outputs) > 1 else 0):
        less = network.copy()
        for each in (less.outputs, less.losses, less.loss_weights or [0] * len(less.outputs)):
            del each[i]
        yield less
    for value in network.calls:  # end there
        less = network.copy()
        less.outputs, less.losses = [value], [Layer("losses.MeanSquaredError")]
        less.loss_weights = None
        if less.outputs != network.outputs:
            yield less
    for name, call in network.calls.items():  # go around a call
        for source in refs_of(call.inputs):
            less = network.copy()
            del less.calls[name]
            for other in less.calls.values():
                other.inputs, other.keywords = (replaced(v, name, source) for v in (other.inputs, other.keywords))
            less.outputs = replaced(less.outputs, name, source)
            yield less
    for name, call in network.calls.items():
        for key in call.keywords:
            less = network.copy()
            del less.calls[name].keywords[key]
            yield less
    if network.weighted:
        less = network.copy()
        less.weighted = False
        yield less
    for name in network.inputs:
        for attribute in ("hole", "classes"):
            if getattr(network.inputs[name], attribute) is not None:
                less = network.copy()
                setattr(less.inputs[name], attribute, None)
                yield less
        if None in network.inputs[name].shape:
            less = network.copy()
            source = less.inputs[name]
            source.shape = tuple(less.steps if s is None else s for s in source.shape)
            yield less
    for i in range(len(network.losses)):
        if network.losses[i].kind != "losses.MeanSquaredError" or network.losses[i].arguments:
            less = network.copy()
            less.losses[i] = Layer("losses.MeanSquaredError")
            yield less
    if network.optimizer:
        for simple in (None, Layer("optimizers.SGD", learning_rate=0.1)):
            if repr(simple) != repr(network.optimizer):
                less = network.copy()
                less.optimizer = simple
                yield less
    yield from fewer_arguments(network)


def tables_in(value):
    """The argument tables in a network, at any depth, in an order that copies keep."""
    if isinstance(value, Layer):
        yield value.arguments
        yield from tables_in(list(value.arguments.values()))
    elif isinstance(value, Network):
        yield from tables_in(list(value.layers.values()))
    elif isinstance(value, list):
        for v in value:
            yield from tables_in(v)


def fewer_arguments(network):
    for i, table in enumerate(tables_in(network)):
        for key, value in table.items():
            if isinstance(value, (Network, Layer)) and key in ("layer", "network"):
                continue
            less = network.copy()
            del list(tables_in(less))[i][key]
            yield less
            if isinstance(value, int) and not isinstance(value, bool) and value > 1:
                less = network.copy()
                list(tables_in(less))[i][key] = 1
                yield less


def shrink(network, fails, seconds):
    """The smallest network found within that time for which fails() is true."""
    end = time.monotonic() + seconds
    smallest, again = network, True
    while again:
        again = False
        for less in smaller(smallest):
            if time.monotonic() > end:
                return smallest
            less = tidied(less)
            if fails(less):
                smallest, again = less, True
                break
    return smallest
