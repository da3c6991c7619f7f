#!/usr/bin/env python3
"""Compares the WFDB reader with PhysioNet's own Python package: signals bit by bit, marks one by one.

check_wfdb.py DUMP_FORMATS [SAMPLES]

The records of data/ecg-qtdb, records generated here in every format, and those of SAMPLES: a copy of
sample-data/ of wfdb-python. DUMP_FORMATS is built from tests/formats/dump_formats.cpp.
"""

import pathlib
import re
import shutil
import sys
import tempfile

import numpy
import wfdb

from judged import Readings, Verdict, same_bits

ANNOTATOR = "q1c"
BITS = {8: 31, 16: 16, 24: 24, 32: 32, 61: 16, 80: 8, 160: 16, 212: 12, 310: 10, 311: 10}


# --- records that nobody else has ----------------------------------------------------------------

def packed(fmt, frames):
    """The bytes of frames (time, samples of all channels); as signal-5 of the WFDB guide says."""
    flat = frames.ravel().astype(numpy.int64)
    if fmt == 8:
        return flat.astype("int8").tobytes()
    if fmt in (16, 32):
        return flat.astype(f"<i{fmt // 8}").tobytes()
    if fmt == 24:
        return flat.astype("<i4").view("u1").reshape(-1, 4)[:, :3].tobytes()
    if fmt == 61:
        return flat.astype(">i2").tobytes()
    if fmt == 80:
        return (flat + 128).astype("u1").tobytes()
    if fmt == 160:
        return (flat + 32768).astype("<u2").tobytes()
    count = {212: 2, 310: 3, 311: 3}[fmt]
    used = {212: [0, 2, 3], 310: [0, 2, 4, 4], 311: [0, 2, 3, 4]}[fmt]
    rest = len(flat) % count
    whole = numpy.concatenate([flat, numpy.zeros(-len(flat) % count, numpy.int64)]).reshape(-1, count)
    if fmt == 212:
        a, b = (whole & 0xfff).T
        blocks = numpy.stack([a & 255, a >> 8 | (b >> 8) << 4, b & 255], axis=1)
    elif fmt == 310:
        a, b, c = (whole & 0x3ff).T
        low, high = a << 1 | (c & 31) << 11, b << 1 | (c >> 5) << 11
        blocks = numpy.stack([low & 255, low >> 8, high & 255, high >> 8], axis=1)
    else:
        a, b, c = (whole & 0x3ff).T
        word = a | b << 10 | c << 20
        blocks = numpy.stack([word & 255, word >> 8 & 255, word >> 16 & 255, word >> 24], axis=1)
    data = blocks.astype("u1").tobytes()
    return data if rest == 0 else data[:len(data) - len(blocks[0]) + used[rest]]


def generate(folder, name, rng, fmt, steps, samples_per_step, skews, offset=0, names=None, fs="250"):
    """Writes one record of one file."""
    bits = BITS[fmt]
    channels, lines = [], []
    for c, width in enumerate(samples_per_step):
        lowest = -(2 ** (bits - 1))
        if fmt == 8:
            first = int(rng.integers(-1000, 1000))
            differences = rng.integers(-128, 128, steps * width)
            stored, numbers = differences, first + numpy.cumsum(differences)
        else:
            numbers = rng.integers(lowest + 1, -lowest, steps * width)
            edges = [lowest + 1, -lowest - 1, 0, -1]
            numbers[:min(4, numbers.size)] = edges[:min(4, numbers.size)]
            if width == 1 and steps > 5:
                numbers[rng.integers(0, steps, 2)] = lowest
            first, stored = int(numbers[0]) if steps else 0, numbers
        channels.append(stored.reshape(steps, width))
        gain, baseline = round(float(rng.uniform(-3000, 3000)), 3), int(rng.integers(-2000, 2000))
        spelled = f"{fmt}" + (f"x{width}" if width > 1 else "") + (f":{skews[c]}" if skews[c] else "") + (
            f"+{offset}" if offset else "")
        label = names[c] if names else f"lead {c}"
        unit = ["mV", "uV", "NU", "mmHg"][c % 4]
        lines.append(f"{name}.dat {spelled} {gain}({baseline})/{unit} {bits} 0 {first} "
                     f"{int(numbers.sum()) % 65536} 0 {label}")
    header = f"{name} {len(lines)} {fs} {steps}\n" + "\n".join(lines) + "\n"
    (folder / f"{name}.hea").write_text(header)
    frames = numpy.concatenate(channels, axis=1)
    (folder / f"{name}.dat").write_bytes(b"\xAA" * offset + packed(fmt, frames))
    return name


def generated(folder, rng):
    names = []
    for fmt in BITS:
        for number, (steps, widths) in enumerate([(1, [1]), (7, [1]), (101, [1, 1]), (64, [1, 1, 1]),
                                                  (50, [2, 1, 3]), (33, [4]), (29, [1, 5])]):
            names.append(generate(folder, f"g{fmt}_{number}", rng, fmt, steps, widths, [0] * len(widths)))
        if fmt != 8:  # wfdb has no NaN for it
            names.append(generate(folder, f"s{fmt}", rng, fmt, 40, [1, 1, 1], [0, 3, 7]))
            names.append(generate(folder, f"o{fmt}", rng, fmt, 19, [1, 2], [0, 0], offset=24))
    names.append(generate(folder, "skewed_frames", rng, 16, 30, [2, 1, 3], [4, 0, 1]))
    for i, (fmt, steps) in enumerate([(16, 30), (16, 1), (212, 45)]):
        generate(folder, f"fixed_{i}", rng, fmt, steps, [1, 2], [0, 0])
    (folder / "fixed.hea").write_text("fixed/3 2 250 76\n" + "fixed_0 30\nfixed_1 1\nfixed_2 45\n")
    names.append("fixed")
    labels = ["II", "V", "ABP", "RESP"]
    units = {"II": 0, "V": 1, "ABP": 2, "RESP": 3}
    (folder / "var_layout.hea").write_text(
        "var_layout 4 125 0\n" + "".join(f"~ 0 200/{['mV', 'uV', 'NU', 'mmHg'][units[x]]} 12 0 0 0 0 {x}\n"
                                          for x in labels))
    for i, (steps, present) in enumerate([(20, ["II", "V"]), (35, ["II", "V", "ABP"]), (5, ["II"])]):
        generate(folder, f"var_{i}", rng, 212 if i else 16, steps, [1] * len(present), [0] * len(present),
                 names=present, fs="125")
    (folder / "var.hea").write_text(
        "var/6 4 125 90\nvar_layout 0\nvar_0 20\n~ 17\nvar_1 35\n~ 13\nvar_2 5\n")
    names.append("var")
    return names


def generated_marks(folder, rng):
    """Marks with every field, far apart and close."""
    symbols = [s for s in wfdb.io.annotation.ann_label_table["symbol"] if s != " "]
    names = []
    for number in range(12):
        count = int(rng.integers(1, 60))
        gaps = rng.choice([1, 5, 300, 1023, 1024, 70000, 3000000], count)
        notes = [str(rng.choice(["", "", "(AFIB", "x", "long note " * 7])) for _ in range(count)]
        name = f"m{number}"
        wfdb.wrann(name, "atr", numpy.cumsum(gaps), symbol=[str(s) for s in rng.choice(symbols, count)],
                   subtype=rng.integers(-128, 128, count), chan=rng.integers(0, 256, count),
                   num=rng.integers(0, 128, count), aux_note=notes, write_dir=str(folder))
        names.append(name)
    return names


# --- the comparison ------------------------------------------------------------------------------

def moved(values, steps):
    values = values.astype("float64")
    return numpy.concatenate([values[steps:], numpy.full(min(steps, len(values)), numpy.nan)])


def rdrecord(path, **options):
    """wfdb's reading: (values of each channel, samples of each in a step, record). It fails at some
    skewed records, and does not fill their ends: there it reads what is not moved, and we move that."""
    header = wfdb.rdheader(str(path))
    skews = getattr(header, "skew", None) or []
    if not any(skews):
        record = wfdb.rdrecord(str(path), **options)
    else:
        straight = path.with_name(path.name + "_straight")
        lines = path.with_suffix(".hea").read_text().replace(path.name + " ", straight.name + " ", 1)
        try:
            straight.with_suffix(".hea").write_text(re.sub(r"^(\S+ \d+(?:x\d+)?):\d+", r"\1", lines, flags=re.M))
            record = wfdb.rdrecord(str(straight), **options)
        finally:
            straight.with_suffix(".hea").unlink()
    smooth = options.get("smooth_frames", True)
    channels = list(record.p_signal.T) if smooth else record.e_p_signal
    widths = [1 if smooth else width or 1 for width in record.samps_per_frame]
    skews = list(skews) + [0] * (len(channels) - len(skews))
    return [moved(values, (skew or 0) * width) for values, skew, width in zip(channels, skews, widths)], record


def judge_signals(verdict, path, whole, channels):
    header = wfdb.rdheader(str(path))
    lines = getattr(header, "fmt", None) or []
    if any(f in ("508", "516", "524") for f in lines):
        verdict(path.name, whole.error and "FLAC" in whole.error, f"expected a refusal: {whole.error}")
        return
    if whole.error or channels.error:
        verdict(path.name, False, whole.error or channels.error)
        return
    theirs, record = rdrecord(path)
    ours = whole.array
    verdict(path.name, ours.shape == (len(theirs[0]), len(theirs)), f"shape {ours.shape}")
    for c, values in enumerate(theirs):
        verdict(f"{path.name}, channel {c}", same_bits(ours[:, c], values),
                f"{(ours[:, c] != values.astype('float32')).sum()} values differ")
    # Where no segment holds a channel, wfdb has no unit, but the layout has.
    units = [unit or row[1] for unit, row in zip(record.units, whole.rows(".channels"))]
    expected = [[name or "", unit, record.fs] for name, unit in zip(record.sig_name, units)]
    found = [[name, unit, float(frequency)] for name, unit, frequency in whole.rows(".channels")]
    verdict(path.name, found == expected, f"{found}, expected {expected}")

    theirs, record = rdrecord(path, smooth_frames=False)
    for c, (name, unit, frequency, values) in enumerate(channels.channels):
        width = record.samps_per_frame[c] or 1
        verdict(f"{path.name}, channel {c} at its own rate", same_bits(values, theirs[c]))
        verdict(f"{path.name}, channel {c}", frequency == record.fs * width and unit == (record.units[c] or unit),
                f"{frequency} {unit}, expected {record.fs * width} {record.units[c]}")


def judge_marks(verdict, path, annotator, reading):
    theirs = wfdb.rdann(str(path), annotator)
    notes = [(note or "").rstrip("\0") for note in theirs.aux_note]
    expected = list(zip(theirs.sample, theirs.symbol, theirs.subtype, theirs.chan, theirs.num, notes))
    if reading.error:
        verdict(path.name, False, reading.error)
        return
    ours = [(int(a), b, int(c), int(d), int(e), f) for a, b, c, d, e, f in reading.rows(".marks")]
    verdict(f"{path.name}.{annotator}", ours == expected, "marks differ")


def main():
    home = pathlib.Path(__file__).resolve().parents[2]
    shipped = home / "data/ecg-qtdb"
    records = [shipped / name for name in (shipped / "RECORDS").read_text().split()]
    marks = [(path, ANNOTATOR) for path in records]
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        if len(sys.argv) > 2:
            samples = pathlib.Path(sys.argv[2])
            # rdrecord may have to write beside them.
            samples = pathlib.Path(shutil.copytree(samples, folder / "samples"))
            records += sorted(path.with_suffix("") for path in samples.rglob("*.hea"))
            marks += [(path.with_suffix(""), "atr") for path in sorted(samples.rglob("*.atr"))]
        (folder / "made").mkdir()
        rng = numpy.random.default_rng(7)
        records += [folder / "made" / name for name in generated(folder / "made", rng)]
        marks += [(folder / "made" / name, "atr") for name in generated_marks(folder / "made", rng)]
        readings = Readings(sys.argv[1], folder)
        asked = [(path, readings.ask("wfdb", path), readings.ask("wfdb-signals", path)) for path in records]
        asked_marks = [(path, ann, readings.ask("wfdb-marks", path, ann)) for path, ann in marks]
        readings.run()
        verdict = Verdict()
        for each in asked:
            judge_signals(verdict, *each)
        for each in asked_marks:
            judge_marks(verdict, *each)
    return verdict.close(f"comparisons of {len(records)} records and {len(marks)} lists of marks are "
                         f"equal in wfdb {wfdb.__version__}")


if __name__ == "__main__":
    sys.exit(main())
