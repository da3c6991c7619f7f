#!/usr/bin/env python3
"""clang-tidy over src/, with the rules of .clang-tidy, of what changed since it last found nothing.

    tools/tidy.py BUILD [-j N]        BUILD holds compile_commands.json

A file that passed is remembered by all it says, its own headers and the rules (in ~/.cache/sonde/tidy), so that the
next clone does not ask again.
"""
import argparse
import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
INCLUDE = re.compile(r'^\s*#\s*include\s*(?:"([^"]+)"|<(sonde/[^>]+)>)', re.MULTILINE)


def all_of(path, found):
    """The file and all headers of ours that it includes, directly or not."""
    if path in found or not path.is_file():
        return found
    found[path] = path.read_text()
    for quoted, public in INCLUDE.findall(found[path]):
        places = [ROOT / "include" / public] if public else [ROOT / "src" / quoted, path.parent / quoted]
        for place in places:
            all_of(place.resolve(), found)
    return found


def key_of(path, command, rules):
    """Changes with everything that could change what clang-tidy says of a file."""
    digest = hashlib.sha256(rules)
    digest.update(command.replace(str(ROOT), "").encode())
    for each, text in sorted(all_of(path, {}).items()):
        digest.update(f"{each.relative_to(ROOT)}\n{text}\n".encode())
    return digest.hexdigest()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("-j", type=int, default=os.cpu_count(), metavar="N")
    parser.add_argument("--program", default="clang-tidy-14")
    parser.add_argument("--kept", type=pathlib.Path, metavar="DIR", help="where files that passed are remembered",
                        default=pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")) /
                        "sonde/tidy")
    options = parser.parse_args()
    options.kept.mkdir(parents=True, exist_ok=True)
    version = subprocess.run([options.program, "--version"], capture_output=True, check=True).stdout
    rules = (ROOT / ".clang-tidy").read_bytes() + version
    commands = {pathlib.Path(c["file"]): c.get("command", "") for c in
                json.loads((options.build / "compile_commands.json").read_text())}
    sources = sorted(p for p in commands if (ROOT / "src") in p.parents)

    def judge(path):
        stamp = options.kept / key_of(path, commands[path], rules)
        if stamp.exists():
            return path, None
        found = subprocess.run([options.program, "--quiet", "-p", options.build, path], capture_output=True, text=True)
        if found.returncode == 0:
            stamp.touch()
        return path, found

    bad = asked = 0
    with concurrent.futures.ThreadPoolExecutor(options.j) as pool:
        for path, found in pool.map(judge, sources):
            asked += found is not None
            if found is not None and found.returncode:
                bad += 1
                print(found.stdout, found.stderr, sep="", flush=True)
    print(f"{len(sources)} files, {asked} of them asked about, {bad} with findings")
    return 1 if bad or not sources else 0


if __name__ == "__main__":
    sys.exit(main())
