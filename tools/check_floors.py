#!/usr/bin/env python3
"""Fails on an #include that breaks src/floors.txt: check_floors.py [root of the tree]."""

import fnmatch
import pathlib
import re
import sys

INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]')
KEYWORDS = ("only", "never", "also", "libraries", "standard", "public")
# <vector>, and what a system offers besides: <sched.h>, <sys/stat.h>.
STANDARD = re.compile(r"^[a-z_0-9]+$")
SYSTEM = re.compile(r"^([a-z_0-9]+|(sys|arpa|netinet|linux)/[a-z_0-9]+)\.h$")


class Floor:
    def __init__(self, number, folder):
        self.number, self.folder = number, folder
        self.rules = {}

    def names(self, keyword):
        return self.rules.get(keyword, [])


def read_floors(path):
    """The floors by folder, in the order of the file."""
    floors = {}
    floor = None
    for number, line in enumerate(path.read_text().splitlines(), 1):
        words = line.split("#")[0].split()
        if not words:
            continue
        if words[0].isdigit() and len(words) == 2:
            floor = floors[words[1]] = Floor(int(words[0]), words[1])
        elif words[0] in KEYWORDS and floor:
            floor.rules.setdefault(words[0], []).extend(words[1:])
        else:
            raise SystemExit(f"{path}:{number}: expected a floor or one of {', '.join(KEYWORDS)}, "
                             f"got '{words[0]}'.")
    return floors


def innermost(floors, path):
    """The floor of a path under src/: the longest folder that holds it."""
    holding = [f for f in floors.values() if path.startswith(f.folder + "/")]
    return max(holding, key=lambda f: len(f.folder), default=None)


def owner(floors, header):
    """The floor that a public header, named without `sonde/` and `.hpp`, belongs to."""
    return next((f for f in floors.values()
                 if any(fnmatch.fnmatch(header, n) for n in f.names("public"))), None)


def why_not(floor, target, header):
    """Why `floor` may not include `header`, a file of the floor `target`; None if it may."""
    if target is floor:
        return None
    only = floor.names("only")
    if only:
        if header in only or target.folder in only:
            return None
        return f"{floor.folder} may include only itself and {', '.join(only)}"
    if target.folder in floor.names("never"):
        return f"{floor.folder} and {target.folder} never see each other"
    if target.folder.startswith(floor.folder + "/") or target.folder in floor.names("also"):
        return None
    if target.number > floor.number:
        return f"{floor.folder} (floor {floor.number}) may not look up to {target.folder} (floor {target.number})"
    if target.number == floor.number:
        return f"{floor.folder} may not include its neighbour {target.folder}"
    return None


class Checker:
    def __init__(self, root):
        self.root = root
        self.floors = read_floors(root / "src/floors.txt")
        self.libraries = {n for f in self.floors.values() for n in f.names("libraries")}
        self.complaints = []

    def includes(self, folder):
        """Every (path, line, included name) under a folder of the tree."""
        for path in sorted((self.root / folder).rglob("*")):
            if path.suffix in (".hpp", ".cpp", ".h", ".inc"):
                for number, line in enumerate(path.read_text().splitlines(), 1):
                    if match := INCLUDE.match(line):
                        yield path, number, match[1]

    def complain(self, path, line, reason):
        self.complaints.append(f"{path.relative_to(self.root)}:{line}: {reason}.")

    def complain_of(self, path, line, name, reason):
        self.complain(path, line, f"includes {name}, but {reason}")

    def check_public(self):
        """include/sonde/: only itself, downwards, and the standard library."""
        folder = self.root / "include/sonde"
        for path in sorted(folder.rglob("*.hpp")):
            header = path.relative_to(folder).with_suffix("").as_posix()
            if owner(self.floors, header) is None:
                self.complain(path, 1, f"no floor in src/floors.txt lists '{header}' as public")
        for path, line, name in self.includes("include/sonde"):
            floor = owner(self.floors, path.relative_to(folder).with_suffix("").as_posix())
            if name.startswith("sonde/"):
                target = self.owner_of(name)
                # A public header has no "only public" of its own to obey: it is public.
                if floor and target and "public" not in floor.names("only"):
                    if reason := why_not(floor, target, name):
                        self.complain_of(path, line, name, reason)
            elif not STANDARD.match(name):
                self.complain_of(path, line, name,
                                 "a public header includes only <sonde/…> and the standard library")

    def owner_of(self, name):
        return owner(self.floors, name.removeprefix("sonde/").removesuffix(".hpp"))

    def check_sources(self):
        source = self.root / "src"
        for path, line, name in self.includes("src"):
            place = path.relative_to(source).as_posix()
            floor = innermost(self.floors, place)
            if floor is None:
                self.complain(path, line, f"src/{place} is on no floor of src/floors.txt")
                continue
            if reason := self.why_not_from(floor, path, name):
                self.complain_of(path, line, name, reason)

    def why_not_from(self, floor, path, name):
        if name.startswith("sonde/"):
            if "public" in floor.names("only"):
                return None
            target = self.owner_of(name)
            # check_public() has already named a header without a floor, and the compiler a missing one.
            return why_not(floor, target, name) if target else None
        beside = path.parent / name
        if beside.is_file():
            name = beside.resolve().relative_to((self.root / "src").resolve()).as_posix()
        if target := innermost(self.floors, name):
            return why_not(floor, target, name)
        library = name.split("/")[0]
        if library in self.libraries:
            if library in floor.names("libraries"):
                return None
            return f"{floor.folder} may not use this library"
        if STANDARD.match(name):
            allowed = floor.names("standard")
            if allowed and name not in allowed:
                return f"{floor.folder} may include only <{'>, <'.join(allowed)}>"
            return None
        if SYSTEM.match(name) and not floor.names("standard"):
            return None
        return f"{floor.folder} names no such library in src/floors.txt"

    def check_examples(self):
        """Examples are what a user would write: public headers, and files of their own."""
        for path, line, name in self.includes("examples"):
            own = (path.parent / name).is_file() and "/" not in name
            if not own and not name.startswith("sonde/") and not STANDARD.match(name):
                self.complain_of(path, line, name,
                                 "an example includes only <sonde/…>, its own files and the standard library")

    def run(self):
        self.check_public()
        self.check_sources()
        self.check_examples()
        return self.complaints


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent.parent)
    complaints = Checker(root).run()
    for complaint in complaints:
        print(complaint)
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
