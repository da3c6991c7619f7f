#!/usr/bin/env python3
"""Lines per folder, and the largest files; fails where a source file is above 500 lines."""

import collections
import pathlib
import subprocess
import sys

LIMIT = 500
LOOK_AGAIN = 300
SUFFIXES = {".cpp", ".hpp", ".h", ".py", ".sh", ".cmake", ".js"}


def sources(root):
    """What git tracks or would track; everything outside build/ where this is no git checkout."""
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=root,
                            capture_output=True, text=True)
    if listed.returncode == 0:
        paths = [root / line for line in listed.stdout.splitlines()]
    else:
        paths = [p for p in root.rglob("*") if "build" not in p.relative_to(root).parts]
    return sorted(p for p in paths if p.suffix in SUFFIXES and p.is_file())


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent.parent)
    folders = collections.defaultdict(list)
    lengths = {}
    for path in sources(root):
        place = path.relative_to(root)
        lengths[place] = len(path.read_text(errors="replace").splitlines())
        folder = "/".join(place.parts[:-1][:2]) or "."
        folders[folder].append(lengths[place])

    print(f"{'folder':<24}{'files':>6}{'lines':>8}{'longest':>9}")
    for folder, counts in sorted(folders.items()):
        print(f"{folder:<24}{len(counts):>6}{sum(counts):>8}{max(counts):>9}")
    print(f"{'all':<24}{len(lengths):>6}{sum(lengths.values()):>8}")

    for place, length in sorted(lengths.items(), key=lambda item: -item[1]):
        if length > LOOK_AGAIN:
            print(f"{place}: {length} lines" + (f", more than {LIMIT}: split it." if length > LIMIT else ""))
    return 1 if any(length > LIMIT for length in lengths.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
