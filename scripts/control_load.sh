#!/usr/bin/env bash
# Does the signal seat feel a flood on the control API? Runs a demo and alternates quiet and attacked windows of 10 s, which
# the engine measures itself; prints the medians. Usage: scripts/control_load.sh target/release/arbalest [PAIRS]
set -euo pipefail
program=$(readlink -f "$1")
pairs=${2:-6}
folder=$(mktemp -d)
trap 'kill "$demo" 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$folder"' EXIT
TMPDIR=$folder "$program" demo --for 30m --listen 127.0.0.1:0 >/dev/null 2>"$folder/said" &
demo=$!
for _ in $(seq 100); do
  url=$(cat "$folder"/arbalest-demo-*/url 2>/dev/null) && break
  sleep 0.2
done

# One line a figure: stage quantile seconds, of the last closed window.
figures() {
  curl -s "$url/metrics" | sed -nE \
    's/^arbitrage_(queue_wait|book_apply|strategy_eval|risk_check)_window_seconds\{.*quantile="(0.5|0.99)"\} (.*)/\1 \2 \3/p' |
    awk -v state="$1" '{ if (!($1 $2 in most) || $3 + 0 > most[$1 $2]) most[$1 $2] = $3 + 0; name[$1 $2] = $1 " " $2 }
      END { for (key in name) print state, name[key], most[key] }'
}
# Unsigned requests of every kind, as fast as curl can make them.
attack() {
  local end=$((SECONDS + $1))
  while ((SECONDS < end)); do
    curl -s --parallel --parallel-immediate --parallel-max 64 -o /dev/null -X POST -d '{"reason":"x"}' "$url/api/v1/halt?[1-3000]" 2>/dev/null || true
  done
}

sleep 15
for pair in $(seq "$pairs"); do
  sleep 20
  figures quiet >>"$folder/figures"
  attack 20
  figures attacked >>"$folder/figures"
  echo "pair $pair of $pairs" >&2
done
refused=$(curl -s "$url/metrics" | awk '/^arbitrage_control_requests_total/ && !/result="ok"/ { sum += $2 } END { print sum }')
echo "refused requests: $refused; $((pairs * 20)) s attacked; $(nproc) processors; load $(cut -d' ' -f1-3 /proc/loadavg)"
echo "| Stage | Quantile | Quiet | Attacked | Change |"
echo "|---|---|---|---|---|"
for stage in queue_wait book_apply strategy_eval risk_check; do
  for quantile in 0.5 0.99; do
    median() { awk -v s="$1" -v g="$stage" -v q="$quantile" '$1 == s && $2 == g && $3 == q { print $4 * 1e6 }' "$folder/figures" | sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
    awk -v g="$stage" -v q="$quantile" -v a="$(median quiet)" -v b="$(median attacked)" \
      'BEGIN { printf "| %s | %s | %.2f us | %.2f us | %+.1f %% |\n", g, q, a, b, (b / a - 1) * 100 }'
  done
done
