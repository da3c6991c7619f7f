#!/usr/bin/env python3
"""Compares the EDF reader and the writer of annotations with EDFlib (through pyedflib) and MNE.

check_edf.py DUMP_FORMATS [FOLDER...]    files *.edf and *.bdf in the FOLDERs, and files generated here
"""

import datetime
import pathlib
import re
import struct
import sys
import tempfile
import warnings

import mne
import numpy
import pyedflib

from judged import Readings, Verdict

mne.set_log_level("ERROR")
warnings.filterwarnings("ignore")


# --- files that nobody else has ------------------------------------------------------------------

def write(path, rng, kind, rates, seconds, record=1.0, marks=(), mark_signals=1, ranges=None):
    """One file by EDFlib, with channels of different rates, ranges and units."""
    bits = 24 if kind in (pyedflib.FILETYPE_BDF, pyedflib.FILETYPE_BDFPLUS) else 16
    low, high = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    with pyedflib.EdfWriter(str(path), len(rates), file_type=kind) as writer:
        if mark_signals > 1:
            writer.set_number_of_annotation_signals(mark_signals)
        writer.setDatarecordDuration(record)
        samples = []
        for c, rate in enumerate(rates):
            least, most = (ranges or [(-3276.8, 3276.7), (-1, 1), (5, -7), (0, 1e6)])[c % 4]
            cut_low, cut_high = (low, high) if c % 3 else (low // 2, high // 4)
            writer.setSignalHeader(c, {
                "label": f"EEG C{c}", "dimension": ["uV", "mV", "%", "degC", ""][c % 5],
                "sample_frequency": rate, "physical_max": most, "physical_min": least,
                "digital_max": cut_high, "digital_min": cut_low, "transducer": "", "prefilter": ""})
            count = round(rate * seconds)
            numbers = rng.integers(cut_low, cut_high + 1, count, dtype="int32")
            numbers[:2] = [cut_low, cut_high][:min(2, count)]
            samples.append(numbers)
        for onset, duration, text in marks:
            writer.writeAnnotation(onset, duration, text)
        writer.writeSamples(samples, digital=True)


def with_pauses(source, target):
    """The same file with a pause of 2.5 s before every third record: EDF+C becomes EDF+D."""
    data = bytearray(source.read_bytes())
    data[192:197] = b"EDF+D"
    header, records = int(data[184:192]), int(data[236:244])
    signals = int(data[252:256])
    labels = [bytes(data[256 + 16 * i:272 + 16 * i]).strip() for i in range(signals)]
    counts = [int(data[256 + 216 * signals + 8 * i:264 + 216 * signals + 8 * i]) for i in range(signals)]
    marks = labels.index(b"EDF Annotations")
    onsets = []
    for r in range(records):
        begin = header + 2 * (r * sum(counts) + sum(counts[:marks]))
        size = 2 * counts[marks]
        lists = bytes(data[begin:begin + size]).rstrip(b"\0").split(b"\0")
        onset = float(re.match(rb"\+([0-9.]+)\x14\x14", lists[0]).group(1)) + 2.5 * (r // 3)
        onsets.append(onset)
        lists[0] = b"+%g\x14\x14" % onset
        new = b"\0".join(lists) + b"\0"
        data[begin:begin + size] = new.ljust(size, b"\0")
    target.write_bytes(data)
    return onsets


def generated(folder, rng):
    marks = [(0, -1, "start"), (0.25, 1.5, "spindle"), (1.125, 0.5, "K-Komplex ä"), (3, -1, "wake")]
    plus, bdf = pyedflib.FILETYPE_EDFPLUS, pyedflib.FILETYPE_BDFPLUS
    cases = {
        "one_record.edf": (plus, [256], 1),
        "rates.edf": (plus, [256, 1, 100, 50, 3], 12),
        "plain.edf": (pyedflib.FILETYPE_EDF, [200, 10], 5),
        "wide.bdf": (bdf, [2048, 16, 512], 4),
        "plain.bdf": (pyedflib.FILETYPE_BDF, [128], 3),
    }
    for name, (kind, rates, seconds) in cases.items():
        write(folder / name, rng, kind, rates, seconds, marks=marks if "plain" not in name else ())
    write(folder / "lists.edf", rng, plus, [100, 20], 6, marks=marks * 6, mark_signals=4)
    write(folder / "half.edf", rng, plus, [128, 4], 5, record=0.5, marks=marks)
    write(folder / "long.edf", rng, plus, [100], 60, record=10, marks=marks)
    write(folder / "many.edf", rng, plus, [64] * 70, 2)
    return sorted(path for path in folder.iterdir() if path.suffix in (".edf", ".bdf"))


# --- the comparison ------------------------------------------------------------------------------

def judge_file(verdict, path, reading):
    if reading.error:
        verdict(path.name, False, reading.error)
        return
    with pyedflib.EdfReader(str(path)) as reader:
        ours = reading.channels
        verdict(path.name, len(ours) == reader.signals_in_file, f"{len(ours)} channels")
        for c, (name, unit, frequency, values) in enumerate(ours):
            theirs = reader.readSignal(c)
            # One step of the file is far more than what two orders of computing can differ by.
            span = max(abs(reader.getPhysicalMaximum(c)), abs(reader.getPhysicalMinimum(c)))
            near = len(values) == len(theirs) and numpy.all(numpy.abs(values - theirs) <= span * 2.0 ** -23)
            verdict(f"{path.name}, channel {c}", near, "values differ")
            # The numbers that were stored come out again, every one.
            low, high = reader.getDigitalMinimum(c), reader.getDigitalMaximum(c)
            least, most = reader.getPhysicalMinimum(c), reader.getPhysicalMaximum(c)
            if high - low < 2 ** 17:
                stored = numpy.rint((values.astype("f8") - least) / (most - least) * (high - low) + low)
                verdict(f"{path.name}, channel {c}", numpy.array_equal(stored, reader.readSignal(c, digital=True)),
                        "stored numbers differ")
            verdict(f"{path.name}, channel {c}",
                    (name, unit) == (reader.getLabel(c), reader.getPhysicalDimension(c)) and
                    abs(frequency - reader.getSampleFrequency(c)) < 1e-9, f"{name} {unit} {frequency}")
        onsets, durations, texts = reader.readAnnotations()
        expected = sorted((round(float(o), 6), max(0.0, round(float(d), 6)), str(t))
                          for o, d, t in zip(onsets, durations, texts))
        marks = sorted((round(float(o), 6), round(float(d), 6), t) for o, d, t in reading.rows(".marks"))
        verdict(path.name, marks == expected, f"annotations {marks[:3]}, expected {expected[:3]}")
        start = reader.getStartdatetime().replace(microsecond=0).isoformat()
        verdict(path.name, reading.path(".start").read_text() == start, "start")
    if reading.channels:
        judge_by_mne(verdict, path, reading)


def judge_by_mne(verdict, path, reading):
    read = mne.io.read_raw_bdf if path.suffix == ".bdf" else mne.io.read_raw_edf
    raw = read(path, preload=True)
    fastest = max(frequency for _, _, frequency, _ in reading.channels)
    factors = {"uV": 1e-6, "µV": 1e-6, "mV": 1e-3}
    for c, (name, unit, frequency, values) in enumerate(reading.channels):
        if frequency != fastest:
            continue  # MNE resamples those
        theirs = raw.get_data(picks=[c])[0] / factors.get(unit, 1)
        span = numpy.abs(theirs).max()
        verdict(f"{path.name}, channel {c} by MNE",
                len(values) == len(theirs) and numpy.abs(values - theirs).max() <= span * 1e-6, "values differ")


def judge_pauses(verdict, source, onsets, continuous, broken):
    if broken.error:
        verdict("paused", False, broken.error)
        return
    for c, (a, b) in enumerate(zip(continuous.channels, broken.channels)):
        verdict(f"paused, channel {c}", numpy.array_equal(a[3], b[3]), "values moved")
    stretches = [(float(o), float(d)) for o, d in broken.rows(".stretches")]
    expected = []
    for onset in onsets:
        if expected and abs(sum(expected[-1]) - onset) < 1e-9:
            expected[-1] = (expected[-1][0], expected[-1][1] + 1)
        else:
            expected.append((onset, 1.0))
    verdict("paused", stretches == expected, f"{stretches}, expected {expected}")


WRITTEN = {
    "none": ("", []),
    "few": ("2009-08-12T16:15:00", [(0.5, 1.25, "sleep spindle"), (0.125, 0, "K"), (3600.0625, 30, "REM ä β")]),
    "many": ("1999-12-31T23:59:59", [(i * 0.37, i % 5, f"label {i}") for i in range(3000)]),
    "long": ("2084-01-01T00:00:00", [(1, 2, "x" * 300), (2, 2, "y" * 3000)]),
}


def judge_written(verdict, name, reading):
    start, marks = WRITTEN[name]
    if reading.error:
        verdict(name, False, reading.error)
        return
    path = reading.path(".edf")
    with pyedflib.EdfReader(str(path)) as reader:
        onsets, durations, texts = reader.readAnnotations()
        # EDFlib cuts texts to 512 bytes.
        ours = [(o, d, t[:512]) for o, d, t in sorted(marks)]
        theirs = [(round(float(o), 6), max(0.0, float(d)), str(t)) for o, d, t in zip(onsets, durations, texts)]
        verdict(f"written: {name}", [(round(o, 6), float(d), t) for o, d, t in ours] == theirs,
                f"EDFlib reads {theirs[:3]}")
        expected = datetime.datetime.fromisoformat(start or "1985-01-01T00:00:00")
        verdict(f"written: {name}", reader.getStartdatetime().replace(microsecond=0) == expected,
                f"start {reader.getStartdatetime()}")
    found = mne.read_annotations(path)
    theirs = [(round(float(a["onset"]), 6), float(a["duration"]), a["description"]) for a in found]
    verdict(f"written: {name}, MNE", theirs == [(round(o, 6), float(d), t) for o, d, t in sorted(marks)],
            f"MNE reads {theirs[:3]}")


def main():
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        paths = [path for given in sys.argv[2:] for kind in ("*.edf", "*.bdf")
                 for path in sorted(pathlib.Path(given).rglob(kind))]
        paths += generated(folder, numpy.random.default_rng(7))
        onsets = with_pauses(folder / "rates.edf", folder / "paused.edf")
        readings = Readings(sys.argv[1], folder)
        asked = [(path, readings.ask("edf", path)) for path in paths]
        broken = readings.ask("edf", folder / "paused.edf")
        written = []
        for name, (start, marks) in WRITTEN.items():
            listed = folder / f"{name}.tsv"
            listed.write_text("".join(f"{o} {d} {t}\n" for o, d, t in marks))
            written.append((name, readings.ask("write-edf", listed, start)))
        readings.run()
        verdict = Verdict()
        for path, reading in asked:
            judge_file(verdict, path, reading)
        judge_pauses(verdict, folder / "rates.edf", onsets, dict(asked)[folder / "rates.edf"], broken)
        for name, reading in written:
            judge_written(verdict, name, reading)
    return verdict.close(f"comparisons of {len(paths) + 1} files and {len(WRITTEN)} written ones are equal in "
                         f"EDFlib (pyedflib {pyedflib.__version__}) and MNE {mne.__version__}")


if __name__ == "__main__":
    sys.exit(main())
