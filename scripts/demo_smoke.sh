#!/usr/bin/env bash
# Runs the demo for ten seconds and checks that it ends by itself, traded, and left fills that the ledger can read.
# Usage: scripts/demo_smoke.sh path/to/arbalest
set -euo pipefail
binary=$(realpath "$1")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# A port of our own choice would be a race: 0 takes a free one.
cp -r config "$work/config"
sed -i 's/127\.0\.0\.1:9464/127.0.0.1:0/' "$work/config/engine.toml"
"$binary" check --config "$work/config" >/dev/null

(cd "$work" && timeout 60 "$binary" demo --for 10s --config "$work/config" --json --fills "$work/fills.csv" \
  >"$work/summary.json" 2>"$work/log") || { cat "$work/log"; echo "demo failed"; exit 1; }

number() { grep -oE "\"$1\":\"?-?[0-9.]+" "$work/summary.json" | head -1 | grep -oE '[-0-9.]+$'; }
for field in frames_received sets_opened sets_hedged fills; do
  value=$(number "$field")
  echo "$field $value"
  [ "${value:-0}" -gt 0 ] || { cat "$work/summary.json"; echo "no $field"; exit 1; }
done
"$binary" ledger "$work/fills.csv" --json >"$work/ledger.json"
grep -q '"positions":\[{' "$work/ledger.json" || { cat "$work/ledger.json"; echo "the ledger found no position"; exit 1; }
echo "realized_pnl $(number realized_pnl), fees $(number fees)"
