"""Golden cases of layers that merge number by number."""
import keras
from golden_cases import CHANNELS, TIME, Case, case
from keras import layers as kl

for _name in ("Add", "Multiply", "Average", "Maximum", "Minimum", "Subtract"):
    @case(_name.lower())
    def _(merge=_name):
        x = keras.Input((TIME, CHANNELS), name="input")
        count = 2 if merge == "Subtract" else 3
        parts = [kl.Dense(4, name=f"part{i}")(x) for i in range(count)]
        return Case(x, kl.Dense(2, name="dense")(getattr(kl, merge)(name=merge.lower())(parts)))


def widened(name, *shapes):
    """Inputs that Keras repeats along some axes."""
    @case(name)
    def _():
        x = keras.Input((TIME, CHANNELS), name="input")
        steps = kl.Dense(4, name="steps")(x)
        whole = kl.GlobalAveragePooling1D(name="pool")(kl.Dense(4, activation="tanh", name="whole")(x))
        makers = {"steps": lambda: steps, "whole": lambda: whole,
                  "gate": lambda: kl.Dense(1, activation="sigmoid", name="gate")(x),
                  "one": lambda: kl.Reshape((1, 4), name="one")(kl.Dense(4, name="squeezed")(whole))}
        merge = name.split("_")[0]
        parts = [makers[shape]() for shape in shapes]
        return Case(x, kl.Dense(2, name="dense")(getattr(kl, merge.capitalize())(name=merge)(parts)))


for _name in ("add", "multiply", "average", "maximum", "minimum", "subtract"):
    widened(_name + "_wide_gate", "steps", "gate")
widened("multiply_wide_first", "gate", "steps")
widened("multiply_wide_time", "steps", "one")
widened("multiply_wide_both", "one", "gate")
widened("add_wide_time", "steps", "whole")
widened("maximum_wide_time", "whole", "steps", "gate")


@case("add_residual")
def _():
    x = keras.Input((TIME, CHANNELS), name="input")
    h = kl.Conv1D(CHANNELS, 3, padding="same", activation="relu", name="conv")(x)
    return Case(x, kl.Dense(2, name="dense")(kl.Add(name="add")([x, h, h])))
