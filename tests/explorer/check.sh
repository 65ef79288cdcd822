#!/bin/sh
# The report's page to explore, in headless Chromium: tests/explorer/check.sh UNIBENCH [INDEX.HTML].
# Exit code 77, and why, where node, chromium or the modules are not there (ci/deps explorer installs them).
set -eu
unibench=$1
here=$(cd "$(dirname "$0")" && pwd)
skip() { echo "skipped: $*" && exit 77; }
command -v node >/dev/null || skip "no node"
command -v chromium >/dev/null || skip "no chromium"
[ -e "$here/node_modules/playwright-core" ] && [ -e "$here/node_modules/axe-core" ] ||
    skip "no modules: ci/deps explorer fetches them with npm"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$unibench" run "$here/suite.yaml" --out "$work/store" --jobs 2 >/dev/null 2>&1
"$unibench" report "$work/store" >/dev/null
"$unibench" train --dataset digits:size=60 --model linear --loss mse --optimizer gd:lr=0.1 --steps 5 \
    --measure loss:at=end --out "$work/one" >/dev/null 2>&1
"$unibench" report "$work/one" >/dev/null
node "$here/check.mjs" "$work/store/report" "$work"
