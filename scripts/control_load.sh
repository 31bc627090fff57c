#!/usr/bin/env bash
# Does the signal seat feel a flood on the control API? Runs a paper engine, pins its signal thread to the last core, and
# alternates quiet and attacked phases of 20 s; the attackers are niced processes on the other cores. At the end of each phase it
# reads the engine's own last window of 10 s. Prints the median of each figure over the phases, both ways, and the ratio.
# Needs a quiet machine. At most 3 minutes. Usage: scripts/control_load.sh target/release/arbalest [PAIRS]
set -euo pipefail
program=$(readlink -f "${1:?usage: scripts/control_load.sh PROGRAM [PAIRS]}")
pairs=${2:-4}
here=$(cd "$(dirname "$0")/.." && pwd)
folder=$(mktemp -d)
engine="" attackers=()
trap 'kill $engine ${attackers[@]+"${attackers[@]}"} 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$folder"' EXIT
cores=$(nproc)
own=$((cores - 1))
# Pinned where possible: one core alone leaves nothing to choose.
away=() pin=""
if ((cores > 1)) && command -v taskset >/dev/null; then
  away=(taskset -c "0-$((own - 1))")
  pin="pin_core = $own"
fi

cp -r "$here/config" "$folder/cfg"
(umask 077 && "$program" risk token new load risk_officer >"$folder/tokens" 2>/dev/null)
printf 'mode = "paper"\ndata_dir = "%s/var"\n[signal]\nwait = "spin_then_park"\n%s\n[metrics]\naddress = "127.0.0.1:0"\n[control]\ntokens_file = "%s/tokens"\n' \
  "$folder" "$pin" "$folder" >"$folder/cfg/engine.toml"
"$program" run --config "$folder/cfg" >/dev/null 2>"$folder/said" &
engine=$!
url=""
for _ in $(seq 100); do
  url=$(sed -nE 's|^page (http://[^/]*)/.*|\1|p' "$folder/said")
  [[ -n $url ]] && break
  kill -0 "$engine" 2>/dev/null || { cat "$folder/said" >&2; exit 1; }
  sleep 0.1
done
[[ -n $url ]] || { echo "the engine did not start" >&2; exit 1; }

# One line a figure: phase stage quantile seconds, of the last closed window; the worst over a stage's lanes.
figures() {
  curl -s --max-time 10 "$url/metrics" | sed -nE \
    's/^arbitrage_([a-z_]*)_window_seconds\{.*quantile="(0.5|0.99)"\} (.*)/\1 \2 \3/p' |
    awk -v phase="$1" '{ if (!($1 $2 in most) || $3 + 0 > most[$1 $2]) most[$1 $2] = $3 + 0; name[$1 $2] = $1 " " $2 }
      END { for (key in name) print phase, name[key], most[key] }'
}
refused() {
  curl -s --max-time 10 "$url/metrics" | awk '/^arbitrage_control_requests_total/ && !/result="ok"/ { sum += $2 } END { print sum + 0 }'
}
# Hostile requests of three kinds, each a process of its own, as fast as curl can make them: unsigned commands, paths that are
# none, and open pages.
attack_once() {
  local target=$1
  shift
  while true; do
    nice -n 19 ${away[@]+"${away[@]}"} curl -s --parallel --parallel-immediate --parallel-max 64 -o /dev/null "$@" "$url$target?[1-2000]" 2>/dev/null || true
  done
}
attack() {
  attackers=()
  attack_once /api/v1/halt -X POST -d '{"reason":"x"}' &
  attackers+=($!)
  attack_once /api/v1/../../etc/passwd --path-as-is &
  attackers+=($!)
  attack_once /status &
  attackers+=($!)
  sleep "$1"
}
end_attack() {
  local one
  for one in "${attackers[@]}"; do
    # The loop first, so that it starts no other curl; then the one it waits for.
    local child
    child=$(ps -o pid= --ppid "$one" | tr -d ' ') || true
    kill "$one" 2>/dev/null || true
    # shellcheck disable=SC2086 # may be none
    [[ -z $child ]] || kill $child 2>/dev/null || true
    wait "$one" 2>/dev/null || true
  done
  attackers=()
}

echo "threads that step back: $(ps -L -o comm=,ni= -p "$engine" | awk '{ steps = $NF + 0; $NF = ""; if (steps > 0) print $0 steps }' | sort -u | paste -sd, -)" >&2
sleep 6
before=$(refused)
for pair in $(seq "$pairs"); do
  sleep 20
  figures quiet >>"$folder/figures"
  attack 20
  # While it goes on: the figures are of a window that was attacked from end to end.
  figures attacked >>"$folder/figures"
  end_attack
  echo "pair $pair of $pairs, $SECONDS s" >&2
done
echo "refused: $(($(refused) - before)) requests in $((pairs * 20)) s of attack; $cores processors, signal ${pin:-not pinned}; load $(cut -d' ' -f1-3 /proc/loadavg)"
echo "| Stage | Quantile | Quiet | Attacked | Ratio |"
echo "|---|---|---|---|---|"
for stage in queue_wait book_apply strategy_eval risk_check tick_to_order; do
  for quantile in 0.5 0.99; do
    median() {
      awk -v p="$1" -v g="$stage" -v q="$quantile" '$1 == p && $2 == g && $3 == q { print $4 * 1e6 }' "$folder/figures" |
        sort -n | awk '{ v[NR] = $1 } END { if (NR) print (v[int((NR + 1) / 2)] + v[int((NR + 2) / 2)]) / 2 }'
    }
    quiet=$(median quiet) attacked=$(median attacked)
    if [[ -n $quiet && -n $attacked ]]; then
      awk -v g="$stage" -v q="$quantile" -v a="$quiet" -v b="$attacked" \
        'BEGIN { printf "| %s | %s | %.2f us | %.2f us | %s |\n", g, q, a, b, (a > 0 ? sprintf("%.2f", b / a) : "-") }'
    fi
  done
done
echo
echo "each pair, quiet / attacked, p99 of queue_wait in us:"
for phase in quiet attacked; do
  awk -v p="$phase" '$1 == p && $2 == "queue_wait" && $3 == "0.99" { printf "%s%.1f", sep, $4 * 1e6; sep = " " } END { print " " p }' "$folder/figures"
done
