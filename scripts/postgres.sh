#!/usr/bin/env bash
# A real PostgreSQL of our own: installed from Debian if it is missing, a cluster in a temporary directory, loopback only,
# a free port, stopped and removed at the end.
# Usage: scripts/postgres.sh run COMMAND...              runs a command with ARBALEST_PG_URL set
#        scripts/postgres.sh outage path/to/arbalest [S] a demo trades while the server is stopped for S seconds (60)
set -euo pipefail
mode=$1
shift
work=$(mktemp -d)
chmod 755 "$work"
demo=

# Everything of the server runs as a user that is not root: it refuses to be root.
as_owner() { if [ "$(id -u)" = 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi; }
server() { as_owner "$bin/pg_ctl" -D "$work/data" -l "$work/server.log" -w "$@" >/dev/null; }
finish() {
  [ -z "$demo" ] || kill "$demo" 2>/dev/null || true
  [ -z "${bin:-}" ] || server stop -m immediate 2>/dev/null || true
  wait 2>/dev/null || true
  rm -rf "$work"
}
trap finish EXIT

newest() { ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -1; }
if [ -z "$(newest)" ]; then
  echo "installing postgresql"
  export DEBIAN_FRONTEND=noninteractive
  { apt-get update -qq && apt-get install -y -qq --no-install-recommends postgresql; } >"$work/apt.log" 2>&1 || { cat "$work/apt.log"; exit 1; }
fi
bin=$(newest)
"$bin/postgres" --version

[ "$(id -u)" != 0 ] || chown postgres "$work"
as_owner "$bin/initdb" -D "$work/data" -A trust -U arbalest >"$work/init.log" 2>&1 || { cat "$work/init.log"; exit 1; }
for attempt in 1 2 3 4 5; do
  port=$((20000 + RANDOM % 20000))
  if server start -o "-p $port -k $work -c listen_addresses=127.0.0.1"; then break; fi
  [ "$attempt" -lt 5 ] || { cat "$work/server.log"; exit 1; }
done
export ARBALEST_PG_URL="postgresql://arbalest@127.0.0.1:$port/postgres"

if [ "$mode" = run ]; then
  "$@"
  exit
fi

binary=$(realpath "$1")
seconds=${2:-60}
cp -r config "$work/config"
sed -i 's/127\.0\.0\.1:9464/127.0.0.1:0/' "$work/config/engine.toml"
printf '\n[store]\nkind = "postgres"\nurl_env = "ARBALEST_PG_URL"\n' >>"$work/config/engine.toml"
query() { "$bin/psql" -X -A -t -h 127.0.0.1 -p "$port" -U arbalest postgres -c "SET search_path TO arbalest" -c "$1" | tail -n +2; }
fills() { grep -c '"kind":"fill"' "$work/var/journal.jsonl" || true; }

cd "$work"
"$binary" demo --for $((seconds + 30))s --config config >demo.out 2>demo.log &
demo=$!
for _ in $(seq 1 30); do
  [ "$(query 'SELECT count(*) FROM fills' 2>/dev/null || echo 0)" -gt 0 ] 2>/dev/null && break
  sleep 1
done
stored=$(query 'SELECT count(*) FROM fills')
before=$(fills)
server stop -m immediate
echo "server killed with $stored fills in it, $before in the journal"
sleep "$seconds"
after=$(fills)
server start -o "-p $port -k $work -c listen_addresses=127.0.0.1"
echo "server back after $seconds s; the journal has $after fills"
[ "$after" -gt "$before" ] || { tail -5 demo.log; echo "trading stopped with the database"; exit 1; }
wait "$demo" || { cat demo.log; echo "demo failed"; exit 1; }
demo=
"$binary" audit verify --config config

# Every fill and order of the journal is in the database once, in the journal's order.
for table in fills:fill orders:order; do
  query "SELECT journal_seq FROM ${table%:*} ORDER BY seq" >in_database
  grep -h "\"kind\":\"${table#*:}\"" var/journal*.jsonl | sed -E 's/^\{"seq":([0-9]+),.*/\1/' >in_journal
  cmp in_database in_journal || { echo "${table%:*} differ from the journal"; exit 1; }
  echo "${table%:*}: $(wc -l <in_database), each once, in order"
done
[ "$(query 'SELECT count(*) - max(seq) FROM risk_metrics')" = 0 ]
echo "outage test passed"
