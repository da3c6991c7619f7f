"""A network as plain data: can be built with Keras, printed as Python code, and changed piece by piece.

A Network has named inputs, named layers, and calls in order; a value is named by the call that makes it, "v3", or
"v3[1]" where a call gives several. Layers hold their arguments as a table, other layers and networks among them.
"""
import copy
import dataclasses

import keras


class Ref(str):
    """The name of a value."""

    def __repr__(self):
        return str(self)


class Layer:
    """A class of Keras with arguments: "Dense" is keras.layers.Dense, "losses.Huber" is keras.losses.Huber."""

    def __init__(self, kind, **arguments):
        self.kind, self.arguments = kind, arguments

    def make(self):
        if self.kind == "Model":
            return self.arguments["network"].make()
        if self.kind == "GetItem":  # no layer of Keras, but a part of its files
            return eval(repr(self))
        found = keras.layers if "." not in self.kind else keras
        for part in self.kind.split("."):
            found = getattr(found, part)
        return found(**{name: make(value) for name, value in self.arguments.items()})

    def __repr__(self):
        if self.kind == "Model":
            return self.arguments["network"].name
        if self.kind == "GetItem":
            return f"(lambda x: x[{self.arguments['key']}])"
        where = "keras." if "." in self.kind else "layers."
        return f"{where}{self.kind}({', '.join(f'{n}={v!r}' for n, v in self.arguments.items())})"


def make(value):
    if isinstance(value, (Layer, Network)):
        return value.make()
    return [make(v) for v in value] if isinstance(value, list) else value


@dataclasses.dataclass
class Call:
    layer: str
    inputs: list  # positional: a Ref or a list of them each
    keywords: dict = dataclasses.field(default_factory=dict)


def refs_of(value):
    """All Refs in nested lists and tables."""
    if isinstance(value, Ref):
        yield value
    elif isinstance(value, (list, tuple)):
        for v in value:
            yield from refs_of(v)
    elif isinstance(value, dict):
        yield from refs_of(list(value.values()))


def replaced(value, old, new):
    if isinstance(value, Ref):
        return new if value == old else value
    if isinstance(value, list):
        return [replaced(v, old, new) for v in value]
    return {k: replaced(v, old, new) for k, v in value.items()} if isinstance(value, dict) else value


def layers_in(value):
    """Every Layer in it, at any depth."""
    if isinstance(value, Layer):
        yield value
        yield from layers_in(list(value.arguments.values()))
    elif isinstance(value, Network):
        yield from layers_in(list(value.layers.values()))
    elif isinstance(value, (list, tuple)):
        for v in value:
            yield from layers_in(v)


@dataclasses.dataclass
class Source:
    """What enters: real numbers, or whole ones below `classes`; with holes, some steps are `hole`."""
    shape: tuple
    classes: int | None = None
    hole: float | None = None


@dataclasses.dataclass
class Network:
    name: str
    inputs: dict = dataclasses.field(default_factory=dict)  # name -> Source
    layers: dict = dataclasses.field(default_factory=dict)  # name -> Layer
    calls: dict = dataclasses.field(default_factory=dict)  # name -> Call
    outputs: list = dataclasses.field(default_factory=list)
    sequential: bool = False
    rows: int = 4
    steps: int = 7  # of inputs of any length
    losses: list = dataclasses.field(default_factory=list)  # one Layer for each output
    loss_weights: list | None = None
    optimizer: Layer | None = None  # None: only prediction is comparable
    weighted: bool = False

    def copy(self):
        return copy.deepcopy(self)

    def make(self):
        return Builder(self).model()

    # ---- as Python code ----

    def definition(self):
        """Lines that make the model, as a variable of its name."""
        lines = []
        for layer in self.layers.values():
            for inner in models_in(layer):
                lines += inner.definition()
        if self.sequential:
            shape = next(iter(self.inputs.values())).shape
            return lines + [f"{self.name} = keras.Sequential([keras.Input({shape}), "
                            f"{', '.join(map(repr, self.layers.values()))}], name={self.name!r})"]
        for name, source in self.inputs.items():
            lines.append(f"{name} = keras.Input({source.shape}, name={str(name)!r})")
        uses = [call.layer for call in self.calls.values()]
        made = set()
        for name, call in self.calls.items():
            layer = repr(self.layers[call.layer])
            if uses.count(call.layer) > 1:
                if call.layer not in made:
                    lines.append(f"{call.layer} = {layer}")
                made.add(call.layer)
                layer = call.layer
            arguments = [repr(i) for i in call.inputs] + [f"{k}={v!r}" for k, v in call.keywords.items()]
            lines.append(f"{name} = {layer}({', '.join(arguments)})")
        outputs = self.outputs[0] if len(self.outputs) == 1 else self.outputs
        return lines + [f"{self.name} = keras.Model([{', '.join(self.inputs)}], {outputs!r}, name={self.name!r})"]

    def code(self):
        lines = ["import keras", "from keras import layers", *self.definition()]
        for name, source in self.inputs.items():
            if source.classes:
                lines.append(f"# {name} holds whole numbers below {source.classes}")
            if source.hole is not None:
                lines.append(f"# some steps of {name} are {source.hole}")
        if self.optimizer:
            more = f", loss_weights={self.loss_weights}" if self.loss_weights else ""
            lines.append(f"{self.name}.compile(optimizer={self.optimizer!r}, loss={self.losses!r}{more})")
            if self.weighted:
                lines.append("# with sample_weight")
        return "\n".join(lines)

    def __repr__(self):  # as an argument of a layer: its variable
        return self.name


def models_in(layer):
    for value in layer.arguments.values():
        if isinstance(value, Network):
            yield value
        elif isinstance(value, Layer):
            yield from models_in(value)


class Builder:
    """Replays a network, whole or call by call while it is being drawn."""

    def __init__(self, network):
        self.network, self.layers, self.values = network, {}, {}
        for name in network.inputs:
            self.add_input(name)
        for name in network.calls:
            self.run(name)

    def add_input(self, name):
        self.values[name] = keras.Input(self.network.inputs[name].shape, name=str(name))

    def run(self, name):
        call = self.network.calls[name]
        if call.layer not in self.layers:
            self.layers[call.layer] = self.network.layers[call.layer].make()
        result = self.layers[call.layer](*self.resolve(call.inputs), **self.resolve(call.keywords))
        results = list(result) if isinstance(result, (list, tuple)) else [result]
        if len(results) == 1:
            self.values[name] = results[0]
        for i, one in enumerate(results if len(results) > 1 else []):
            self.values[f"{name}[{i}]"] = one
        return results

    def resolve(self, value):
        if isinstance(value, Ref):
            return self.values[value]
        if isinstance(value, list):
            return [self.resolve(v) for v in value]
        return {k: self.resolve(v) for k, v in value.items()} if isinstance(value, dict) else value

    def model(self):
        network = self.network
        if network.sequential:
            shape = next(iter(network.inputs.values())).shape
            return keras.Sequential([keras.Input(shape), *map(make, network.layers.values())], name=network.name)
        outputs = [self.values[o] for o in network.outputs]
        return keras.Model([self.values[i] for i in network.inputs], outputs[0] if len(outputs) == 1 else outputs,
                           name=network.name)
