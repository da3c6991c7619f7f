"""Draws a random network from a seed: graph, shapes, arguments, masks, shared layers, nesting, losses, optimizer."""
import numpy as np

from layer_arguments import ONE_INPUT, regularizer, recurrent, some, trained, weighted
from networks import Builder, Call, Layer, Network, Ref, Source, layers_in, refs_of

MERGING = ["Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum"]
LARGEST = 500  # numbers for each row
# On JAX, Keras adds the penalties of a layer's last call alone.
COUNTED_ONCE = ["ActivityRegularization"]
TIME_DISTRIBUTED_MODELS = 0.0  # not known here yet
RULES = {}  # class -> a function of a Drawer; those of ONE_INPUT are added below


def rule(*kinds):
    def register(function):
        for kind in kinds:
            RULES[kind] = lambda d, kind=kind: function(d, kind)
        return function
    return register


class Drawer:
    """A network under construction, with its tensors in Keras beside it: they know their shapes."""

    def __init__(self, name, random, trains=True):
        self.random, self.trains = random, trains
        self.network = Network(name)
        self.builder = Builder(self.network)
        self.unused = []
        self.private = set()  # values that nothing else may use
        self.count = 0

    # ---- chance ----

    def chance(self, share):
        return bool(self.random.random() < share)

    def integer(self, low, high):
        return int(self.random.integers(low, high + 1))

    def choose(self, values):
        return values[int(self.random.integers(len(values)))]

    # ---- values ----

    def fresh(self, letter):
        self.count += 1
        return Ref(f"{letter}{self.count}")

    def shape(self, ref):
        return tuple(self.builder.values[ref].shape[1:])

    def masked(self, ref):
        return getattr(self.builder.values[ref], "_keras_mask", None) is not None

    def add_input(self, shape, **options):
        name = self.fresh("x")
        self.network.inputs[name] = Source(shape, **options)
        self.builder.add_input(name)
        self.unused.append(name)
        return name

    def pick(self, rank, accept=lambda shape: True):
        """A value of that rank, more likely one that nothing has used; made if there is none."""
        def fitting(refs):
            return [Ref(r) for r in refs if len(self.shape(r)) == rank and accept(self.shape(r)) and self.is_open(r)]
        near, all_ = fitting(self.unused), fitting(self.builder.values)
        if near and (self.chance(0.8) or not all_):
            return self.choose(near)
        if all_:
            return self.choose(all_)
        if rank == 3:
            if self.chance(0.4):
                return self.add_input((self.integer(3, 6), self.integer(3, 5), self.integer(1, 3)))
            x = self.pick(2)
            return self.call(Layer("Reshape", target_shape=(*self.shape(x), 1)), x)
        if rank == 1:
            return self.vector(self.pick(2))
        return self.add_input((self.integer(4, 8), self.integer(1, 4)))

    def is_ids(self, ref):
        return ref in self.network.inputs and self.network.inputs[ref].classes is not None

    def is_open(self, ref):
        """Whether any layer may read it."""
        return not self.is_ids(ref) and ref not in self.private

    def call(self, layer, *inputs, **keywords):
        """Calls a layer, or one by its name anew: the value, or a list of several. Raises what Keras raises."""
        if isinstance(layer, Layer):
            name = self.fresh("layer")
            self.network.layers[name] = layer
        else:
            name = layer
        value = self.fresh("v")
        self.network.calls[value] = Call(name, list(inputs), keywords)
        try:
            results = self.builder.run(value)
            for result in results:
                size = np.prod([s or 1 for s in result.shape[1:]])
                if not 0 < size <= LARGEST:
                    raise ValueError(f"too large or empty: {result.shape}")
        except Exception:
            del self.network.calls[value]
            for key in [k for k in self.builder.values if k == value or k.startswith(value + "[")]:
                del self.builder.values[key]
            if name != layer:
                del self.network.layers[name]
            raise
        for used in refs_of([list(inputs), keywords]):
            if used in self.unused:
                self.unused.remove(used)
        made = [value] if len(results) == 1 else [Ref(f"{value}[{i}]") for i in range(len(results))]
        self.unused += made
        return made[0] if len(made) == 1 else made

    def vector(self, x):
        """Any value as one vector."""
        rank = len(self.shape(x))
        if rank == 1:
            return x
        kinds = ["Flatten"] if rank == 3 else ["Flatten", "GlobalMaxPooling1D", "GlobalAveragePooling1D", "LSTM"]
        kind = self.choose(kinds + (["GlobalAveragePooling2D"] if rank == 3 else []))
        return self.call(Layer(kind, **({"units": 3} if kind == "LSTM" else {})), x)

    def alone(self, x):
        """x, or if it has a mask, a value with that mask that nothing else uses."""
        if not self.masked(x):
            return x
        x = self.call(Layer("Dense", units=self.shape(x)[-1]), x)
        self.private.add(x)
        return x

    def like(self, x, channels=None):
        """Another value with the shape of x, or with other channels."""
        wanted = (*self.shape(x)[:-1], channels or self.shape(x)[-1])
        others = [Ref(r) for r in self.builder.values if r != x and self.shape(r) == wanted and self.is_open(r)]
        if others and self.chance(0.6):
            return self.choose(others)
        return self.call(Layer("Dense", units=wanted[-1], activation=self.choose(["tanh", "linear", "relu"])), x)


# ---- layers of several inputs or outputs ----


def masks_go_astray(layer):
    """A mask hangs on a tensor. On JAX a Permute that changes nothing gives the tensor itself, with the mask that it
    should drop; Softmax lays a mask (batch, time) over (batch, time, channels) from the last axis on."""
    dims = layer.arguments.get("dims")
    return layer.kind == "Softmax" or layer.kind == "Permute" and list(dims) == sorted(dims)


for _kind, (_ranks, _arguments) in ONE_INPUT.items():
    def _one(d, kind, ranks=_ranks, arguments=_arguments):
        x = d.pick(d.choose([r for r in ranks for _ in range(4 if r == 2 else 1)]))
        layer = Layer(kind, **arguments(d, d.shape(x)))
        if d.masked(x) and masks_go_astray(layer):
            raise ValueError("Keras does not say what becomes of the mask")
        d.call(layer, x)
    rule(_kind)(_one)


@rule(*MERGING)
def merge(d, kind):
    x = d.pick(d.choose([1, 2, 2, 3]))
    others = [d.like(x) for _ in range(1 if kind == "Subtract" else d.integer(1, 2))]
    d.call(Layer(kind), [x, *others])


@rule("Concatenate")
def concatenate(d, kind):
    x = d.pick(d.choose([1, 2, 2, 3]))
    if len(d.shape(x)) == 2 and d.chance(0.3):
        y = d.like(x)
        d.call(Layer(kind, axis=1), [x, y])
    else:
        y = d.like(x, d.integer(1, 4))
        d.call(Layer(kind, **some(d, axis=[-1])), [x, y])


@rule("GetItem")
def get_item(d, kind):
    x = d.pick(d.choose([2, 2, 3]))
    keys = [":, -1", ":, 0", ":, 1:", ":, :-1", ":, ::2", ":, ::-1", "..., :1", "..., -1:"]
    if d.masked(x):
        raise ValueError("a mask would be lost")
    d.call(Layer(kind, key=d.choose(keys)), x)


@rule("Dot")
def dot(d, kind):
    rank = d.choose([1, 2, 2])
    x = d.pick(rank)
    y = d.like(x)
    axes = rank if d.chance(0.6) else d.choose([-1, (rank, rank)] if rank == 1 else [1, (2, 2), (1, 1), -1])
    d.call(Layer(kind, axes=axes, **some(d, normalize=[True])), [x, y])


@rule("Embedding")
def embedding(d, kind):
    classes = d.integer(2, 6)
    ids = d.add_input((d.integer(4, 8),), classes=classes)
    d.call(Layer(kind, input_dim=classes, output_dim=d.integer(1, 4), **some(d, 0.5, mask_zero=[True])), ids)


@rule("Masking")
def masking(d, kind):
    raw = [Ref(r) for r, s in d.network.inputs.items() if len(s.shape) == 2 and not s.classes and s.hole is None]
    x = d.choose(raw) if raw else d.add_input((d.integer(4, 8), d.integer(1, 4)))
    value = d.choose([0.0, 0.0, -1.5])
    d.network.inputs[x].hole = value
    d.call(Layer(kind, **({"mask_value": value} if value else {})), x)


@rule("Attention", "AdditiveAttention")
def attention(d, kind):
    query, value = d.pick(2), d.pick(2)
    inputs = [query, value]
    if d.shape(query)[1] != d.shape(value)[1]:
        if d.chance(0.5):
            inputs.append(d.like(value, d.shape(query)[1]))
        else:
            inputs[1] = d.like(value, d.shape(query)[1])
    elif d.chance(0.3):
        inputs.append(d.like(value))
    arguments = some(d, use_scale=[True, False])
    if kind == "Attention":
        arguments |= some(d, score_mode=["concat", "dot"])
    d.call(Layer(kind, **arguments), inputs, **some(d, 0.2, return_attention_scores=[True], use_causal_mask=[True]))


@rule("MultiHeadAttention")
def multi_head_attention(d, kind):
    query = d.pick(2)
    value = query if d.chance(0.4) else d.pick(2)
    arguments = dict(num_heads=d.integer(1, 3), key_dim=d.integer(1, 4)) | some(
        d, 0.25, value_dim=[1, 3], output_shape=[2, 5], use_bias=[False], use_gate=[True]) | weighted(
        d, "kernel", "bias") | trained(d)
    arguments.pop("trainable", None)  # Keras forgets it when it reads the file
    keywords = some(d, 0.2, return_attention_scores=[True], use_causal_mask=[True])
    # Keras takes the masks off its inputs: whoever else reads them sees one or not, as the order of the calls falls.
    own = {x: d.alone(x) for x in dict.fromkeys([query, value])}
    if d.chance(0.25):
        keywords["key"] = d.alone(d.like(value))
    read = [*own.values(), *refs_of(keywords)]
    if "use_causal_mask" in keywords or any(d.masked(x) for x in read):
        keywords.pop("return_attention_scores", None)  # they come with a mask of four axes, which no loss can use
    d.call(Layer(kind, **arguments), own[query], own[value], **keywords)


@rule("states")
def states(d, _):
    """A recurrent layer begins where another one ended, as in an encoder-decoder."""
    kind = d.choose(["LSTM", "GRU", "SimpleRNN", "RNN", "Bidirectional"])
    units = d.integer(1, 3)

    def layer(inner=None, **walk):
        inner = inner or kind
        if inner == "Bidirectional":
            one = d.choose(["LSTM", "GRU"])
            layer.inner = getattr(layer, "inner", one)
            return Layer(inner, layer=layer(layer.inner, **walk))
        arguments = recurrent(d, None, "LSTM" if inner == "RNN" else inner, cell=True) | {"units": units}
        if inner == "RNN":
            return Layer("RNN", cell=Layer("LSTMCell", **arguments), **walk)
        return Layer(inner, **arguments, **walk)
    first = d.call(layer(return_state=True, **some(d, 0.5, return_sequences=[True])), d.pick(2))
    begin = list(first[1:])
    if d.chance(0.2):
        begin = [d.call(Layer("Dense", units=units), s) for s in begin]
    d.call(layer(return_sequences=True, **some(d, 0.3, return_state=[True])), d.pick(2), initial_state=begin)


@rule("shared")
def shared(d, _):
    """A layer that is there already, called once more."""
    once = [(c.layer, c.inputs[0]) for c in d.network.calls.values()
            if len(c.inputs) == 1 and isinstance(c.inputs[0], Ref) and not c.keywords and not d.is_ids(c.inputs[0])
            and d.network.layers[c.layer].kind not in COUNTED_ONCE]
    if not once:
        x = d.pick(2)
        once = [("", x)]
    name, x = d.choose(once)
    if not name:
        d.call(Layer("Dense", units=d.shape(x)[-1]), x)
        name = list(d.network.layers)[-1]
    d.call(name, d.like(x))


@rule("Functional", "Sequential")
def nested(d, kind):
    x = d.pick(d.choose([1, 2, 2, 2, 3]))
    inner = draw_inner(d, kind, d.shape(x))
    name = d.fresh("layer")
    layer = Layer("Model", network=inner)
    if len(d.shape(x)) > 1 and d.chance(TIME_DISTRIBUTED_MODELS):
        layer = Layer("TimeDistributed", layer=Layer("Model", network=draw_inner(d, kind, d.shape(x)[1:])))
    d.network.layers[name] = layer
    try:
        d.call(name, x)
    except Exception:
        del d.network.layers[name]
        raise
    if d.chance(0.3):
        d.call(name, d.like(x))


def draw_inner(d, kind, shape):
    """A small model of one input of that shape."""
    d.count += 1
    inner = Drawer(f"inner{d.count}", d.random, d.trains)
    inner.count = 100 * d.count
    x = inner.add_input(shape)
    for _ in range(d.integer(1, 3)):
        rank = len(inner.shape(x))
        kinds = [k for k, (ranks, _) in ONE_INPUT.items() if rank in ranks and k not in COUNTED_ONCE]
        branch = inner.unused and kind == "Functional" and d.chance(0.2)
        chosen = "Add" if branch else d.choose(kinds)
        before = x
        for _ in range(4):
            try:
                if branch:
                    x = inner.call(Layer("Add"), [x, inner.call(Layer("Dense", units=inner.shape(x)[-1]), x)])
                else:
                    x = inner.call(Layer(chosen, **ONE_INPUT[chosen][1](inner, inner.shape(x))), x)
                break
            except Exception:  # Keras does not take these arguments for this shape
                continue
        if isinstance(x, list):  # two directions
            x = inner.call(Layer("Concatenate"), x)
        if x == before:
            x = inner.call(Layer("Dense", units=2), x)
    network = inner.network
    network.outputs = [x]
    network.sequential = kind == "Sequential"
    return network


# ---- the whole ----

def draw_source(d):
    d.add_input((d.integer(4, 8), d.integer(1, 5)))
    if d.chance(0.25):
        d.add_input((d.integer(4, 8), d.integer(1, 4)))
    if d.chance(0.12):
        d.add_input((d.integer(1, 4),))


def join(d, most):
    """Brings the values that nothing has used down to so many."""
    for ref in list(d.unused):  # ids that nothing has embedded cannot be an output
        if d.is_ids(ref):
            d.unused.remove(ref)
    while len(d.unused) > most:
        a, b = (Ref(r) for r in d.unused[:2])
        if d.shape(a)[:-1] != d.shape(b)[:-1]:
            a, b = d.vector(a), d.vector(b)
        d.call(Layer("Concatenate"), [a, b])


def draw_loss(d, x):
    """The last layer and the loss of an output."""
    kind = d.choose(["mse", "mse", "mae", "huber", "bce", "cce", "scce", "raw"])
    reduction = some(d, 0.2, reduction=["sum", "mean_with_sample_weight", "sum_over_batch_size"])
    smoothing = some(d, 0.3, label_smoothing=[0.1])
    logits = {"from_logits": True} if d.chance(0.3) else {}
    if kind == "raw":
        return x, Layer("losses.MeanSquaredError", **reduction)
    units = d.integer(2, 4) if kind in ("cce", "scce") else d.integer(1, 3)
    activation = {"bce": "sigmoid", "cce": "softmax", "scce": "softmax"}.get(kind, "linear")
    more = {"kernel_regularizer": regularizer(d)} if d.chance(0.1) else {}
    x = d.call(Layer("Dense", units=units, activation="linear" if logits else activation, **more), x)
    return x, {
        "mse": Layer("losses.MeanSquaredError", **reduction), "mae": Layer("losses.MeanAbsoluteError", **reduction),
        "huber": Layer("losses.Huber", **reduction),  # its delta is not in Keras' files
        "bce": Layer("losses.BinaryCrossentropy", **logits, **smoothing, **reduction),
        "cce": Layer("losses.CategoricalCrossentropy", **logits, **smoothing, **reduction),
        "scce": Layer("losses.SparseCategoricalCrossentropy", **logits, **reduction)}[kind]


def draw_optimizer(d):
    """Epsilons are large: a gradient that is 0 but for rounding would else become a step of either sign."""
    if any(layer.kind == "Embedding" for layer in layers_in(d.network)):
        # Where one id comes twice, TensorFlow squares or clips the gradient of each by itself, and JAX their sum.
        return Layer("optimizers.SGD", learning_rate=0.1, **some(d, momentum=[0.9], weight_decay=[0.01]))
    more = some(d, 0.15, weight_decay=[0.01])
    more |= d.choose([{}] * 4 + [{"clipnorm": 0.5}, {"clipvalue": 0.05}, {"global_clipnorm": 0.5}])
    kind = d.choose(["SGD", "SGD", "Adam", "Adam", "AdamW", "RMSprop", "Adagrad"])
    arguments = {
        "SGD": lambda: dict(learning_rate=0.1) | some(d, momentum=[0.9]) | some(d, nesterov=[True]),
        "Adam": lambda: dict(learning_rate=0.02, epsilon=1e-2) | some(d, amsgrad=[True], beta_1=[0.8]),
        "AdamW": lambda: dict(learning_rate=0.02, epsilon=1e-2, weight_decay=0.05),
        "RMSprop": lambda: dict(learning_rate=0.02, epsilon=1e-2) | some(d, momentum=[0.5], centered=[True], rho=[0.8]),
        "Adagrad": lambda: dict(learning_rate=0.05, epsilon=1e-2),
    }[kind]()
    return Layer("optimizers." + kind, **(arguments | more))


def any_length(d):
    """The same network for signals of any length, where it can be."""
    longer = d.network.copy()
    names = [n for n, s in longer.inputs.items() if len(s.shape) == 2]
    lengths = {longer.inputs[n].shape[0] for n in names}
    if len(lengths) != 1 or any(s.classes for s in longer.inputs.values()):
        return d.network
    # Features without a number; a model that wants one.
    if any(layer.kind in ("Dot", "Flatten", "Model") for layer in layers_in(longer)):
        return d.network
    for name in names:
        longer.inputs[name].shape = (None, *longer.inputs[name].shape[1:])
    longer.steps = lengths.pop()
    try:
        longer.make()
    except Exception:  # a layer that needs to know
        return d.network
    return longer


def draw(seed, index, kinds=None):
    """Network number `index` of a seed; it holds layer number `index` of all there are, round and round."""
    random = np.random.default_rng([seed, index])
    d = Drawer(f"network{index}", random, trains=bool(random.random() < 0.88))
    draw_source(d)
    all_kinds = kinds or sorted(RULES)
    wanted = [all_kinds[(index + seed) % len(all_kinds)]]
    wanted += [d.choose(all_kinds) for _ in range(d.integer(1, 5))]
    if d.chance(0.2):
        wanted.insert(0, "Masking")
    misdraws = 0
    for i, kind in enumerate(wanted):
        for _ in range(10 if i == 0 else 4):
            try:
                RULES[kind](d)
                break
            except Exception:  # Keras does not take these arguments for this shape
                misdraws += 1
    join(d, d.choose([1, 1, 1, 2]))
    network = d.network
    ends, d.unused = list(d.unused), []
    for ref in ends:
        x, loss = draw_loss(d, Ref(ref))
        network.outputs.append(x)
        network.losses.append(loss)
    used = {r for c in network.calls.values() for r in _names(c)} | set(network.outputs)
    for name in [n for n in network.inputs if n not in used]:
        del network.inputs[name]
    if len(network.outputs) > 1 and d.chance(0.5):
        network.loss_weights = [round(float(random.uniform(0.2, 2)), 2) for _ in network.outputs]
    network.optimizer = draw_optimizer(d) if d.trains else None
    network.weighted = len(network.outputs) == 1 and d.chance(0.2)
    network.rows = d.integer(2, 5)
    return any_length(d) if d.chance(0.3) else network


def _names(call):
    return list(refs_of([call.inputs, call.keywords]))
