"""Golden cases of convolution and pooling beyond Conv1D."""
from golden_cases import CHANNELS, chain, dense, lstm, mix
from keras import layers as kl

# Convolution and pooling over time and width.
IMAGE = (9, 5, 2)
for _name, _options in {
    "across": dict(kernel_size=(1, 3)), "whole_width": dict(kernel_size=(1, 5)), "valid": {},
    "same": dict(padding="same", kernel_size=(2, 4)), "stride": dict(strides=(2, 3)),
    "same_stride": dict(padding="same", strides=2, kernel_size=(4, 2)),
    "dilation": dict(dilation_rate=(3, 2), kernel_size=2), "same_dilation": dict(padding="same", dilation_rate=2),
    "no_bias": dict(use_bias=False, activation="relu"),
}.items():
    chain("conv2d_" + _name, mix(2), lambda o=_options: kl.Conv2D(**{"filters": 4, "kernel_size": 3, **o}, name="conv"),
          shape=IMAGE)
chain("conv2d_groups", mix(4), lambda: kl.Conv2D(6, (2, 3), groups=2, padding="same", name="conv"), shape=IMAGE)
chain("conv2d_network", lambda: kl.Conv2D(4, (1, 3), activation="relu", name="conv"),
      lambda: kl.MaxPooling2D((1, 2), name="pool"), lambda: kl.Reshape((-1, 28), name="steps"),
      lstm(return_sequences=True), dense(1, "sigmoid"), shape=(24, 16, 1), loss="binary_crossentropy")
for _short, _pool in {"max": kl.MaxPooling2D, "average": kl.AveragePooling2D}.items():
    for _name, _options in {
        "valid": dict(pool_size=2), "tall": dict(pool_size=(3, 1)), "same": dict(pool_size=2, padding="same"),
        "overlap": dict(pool_size=3, strides=(2, 1)), "same_overlap": dict(pool_size=3, strides=2, padding="same"),
    }.items():
        chain(f"{_short}_pooling2d_{_name}", mix(3), lambda p=_pool, o=_options: p(name="pool", **o), shape=IMAGE)
for _keep in (False, True):
    for _kind in ("Max", "Average"):
        chain(f"global_{_kind.lower()}_pooling2d" + "_keepdims" * _keep, mix(3),
              lambda k=_kind, o=_keep: getattr(kl, f"Global{k}Pooling2D")(keepdims=o, name="pool"), shape=IMAGE)

for _name, _options in {
    "valid": {}, "same": dict(kernel_size=4, padding="same", activation="relu"),
    "multiplier": dict(depth_multiplier=2, padding="same"), "stride": dict(strides=2),
    "same_stride": dict(strides=3, padding="same"), "dilation": dict(dilation_rate=2), "no_bias": dict(use_bias=False),
}.items():
    _options = {"kernel_size": 3, **_options}
    chain("depthwise_conv1d_" + _name, mix(), lambda o=_options: kl.DepthwiseConv1D(**o, name="conv"))
    chain("separable_conv1d_" + _name, mix(), lambda o=_options: kl.SeparableConv1D(4, **o, name="conv"))
for _padding in ("valid", "same"):
    for _size, _strides, _extra in ((3, 1, None), (4, 1, None), (3, 2, None), (4, 2, None), (5, 3, None), (2, 4, None),
                                    (1, 3, None), (3, 2, 0), (3, 2, 1), (4, 3, 0), (4, 3, 2), (5, 4, 1)):
        chain(f"conv1d_transpose_{_padding}_k{_size}_s{_strides}" + ("" if _extra is None else f"_extra{_extra}"),
              mix(), lambda k=_size, s=_strides, p=_padding, e=_extra: kl.Conv1DTranspose(
                  4, k, strides=s, padding=p, output_padding=e, name="conv"), shape=(6, CHANNELS))
    chain(f"conv1d_transpose_{_padding}_dilation", mix(), lambda p=_padding: kl.Conv1DTranspose(
        4, 3, dilation_rate=2, padding=p, activation="relu", use_bias=False, name="conv"))
