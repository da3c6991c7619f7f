#!/usr/bin/env python3
"""Fails where two files define a type of one name in one namespace: check_names.py [root of the tree].

Linkers take either of the two for both, without a word: the destructor of one runs for the other.
"""

import collections
import pathlib
import re
import sys

BEGIN = re.compile(r"namespace ?([\w:]*) ?\{")
END = re.compile(r"\}  // namespace")
TYPE = re.compile(r"(?:struct|class|enum class) (\w+)(?: final)?(?: ?:[^:].*)? ?\{")


def types_of(path):
    """The types that it defines outside of other types, each with its namespace; unnamed namespaces left out."""
    spaces = []
    for line in path.read_text().splitlines():
        if opened := BEGIN.match(line):
            spaces.append(opened[1])
        elif END.match(line) and spaces:
            spaces.pop()
        elif (found := TYPE.match(line)) and all(spaces):
            yield "::".join([*spaces, found[1]])


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent.parent)
    files = collections.defaultdict(list)
    for folder in ("include", "src"):
        for path in sorted((root / folder).rglob("*.?pp")):
            for name in set(types_of(path)):
                files[name].append(path.relative_to(root).as_posix())
    twice = {name: paths for name, paths in sorted(files.items()) if len(paths) > 1}
    for name, paths in twice.items():
        print(f"{name} is defined in {' and in '.join(paths)}: give one of them another name or namespace.")
    return 1 if twice else 0


if __name__ == "__main__":
    sys.exit(main())
