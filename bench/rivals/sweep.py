#!/usr/bin/env python3
"""One LSTM of all sizes against oneDNN: the problems, and a table of what was measured.

    bench/rivals/sweep.py > sweep.txt
    $(tools/python_env.sh bench | tail -n1) bench/rivals/run.py --file sweep.txt --only onednn \
        --rounds 3 --epochs 3 --warm-up 1 --out sweep.json
    bench/rivals/sweep.py sweep.json     # Markdown: how many times as long oneDNN takes

Sonde's step is whole, with loss and Adam; oneDNN's forward and backward alone, and in brackets with Adam.
"""
import itertools
import json
import pathlib
import sys

UNITS = (32, 48, 64, 128, 256, 512, 1024)
BATCHES = (1, 8, 32, 128)
STEPS = (50, 400, 2000)
SECONDS = 5  # a batch that takes longer is left out...
GFLOPS = 80  # ...at so many of a thread, which oneDNN reaches


def line(threads, units, batch, steps):
    channels = min(units, 128)
    return (f"lstm{units} input={steps},{channels} batch={batch} samples={batch} "
            f"threads={threads} mode=train")


def seconds(threads, units, batch, steps):
    """A batch forward and backward; the input's gradient is not wanted."""
    multiply_adds = batch * steps * 4 * units * (2 * min(units, 128) + 3 * units)
    return 2e-9 * multiply_adds / (GFLOPS * threads)


def lines():
    places = itertools.product((1, 2), UNITS, BATCHES, STEPS)
    return [line(*place) for place in places if seconds(*place) < SECONDS]


def times_text(result):
    if not result:
        return "–"
    whole = result.get("times_updating")
    return f"{result['times']:.2f}" + (f" ({whole:.2f})" if whole else "")


def table(measured, threads):
    """Rows of units; in each batch the sequences from short to long."""
    found = {problem["problem"]: result for problem in measured["problems"]
             for result in problem["results"] if result["program"] == "onednn" and result["times"]}
    rows = ["| units | " + " | ".join(f"batches of {batch}" for batch in BATCHES) + " |",
            "|---:|" + "---|" * len(BATCHES)]
    for units in UNITS:
        cells = [[found.get(line(threads, units, batch, steps)) for steps in STEPS] for batch in BATCHES]
        said = (" · ".join(map(times_text, cell)) for cell in cells)
        rows.append(f"| {units} | " + " | ".join(said) + " |")
    return "\n".join(rows)


def main():
    if len(sys.argv) == 1:
        print("\n".join(lines()))
        return
    measured = json.loads(pathlib.Path(sys.argv[1]).read_text())
    for threads in (1, 2):
        print(f"On {threads} thread{'s'[:threads - 1]}:\n\n{table(measured, threads)}\n")


if __name__ == "__main__":
    main()
