"""Arguments for layers that make one tensor of one: what each may be given for an input of some shape."""
from networks import Layer

ACTIVATIONS = ("linear relu tanh sigmoid softmax hard_sigmoid elu selu softplus softsign silu gelu leaky_relu "
               "relu6 mish hard_silu log_softmax").split()
SMOOTH = "tanh sigmoid softsign silu gelu elu softplus".split()
INITIALIZERS = ["zeros", "ones", "he_normal", "lecun_uniform", "orthogonal", "random_normal", "truncated_normal"]


def some(d, share=0.3, /, **options):
    """Of these arguments some, each with one of its values."""
    return {name: d.choose(values) for name, values in options.items() if d.chance(share)}


def regularizer(d):
    return d.choose([Layer("regularizers.L1", l1=0.02), Layer("regularizers.L2", l2=0.03),
                     Layer("regularizers.L1L2", l1=0.01, l2=0.02), "l2"])


def constraint(d):
    return d.choose([Layer("constraints.MaxNorm", max_value=0.8), Layer("constraints.NonNeg"),
                     Layer("constraints.UnitNorm"), Layer("constraints.MinMaxNorm", min_value=0.2, max_value=0.9)])


def weighted(d, *weights):
    """What every weight may be given: an initializer, a regularizer, a constraint."""
    arguments = {}
    for weight in weights:
        if d.chance(0.1):
            initializers = INITIALIZERS if weight != "bias" else INITIALIZERS[:2]
            arguments[weight + "_initializer"] = d.choose([*initializers, Layer("initializers.Constant", value=0.25)])
        if d.chance(0.08):
            arguments[weight + "_regularizer"] = regularizer(d)
        if d.chance(0.06):
            arguments[weight + "_constraint"] = constraint(d)
            if arguments[weight + "_constraint"].kind.endswith("NonNeg"):
                # It makes weights 0, where the slope of |w| is 1 on JAX and 0 on TensorFlow (and here).
                arguments.pop(weight + "_regularizer", None)
    return arguments


def trained(d):
    return {"trainable": False} if d.chance(0.06) else {}


def window(d, length):
    """kernel, strides, dilation, padding of a convolution over so many steps."""
    padding = d.choose(["valid", "same", "causal"])
    kernel = d.integer(1, min(4, length))
    arguments = {"padding": padding} if padding != "valid" or d.chance(0.2) else {}
    if d.chance(0.25):
        arguments["strides"] = d.integer(2, 3)
    elif d.chance(0.25) and (kernel - 1) * 2 + 1 <= length:
        arguments["dilation_rate"] = 2
    return kernel, arguments


def convolved(d, *weights):
    return some(d, activation=ACTIVATIONS, use_bias=[False]) | weighted(d, *weights) | trained(d)


def dense(d, shape):
    return dict(units=d.integer(1, 5)) | convolved(d, "kernel", "bias")


def conv1d(d, shape):
    kernel, more = window(d, shape[0])
    groups = d.choose([g for g in (1, 2, 3) if shape[1] % g == 0])
    if groups > 1:
        more["groups"] = groups
    return dict(filters=groups * d.integer(1, 3), kernel_size=kernel) | more | convolved(d, "kernel", "bias")


def depthwise_conv1d(d, shape):
    kernel, more = window(d, shape[0])
    return dict(kernel_size=kernel) | more | some(d, depth_multiplier=[2]) | convolved(d, "depthwise", "bias")


def separable_conv1d(d, shape):
    kernel, more = window(d, shape[0])
    return (dict(filters=d.integer(1, 4), kernel_size=kernel) | more | some(d, depth_multiplier=[2]) |
            convolved(d, "depthwise", "pointwise", "bias"))


def conv1d_transpose(d, shape):
    strides = d.integer(1, 3)
    arguments = dict(filters=d.integer(1, 4), kernel_size=d.integer(1, 4)) | some(d, padding=["same"])
    if strides > 1:
        arguments["strides"] = strides
        arguments |= some(d, output_padding=list(range(strides)))
    elif d.chance(0.2):
        arguments["dilation_rate"] = 2
    return arguments | convolved(d, "kernel", "bias")


def conv2d(d, shape):
    padding = d.choose(["valid", "same"])
    kernel = [d.integer(1, min(3, shape[0])), d.integer(1, min(3, shape[1]))]
    arguments = {"padding": padding}
    if d.chance(0.3):
        arguments["strides"] = d.choose([2, (1, 2), (2, 1)])
    elif d.chance(0.3) and all((k - 1) * 2 + 1 <= s for k, s in zip(kernel, shape)):
        arguments["dilation_rate"] = d.choose([2, (2, 1), (1, 2)])
    groups = d.choose([g for g in (1, 2) if shape[2] % g == 0])
    if groups > 1:
        arguments["groups"] = groups
    size = kernel[0] if kernel[0] == kernel[1] else tuple(kernel)
    return dict(filters=groups * d.integer(1, 2), kernel_size=size) | arguments | convolved(d, "kernel", "bias")


def pool1d(d, shape):
    return dict(pool_size=d.integer(1, min(3, shape[0]))) | some(d, strides=[1, 2, 3], padding=["same", "valid"])


def pool2d(d, shape):
    size = (d.integer(1, min(3, shape[0])), d.integer(1, min(3, shape[1])))
    return dict(pool_size=size) | some(d, strides=[1, 2, (2, 1)], padding=["same", "valid"])


def keepdims(d, shape):
    return some(d, keepdims=[True])


def recurrent(d, shape, kind="LSTM", cell=False):
    arguments = dict(units=d.integer(1, 4)) | some(d, 0.2, activation=SMOOTH + ["relu", "hard_sigmoid"],
                                                   use_bias=[False])
    if kind != "SimpleRNN":
        arguments |= some(d, 0.2, recurrent_activation=["hard_sigmoid", "tanh", "softsign"])
    arguments |= weighted(d, "kernel", "recurrent", "bias")
    if kind == "LSTM":
        arguments |= some(d, 0.15, unit_forget_bias=[False])
    if kind == "GRU":
        arguments |= some(d, 0.4, reset_after=[False])
    if not d.trains:
        arguments |= some(d, 0.4, dropout=[0.3], recurrent_dropout=[0.2], seed=[5])
    return arguments if cell else arguments | walking(d) | trained(d)


def walking(d):
    """What every recurrent layer may be given about time.

    Not zero_output_for_mask together with unroll: JAX forgets it then, and TensorFlow forgets to turn the mask.
    """
    walk = some(d, 0.15, go_backwards=[True], **d.choose([{"unroll": [True]}, {"zero_output_for_mask": [True]}]))
    return ({"return_sequences": True} if d.chance(0.65) else {}) | walk


def cell(d, kind):
    return Layer(kind + "Cell", **recurrent(d, None, kind, cell=True))


def rnn(d, shape):
    kinds = ["LSTM", "GRU", "SimpleRNN"]
    cells = [cell(d, d.choose(kinds)) for _ in range(d.choose([1, 1, 2, 3]))]
    walk = walking(d)
    if len(cells) > 1:
        walk.pop("go_backwards", None)  # refused together with a mask
    cells = cells[0] if len(cells) == 1 else d.choose([cells, Layer("StackedRNNCells", cells=cells)])
    return dict(cell=cells) | walk | trained(d)


def bidirectional(d, shape):
    kind = d.choose(["LSTM", "GRU", "SimpleRNN", "RNN"])
    arguments = rnn(d, shape) if kind == "RNN" else recurrent(d, shape, kind)
    for key in ("trainable", "unroll"):  # it sets zero_output_for_mask itself
        arguments.pop(key, None)
    wrapper = some(d, 0.6, merge_mode=["sum", "mul", "ave", "concat"]) | trained(d)
    if kind != "RNN" and d.chance(0.2):
        other = {k: v for k, v in recurrent(d, shape, kind).items()
                 if k not in ("return_sequences", "go_backwards", "trainable", "zero_output_for_mask", "unroll")}
        other |= {k: arguments[k] for k in ("units", "return_sequences", "zero_output_for_mask") if k in arguments}
        if not arguments.get("go_backwards"):
            other["go_backwards"] = True
        wrapper["backward_layer"] = Layer(kind, **other)
    return dict(layer=Layer(kind, **arguments)) | wrapper


def time_distributed(d, shape):
    """Of what is left of the shape when time is taken off."""
    if len(shape) == 2:
        kind = d.choose(["Dense", "Activation", "LayerNormalization", "Dropout", "LeakyReLU", "Reshape"])
    else:
        kind = d.choose(["Dense", "Conv1D", "LSTM", "GRU", "Flatten", "MaxPooling1D", "GlobalAveragePooling1D",
                         "Bidirectional", "BatchNormalization", "TimeDistributed", "LayerNormalization",
                         "GlobalMaxPooling1D", "Conv1DTranspose", "DepthwiseConv1D", "SimpleRNN", "Permute"])
    return dict(layer=Layer(kind, **ONE_INPUT[kind][1](d, shape[1:])))


def batch_normalization(d, shape):
    return some(d, momentum=[0.9, 0.5], epsilon=[1e-2], center=[False], scale=[False]) | weighted(
        d, "beta", "gamma") | trained(d)


def layer_normalization(d, shape):
    return some(d, epsilon=[1e-2], center=[False], scale=[False]) | weighted(d, "beta", "gamma") | trained(d)


def group_normalization(d, shape):
    groups = [-1] + [g for g in (1, 2, 3) if shape[-1] % g == 0]
    return dict(groups=d.choose(groups)) | layer_normalization(d, shape)


def normalization(d, shape):
    if d.chance(0.6):
        return some(d, axis=[-1, None], invert=[True])
    count = d.choose([1, shape[-1]])
    mean, variance = ([round(float(d.random.uniform(low, 1.5)), 2) for _ in range(count)] for low in (-1, 0.5))
    return dict(mean=mean if count > 1 else mean[0], variance=variance if count > 1 else variance[0]) | some(
        d, invert=[True])


def dropout(d, shape):
    return dict(rate=0.0 if d.trains else 0.4) | some(d, seed=[3])


def noise(d, shape):
    return dict(stddev=0.0 if d.trains else 0.2) | some(d, seed=[3])


def rescaling(d, shape):
    per_feature = [round(float(d.random.uniform(0.5, 2)), 2) for _ in range(shape[-1])]
    return dict(scale=d.choose([0.5, -1.5, per_feature])) | some(d, offset=[0.25, per_feature])


def prelu(d, shape):
    axes = list(range(1, len(shape) + 1))
    return some(d, 0.6, shared_axes=[[1], axes[:-1] or [1], axes]) | weighted(d, "alpha")


def permute(d, shape):
    dims = [int(i) + 1 for i in d.random.permutation(len(shape))]
    return dict(dims=tuple(dims))


def reshape(d, shape):
    size = 1
    for s in shape:
        size *= s
    divisors = [k for k in range(1, size + 1) if size % k == 0]
    first = d.choose(divisors)
    targets = [(first, size // first), (-1, size // first), (size,)]
    if len(shape) == 2:
        targets.append((*shape, 1))
    return dict(target_shape=d.choose(targets))


# class -> (ranks of the input without the batch, arguments)
ONE_INPUT = {
    "Dense": ((1, 2, 3), dense),
    "Activation": ((1, 2, 3), lambda d, s: dict(activation=d.choose(ACTIVATIONS + ["exponential"]))),
    "ReLU": ((1, 2, 3), lambda d, s: some(d, max_value=[1.5], negative_slope=[0.2], threshold=[0.1])),
    "LeakyReLU": ((1, 2, 3), lambda d, s: some(d, negative_slope=[0.1])),
    "PReLU": ((1, 2, 3), prelu),
    "ELU": ((1, 2, 3), lambda d, s: some(d, alpha=[0.5])),
    "Softmax": ((1, 2, 3), lambda d, s: {}),
    "Dropout": ((1, 2, 3), dropout),
    "GaussianNoise": ((1, 2, 3), noise),
    "GaussianDropout": ((1, 2, 3), dropout),
    "SpatialDropout1D": ((2,), dropout),
    "ActivityRegularization": ((1, 2, 3), lambda d, s: some(d, 0.7, l1=[0.01, 0.1], l2=[0.02, 0.2])),
    "Rescaling": ((1, 2, 3), rescaling),
    "Normalization": ((1, 2, 3), normalization),
    "BatchNormalization": ((1, 2, 3), batch_normalization),
    "LayerNormalization": ((1, 2, 3), layer_normalization),
    "GroupNormalization": ((2, 3), group_normalization),
    "UnitNormalization": ((1, 2, 3), lambda d, s: {}),
    "Flatten": ((2, 3), lambda d, s: {}),
    "Reshape": ((1, 2, 3), reshape),
    "Permute": ((2, 3), permute),
    "RepeatVector": ((1,), lambda d, s: dict(n=d.integer(1, 5))),
    "Conv1D": ((2,), conv1d),
    "DepthwiseConv1D": ((2,), depthwise_conv1d),
    "SeparableConv1D": ((2,), separable_conv1d),
    "Conv1DTranspose": ((2,), conv1d_transpose),
    "MaxPooling1D": ((2,), pool1d),
    "AveragePooling1D": ((2,), pool1d),
    "GlobalMaxPooling1D": ((2,), keepdims),
    "GlobalAveragePooling1D": ((2,), keepdims),
    "UpSampling1D": ((2,), lambda d, s: dict(size=d.integer(1, 3))),
    "ZeroPadding1D": ((2,), lambda d, s: some(d, 0.7, padding=[2, (1, 0), (0, 2)])),
    "Cropping1D": ((2,), lambda d, s: dict(cropping=d.choose([1, (1, 0), (0, 2)]))),
    "LSTM": ((2,), lambda d, s: recurrent(d, s, "LSTM")),
    "GRU": ((2,), lambda d, s: recurrent(d, s, "GRU")),
    "SimpleRNN": ((2,), lambda d, s: recurrent(d, s, "SimpleRNN")),
    "RNN": ((2,), rnn),
    "Bidirectional": ((2,), bidirectional),
    "TimeDistributed": ((2, 3), time_distributed),
    "Conv2D": ((3,), conv2d),
    "MaxPooling2D": ((3,), pool2d),
    "AveragePooling2D": ((3,), pool2d),
    "GlobalMaxPooling2D": ((3,), keepdims),
    "GlobalAveragePooling2D": ((3,), keepdims),
}
