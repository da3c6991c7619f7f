"""Golden cases of attention."""
import keras
from golden_cases import CHANNELS, Case, case
from keras import layers as kl


def attend(name, make, steps=(7, 5), keyed=False, call=None, **options):
    """Registers attention of one input over another, or with a single number of steps of one over itself."""
    @case(name)
    def build():
        inputs = [keras.Input((t, CHANNELS), name=f"input{i}") for i, t in enumerate(steps)]
        query = kl.Dense(4, name="query_mix")(inputs[0])
        value = kl.Dense(4, name="value_mix")(inputs[1]) if len(inputs) > 1 else query
        given = [query, value] + ([kl.Dense(4, use_bias=False, name="key_mix")(inputs[-1])] if keyed else [])
        layer = make()
        return Case(inputs, layer(given, **(call or {})), **options)


_causal_scored = dict(return_attention_scores=True, use_causal_mask=True)
for _name, _make in {
    "attention": lambda: kl.Attention(name="attention"),
    "attention_scale": lambda: kl.Attention(use_scale=True, name="attention"),
    "attention_concat": lambda: kl.Attention(score_mode="concat", name="attention"),
    "attention_concat_scale": lambda: kl.Attention(use_scale=True, score_mode="concat", name="attention"),
    "additive_attention": lambda: kl.AdditiveAttention(name="attention"),
    "additive_attention_no_scale": lambda: kl.AdditiveAttention(use_scale=False, name="attention"),
}.items():
    attend(_name + "_scored", _make, call=_causal_scored)
    attend(_name, _make)
    attend(_name + "_keyed", _make, keyed=True)
    attend(_name + "_itself", _make, steps=(7,))
attend("attention_dropout_predict", lambda: kl.Attention(dropout=0.3, name="attention"), train=False)
