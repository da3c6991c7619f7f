#!/usr/bin/env python3
"""Made split.csv, once: deals the 105 records into 63 train, 21 validation and 21 test.

No person may stand on both sides. The names tell the source database and its record number; the
European ST-T database (sele…) holds several records of some persons, so its records of one series
with equal age and sex stay together, whether they are one person or not. Each source database is
spread over the three parts. Run again, it writes the same file.
"""

import pathlib
import random
import re

SEED = 1997  # the year of the database's paper
PARTS = {"train": 63, "validation": 21, "test": 21}
HERE = pathlib.Path(__file__).parent


def source(name):
    number = name.removeprefix("sel")
    if number.startswith("e"):
        return "European ST-T"
    if len(number) == 5:
        return "MIT-BIH long term" if number < "16000" else "MIT-BIH normal sinus rhythm"
    if len(number) == 2:
        return "sudden death"
    return {"1": "MIT-BIH arrhythmia", "2": "MIT-BIH arrhythmia", "3": "MIT-BIH ST change",
            "8": "MIT-BIH supraventricular"}[number[0]]


def person(name):
    match = re.search(r"^#Age: (\d+)\s+Sex: (\w)", (HERE / f"{name}.hea").read_text(), re.M)
    return (name[:5], *match.groups()) if match and name.startswith("sele") else (name,)


def main():
    names = (HERE / "RECORDS").read_text().split()
    groups = {}
    for name in names:
        groups.setdefault((source(name), person(name)), []).append(name)
    order = random.Random(SEED)
    keys = sorted(groups)
    order.shuffle(keys)
    keys.sort(key=lambda key: key[0])  # by source; shuffled within, because sorting is stable

    chosen, dealt = {}, dict.fromkeys(PARTS, 0)
    for key in keys:
        so_far = len(chosen) + len(groups[key])
        # The part that is furthest behind its share takes the next person.
        part = max(PARTS, key=lambda p: PARTS[p] * so_far / len(names) - dealt[p])
        dealt[part] += len(groups[key])
        chosen.update((name, part) for name in groups[key])
    assert dealt == PARTS, dealt
    lines = [f"{name},{chosen[name]}" for name in names]
    (HERE / "split.csv").write_text("\n".join(["record,part", *lines, ""]))


if __name__ == "__main__":
    main()
