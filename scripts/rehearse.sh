#!/usr/bin/env bash
# Tries the runbook: runs every command of docs/RUNBOOK.md, in its order, against running engines, and compares what they answer
# with what the page shows (numbers, times and tokens may differ). Less than a minute. Usage: scripts/rehearse.sh PROGRAM
#
# Two engines: a paper one that trades on simulated venues, and from "Rotate" on a live one, with keys, against venues that are
# processes of their own (`arbalest venue`). A comment <!-- rehearse: NAME --> in the page calls prepare_NAME below.
set -euo pipefail
program=$(readlink -f "${1:?usage: scripts/rehearse.sh PROGRAM}")
here=$(cd "$(dirname "$0")/.." && pwd)
folder=$(mktemp -d)
engine="" venues=()
finish() {
  local code=$?
  for process in $engine ${venues[@]+"${venues[@]}"}; do kill "$process" 2>/dev/null || true; done
  wait 2>/dev/null || true
  if ((code != 0)); then tail -n 5 "$folder"/*.log 2>/dev/null | cut -c1-200 >&2; fi
  rm -rf "$folder"
}
trap finish EXIT
cd "$folder"
umask 077
fail() { echo "rehearse: $*" >&2; exit 1; }
# Waits until a command succeeds.
until_so() {
  local what=$1
  shift
  for _ in $(seq 150); do
    if "$@" >/dev/null 2>&1; then return; fi
    sleep 0.2
  done
  fail "it did not happen within 30 s: $what"
}

for person in alice bob; do "$program" risk token new "$person" risk_officer 2>/dev/null; done >tokens
export ARBALEST_TOKEN_FILE=$folder/tokens
url=""
risk() { "$program" risk --url "$url" "$@"; }

engine_toml() {
  printf 'mode = "%s"\ndata_dir = "%s/var-%s"\n[signal]\nwait = "park"\n[metrics]\naddress = "127.0.0.1:0"\n[control]\ntokens_file = "%s/tokens"\n' \
    "$1" "$folder" "$1" "$folder"
}
# Starts the engine in `cfg`; true once it serves, false when it ends before that. What it says is in engine.log.
start_engine() {
  "$program" run "$@" >/dev/null 2>engine.log &
  engine=$!
  for _ in $(seq 150); do
    url=$(sed -nE 's|^page (http://[^/]*)/.*|\1|p' engine.log)
    if [[ -n $url ]]; then return 0; fi
    if ! kill -0 "$engine" 2>/dev/null; then
      wait "$engine" && return 0 || return $?
    fi
    sleep 0.1
  done
  fail "the engine did not start: $(cat engine.log)"
}
stop_engine() {
  kill "${1:--TERM}" "$engine"
  wait "$engine" 2>/dev/null || true
  engine=""
}
# Re-arms every scope that a person or a control holds, with two people.
all_clear() {
  re_arm() {
    local scope answer
    for scope in $(risk levels | awk 'NR > 1 && $2 ~ /^K[1-4]$/ { print $1 }'); do
      answer=$(risk re-arm request --scope "$scope" --reason "rehearsal goes on" | tail -n 1) || return 1
      # shellcheck disable=SC2046,SC2001 # two words: token and hash
      risk --as bob re-arm approve $(sed 's/.*approve \([0-9a-f]*\) \([0-9a-f]*\).*/\1 \2/' <<<"$answer") --yes || return 1
    done
    risk levels | grep -q "everything is armed"
  }
  until_so "everything is armed again" re_arm
}
is_quiet() { risk status | grep -q "closes at work     0"; }

prepare_paper() {
  cp -r "$here/config" cfg
  engine_toml paper >cfg/engine.toml
  printf '\n[kill]\nrearm_feed_healthy_ms_min = 1000\nprobation_ms = 0\n' >>cfg/limits.toml
  start_engine --config cfg
  until_so "positions" sh -c "'$program' risk --url $url positions | grep -q BTC/USDT:USDT"
  sleep 3
}
prepare_armed() { all_clear; }
prepare_halted() {
  all_clear
  risk halt --reason "prices look wrong" >/dev/null
}
prepare_closed() { until_so "no close is at work" is_quiet; }
prepare_edited() {
  all_clear
  cp cfg/limits.toml limits.kept
  sed -i 's/^order_notional_usd_max = .*/order_notional_usd_max = "4000"/; s/^unrealized_loss_usd_max = .*/unrealized_loss_usd_max = "700"/' cfg/limits.toml
  # The engine sees the file by itself, and tightens.
  until_so "the file was seen" sh -c "'$program' risk --url $url alerts | grep -q 'looser limits wait'"
}
prepare_typo() {
  all_clear
  cp cfg/limits.toml limits.kept
  sed -i '1i oops = 1' cfg/limits.toml
}
prepare_restarted() {
  cp limits.kept cfg/limits.toml
  sed -i 's/^unrealized_loss_usd_max = .*/unrealized_loss_usd_max = "900"/' cfg/limits.toml
  stop_engine
  start_engine --config cfg
}
venue() {
  "$program" venue --dialect "$1" --symbol "$2" --port "$3" --key "$4-key" --secret "$4-secret" >"venue-$3.log" 2>&1 &
  venues+=($!)
  until_so "a venue listens" grep -q WebSockets "venue-$3.log"
}
keys() {
  printf '%s-key' "$2" >"$1.key"
  printf '%s-secret' "$2" >"$1.secret"
}
# A port that is free now, and the next one.
free_port() {
  local port
  for port in $(seq $((20000 + RANDOM % 20000)) 2 60000); do
    if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && ! (exec 3<>"/dev/tcp/127.0.0.1/$((port + 1))") 2>/dev/null; then
      echo "$port"
      return
    fi
  done
}
prepare_live() {
  stop_engine
  rm -rf cfg
  mkdir -p cfg/strategies
  engine_toml live >cfg/engine.toml
  spot_port=$(free_port)
  venue binance_spot BTC/USDT "$spot_port" old
  local perp_port name symbol dialect port
  perp_port=$(free_port)
  venue binance_usdm BTC/USDT:USDT "$perp_port" perp
  keys spot_a old
  keys perp perp
  # The strategy's threshold is out of reach: the accounts stay as they are.
  {
    printf 'order_notional_usd_max = "5000"\nunrealized_loss_usd_max = "500"\n[notional_usd_max]\nsymbol = "40000"\nvenue = "50000"\n'
    printf 'asset_net = "5000"\ngross = "150000"\nnet = "10000"\n[kill]\nrearm_feed_healthy_ms_min = 1000\nprobation_ms = 0\n'
    # Two quiet markets of their own.
    printf '[controls]\nmessage_age_ms_max = 60000\nbook_age_ms_max = 60000\nheartbeat_age_ms_max = 60000\n'
  } >cfg/limits.toml
  while read -r name dialect symbol port; do
    printf '[[venue]]\nid = "%s"\ndialect = "%s"\nsymbols = ["%s"]\nrest_url = "http://127.0.0.1:%s"\nws_url = "ws://127.0.0.1:%s"\nws_api_url = "ws://127.0.0.1:%s"\n[venue.fees]\ntaker_fee_bps = 10\nmaker_fee_bps = 0\n[venue.keys]\napi_key_file = "%s/%s.key"\nsecret_file = "%s/%s.secret"\n' \
      "$name" "$dialect" "$symbol" "$port" $((port + 1)) $((port + 1)) "$folder" "$name" "$folder" "$name" >>cfg/venues.toml
    printf '[[instrument]]\nvenue = "%s"\nsymbol = "%s"\norder_qty_base_max = "0.05"\nposition_qty_base_max = "0.25"\n' "$name" "$symbol" >>cfg/limits.toml
  done <<<"spot_a binance_spot BTC/USDT $spot_port
perp binance_usdm BTC/USDT:USDT $perp_port"
  printf 'id = "cross"\nkind = "cross_exchange"\nmode = "live"\nsymbol = "BTC/USDT"\nvenues = ["spot_a", "perp"]\nmin_net_edge_bps = 140\nmin_order_quote = "20"\nmax_order_quote = "130"\nmax_inventory_quote = "5000"\n' >cfg/strategies/cross.toml
  start_engine --live --config cfg
}
# The venue takes the new key and no longer the old one; our files still have the old one.
prepare_new_key() {
  kill "${venues[0]}"
  wait "${venues[0]}" 2>/dev/null || true
  venue binance_spot BTC/USDT "$spot_port" new
}
prepare_key_in_place() { keys spot_a new; }
# The runbook says to wait for 60 s here; the rehearsal's limits say 1 s.
prepare_healthy() {
  until_so "a re-arm is safe" risk re-arm request --scope portfolio --to armed --reason "is it safe?"
}
prepare_killed() {
  all_clear
  risk reduce --scope venue:spot_a --reason "slow answers" >/dev/null
  sleep 0.5
  stop_engine -KILL
}

# What may differ: hashes, tokens, numbers, widths.
plain() {
  sed -E 's/[0-9a-f]{64}|[0-9a-f]{6}\.\.\.[0-9a-f]{4,6}/HASH/g; s/[A-Za-z0-9_-]{43}$|<43 characters>/TOKEN/; s/-?[0-9]+(\.[0-9]+)?/N/g; s/[[:space:]]+/ /g; s/^ //; s/ $//'
}
# Runs one command of the page as it stands there: what it said is in `said`.
hash_one="" hash_two="" said="" commands=0
try() {
  local line=$1 code=0 words
  # Tokens in the page stand for those that the engine gave last.
  line=$(sed -E "s/[0-9a-f]{6}\.\.\.[0-9a-f]{4,6}/$hash_one/; s/[0-9a-f]{6}\.\.\.[0-9a-f]{4,6}/$hash_two/" <<<"$line")
  case $line in
    "arbalest risk token "*) said=$(eval "'$program' ${line#arbalest }" 2>&1) || code=$? ;;
    "arbalest risk "*) said=$(eval "risk ${line#arbalest risk }" 2>&1) || code=$? ;;
    "arbalest run "*)
      eval "words=(${line#arbalest run })"
      start_engine "${words[@]}" || code=$?
      said=$(cat engine.log)
      ;;
    "kill PID") stop_engine && said=$(grep "^stopping" engine.log) ;;
    *) said=$(eval "$line" 2>&1) || code=$? ;;
  esac
  said+=$'\n'"exit code $code"
  local found
  found=$(grep -oE '[0-9a-f]{64}' <<<"$said" | head -n 2) || true
  if [[ $(wc -l <<<"$found") == 2 ]]; then
    hash_one=$(sed -n 1p <<<"$found") hash_two=$(sed -n 2p <<<"$found")
  fi
  commands=$((commands + 1))
}
# Every line that the page shows must have been said; "..." ends a line or stands for any others.
check() {
  local command=$1 shown=$2 line pattern answer shown_code=0 told_code
  answer=$(plain <<<"$said")
  case $shown in
    "error: wrong"*) shown_code=2 ;;
    "error: refused"* | "REFUSED"*) shown_code=3 ;;
    "error: "*) shown_code=1 ;;
  esac
  told_code=$(sed -nE 's/^exit code ([0-9]+)$/\1/p' <<<"$said")
  [[ $told_code == "$shown_code" ]] || fail "\$ $command: exit code $told_code, not $shown_code:
$said"
  while IFS= read -r line; do
    pattern=$(plain <<<"${line%%...}")
    [[ -n $pattern ]] || continue
    case $line in
      *...) grep -qF -- "$pattern" <<<"$answer" || fail "\$ $command: not said: $line
$said" ;;
      *) grep -qxF -- "$pattern" <<<"$answer" || fail "\$ $command: not said: $line
$said" ;;
    esac
  done < <(shown_lines "$command" "$shown")
}
# Rows of these depend on the market: only the head counts, and that there is one row.
shown_lines() {
  case $1 in
    *" closes" | *" positions" | *" alerts") head -n 1 <<<"$2" ;;
    *) printf '%s\n' "$2" ;;
  esac
}

command="" shown=""
settle() {
  if [[ -n $command ]]; then
    try "$command"
    check "$command" "${shown%$'\n'}"
  fi
  command="" shown=""
}
in_block=false
while IFS= read -r line <&4; do
  if [[ $line == '```'* ]]; then
    settle
    if $in_block; then in_block=false; else in_block=true; fi
  elif $in_block && [[ $line == '$ '* ]]; then
    settle
    command=${line#\$ }
  elif $in_block && [[ -n $command ]]; then
    shown+=$line$'\n'
  elif [[ $line =~ ^'<!-- rehearse: '([a-z_]+)' -->'$ ]]; then
    "prepare_${BASH_REMATCH[1]}"
  fi
done 4<"$here/docs/RUNBOOK.md"
((commands >= 25)) || fail "only $commands commands were found in docs/RUNBOOK.md"
echo "rehearse: $commands commands of docs/RUNBOOK.md answered as the page says, in $SECONDS s"
