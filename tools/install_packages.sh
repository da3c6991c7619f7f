#!/usr/bin/env bash
# tools/install_packages.sh PART…: installs the packages of these parts of packages.txt ([build], [check])
# that are missing. Silent and quick when nothing is. Elsewhere than on Debian it says what to install.
set -euo pipefail
cd "$(dirname "$0")/.."

wanted=()
for part in "$@"; do
  mapfile -t names < <(awk -v part="[$part]" '/^\[/ {on = ($1 == part)} on && /^[a-z]/ {print $1}' packages.txt)
  [ ${#names[@]} -gt 0 ] || { echo "packages.txt has no part [$part]." >&2; exit 2; }
  wanted+=("${names[@]}")
done

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
  echo "This is not Debian: please see to it yourself that these are installed: ${wanted[*]}" >&2
  exit 0
fi

installed=$(dpkg-query -W -f='${db:Status-Status} ${Package}\n' "${wanted[@]}" 2>/dev/null |
            awk '$1 == "installed" {print $2}' || true)
mapfile -t missing < <(comm -23 <(printf '%s\n' "${wanted[@]}" | sort -u) <(sort -u <<<"$installed"))
[ ${#missing[@]} -gt 0 ] || exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null; then
    echo "These Debian packages are missing, and neither root nor sudo is at hand. As root:" >&2
    echo "    apt-get install ${missing[*]}" >&2
    exit 1
  fi
  as_root=(sudo)
fi

echo "Installing ${missing[*]}" >&2
log=$(mktemp)
trap 'rm -f "$log"' EXIT
apt() { "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -y -qq "$@" </dev/null >"$log" 2>&1; }
# An old list may name package versions that are gone, so it is refreshed first; without a network
# the list that is there may still do.
apt update || true
if ! apt install --no-install-recommends "${missing[@]}"; then
  tail -n 20 "$log" >&2
  echo "apt-get could not install ${missing[*]}: see above." >&2
  exit 1
fi
