"""Golden cases of attention."""
import keras
from golden_cases import CHANNELS, Case, case, mix
from keras import layers as kl
from keras import regularizers as kr


def attend(name, make, steps=(7, 5), keyed=False, call=None, **options):
    """Registers attention of one input over another, or with a single number of steps of one over itself."""
    @case(name)
    def build():
        inputs = [keras.Input((t, CHANNELS), name=f"input{i}") for i, t in enumerate(steps)]
        query = kl.Dense(4, name="query_mix")(inputs[0])
        value = kl.Dense(4, name="value_mix")(inputs[1]) if len(inputs) > 1 else query
        given = [query, value] + ([kl.Dense(4, use_bias=False, name="key_mix")(inputs[-1])] if keyed else [])
        layer = make()
        if isinstance(layer, kl.MultiHeadAttention):
            return Case(inputs, layer(*given, **(call or {})), **options)
        return Case(inputs, layer(given, **(call or {})), **options)


# No bias where it is trained: the key's moves all scores alike, so that its gradient is rounding noise around zero.
def heads(num_heads=2, key_dim=3, use_bias=False, **options):
    return kl.MultiHeadAttention(num_heads, key_dim, use_bias=use_bias, name="attention", **options)


# Keras hides a causal mask in the scores of MultiHeadAttention, which no loss can use.
_scored = dict(return_attention_scores=True)
_causal_scored = dict(return_attention_scores=True, use_causal_mask=True)
for _name, _make in {
    "attention": lambda: kl.Attention(name="attention"),
    "attention_scale": lambda: kl.Attention(use_scale=True, name="attention"),
    "attention_concat": lambda: kl.Attention(score_mode="concat", name="attention"),
    "attention_concat_scale": lambda: kl.Attention(use_scale=True, score_mode="concat", name="attention"),
    "additive_attention": lambda: kl.AdditiveAttention(name="attention"),
    "additive_attention_no_scale": lambda: kl.AdditiveAttention(use_scale=False, name="attention"),
    "multi_head_attention": heads,
    "multi_head_attention_arguments": lambda: heads(3, 2, value_dim=5, output_shape=6),
    "multi_head_attention_gate": lambda: heads(use_gate=True),
}.items():
    _call = _scored if "head" in _name else _causal_scored
    attend(_name + "_scored", _make, call=_call)
    # JAX wants values as wide as keys where nobody reads the scores.
    _call = _scored if "arguments" in _name else None
    attend(_name, _make, call=_call)
    attend(_name + "_keyed", _make, keyed=True, call=_call)
    attend(_name + "_itself", _make, steps=(7,), call=_call)
for _name, _options in {"": {}, "_gate": dict(use_gate=True)}.items():
    _penalized = lambda o=_options: heads(activity_regularizer=kr.L1L2(0.01, 0.02), **o)
    attend("multi_head_attention_penalty" + _name, _penalized)
    attend("multi_head_attention_penalty" + _name + "_keyed", _penalized, keyed=True, call=_scored)
attend("multi_head_attention_causal", heads, steps=(7,), call=dict(use_causal_mask=True))
attend("multi_head_attention_window", lambda: heads(sliding_window=3), steps=(7,))
attend("multi_head_attention_causal_window", lambda: heads(sliding_window=3), steps=(7,),
       call=dict(use_causal_mask=True))
attend("multi_head_attention_causal_scored_predict", heads, call=_causal_scored, train=False)
attend("multi_head_attention_bias_predict", lambda: heads(use_bias=True), train=False)
attend("multi_head_attention_dropout_predict", lambda: heads(dropout=0.3, use_gate=True, use_bias=True), train=False)
attend("attention_dropout_predict", lambda: kl.Attention(dropout=0.3, name="attention"), train=False)


def masked(name, make, keyed=False, **call):
    """Attention over inputs that end in padding: of the queries the last three, of the values all of the first row."""
    @case("masked_" + name)
    def build():
        inputs = [keras.Input((7, CHANNELS), name="input0"), keras.Input((5, CHANNELS), name="input1")]
        steps = [kl.Dense(4, use_bias=False, name=f"mix{i}")(kl.Masking(name=f"masking{i}")(x)) for i, x in enumerate(inputs)]
        steps += [kl.Dense(4, use_bias=False, name="key_mix")(kl.Masking(name="masking2")(inputs[1]))] if keyed else []
        layer = make()
        y = layer(*steps, **call) if isinstance(layer, kl.MultiHeadAttention) else layer(steps, **call)
        y = y[0] if call.get("return_attention_scores") else y  # masked scores are nothing that a loss can use
        return Case(inputs, kl.LSTM(2, name="lstm")(y), change_x=_padded)


def _padded(x):
    for number, row in enumerate(x):
        row[4 if len(row) == 7 else 2 * number:] = 0
    return x


masked("attention", lambda: kl.Attention(use_scale=True, name="attention"))
masked("attention_causal", lambda: kl.Attention(name="attention"), use_causal_mask=True)
masked("attention_keyed", lambda: kl.Attention(name="attention"), keyed=True)
masked("additive_attention", lambda: kl.AdditiveAttention(name="attention"))
masked("multi_head_attention", heads)
masked("multi_head_attention_keyed", heads, keyed=True)
masked("multi_head_attention_scored", heads, return_attention_scores=True)
masked("attention_scored", lambda: kl.Attention(name="attention"), return_attention_scores=True)


@case("multi_head_attention_keywords")
def _():
    x = keras.Input((7, CHANNELS), name="input")
    y = heads()(query=x, value=mix(4)()(x), key=x)
    return Case(x, kl.Add(name="add")([x, y]))
