#!/usr/bin/env bash
# tools/coverage.sh [PERCENT]: prints, file by file, which lines of src/ the tests reached when ./check asan-ubsan
# last ran them; the pages lie in build/coverage/. Fails below PERCENT of all lines.
set -euo pipefail
gate=${1:-0}
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root/build/asan-ubsan"  # the paths in the programs are relative to it
compgen -G 'profiles/*.profraw' >/dev/null ||
  { echo "There are no counts. Run ./check asan-ubsan first." >&2; exit 1; }

counts=profiles/all.profdata
llvm-profdata-14 merge -sparse profiles/*.profraw -o "$counts"
objects=()
for program in tests/*_tests; do objects+=(-object "$program"); done
options=(sonde "${objects[@]}" -instr-profile "$counts"
  -ignore-filename-regex='^/usr/|(^|/)(tests|include|examples|bench)/')

rm -rf "$root/build/coverage"
llvm-cov-14 show "${options[@]}" -format html -show-instantiations=false -output-dir "$root/build/coverage"
llvm-cov-14 export "${options[@]}" -summary-only | python3 -c '
import json, sys

report = json.load(sys.stdin)["data"][0]
rows = sorted(((f["summary"]["lines"]["percent"], f["summary"]["lines"], f["filename"]) for f in report["files"]),
              key=lambda row: row[0])
for percent, lines, name in rows:
    missed = lines["count"] - lines["covered"]
    print("%6.1f %%  %4d of %4d lines missed  src/%s" % (percent, missed, lines["count"], name.split("/src/")[-1]))
total = report["totals"]["lines"]
print("lines: %.1f %% (%d of %d)" % (total["percent"], total["covered"], total["count"]))
sys.exit(total["percent"] < float(sys.argv[1]))
' "$gate"
