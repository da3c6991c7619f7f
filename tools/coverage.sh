#!/usr/bin/env bash
# tools/coverage.sh [PERCENT]: runs the tests of the coverage build and prints, file by file, which lines
# of src/ they reach; the pages lie in build/coverage/report/. Fails below PERCENT of all lines.
set -euo pipefail
cd "$(dirname "$0")/.."
gate=${1:-0}

find build/coverage -name '*.gcda' -delete
ctest --preset coverage -LE 'example|tools' -j "$(nproc)"
mkdir -p build/coverage/report
# The compiler writes unreachable clean-up branches that no test can take: lines are what we count.
gcovr --root . --filter 'src/' --object-directory build/coverage --exclude-throw-branches \
  -j "$(nproc)" --print-summary --fail-under-line "$gate" \
  --html-details build/coverage/report/index.html --txt -
