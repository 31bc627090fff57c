#!/usr/bin/env bash
# A real Prometheus scrapes a running demo; promtool finds no lint; the three given gauges are there by symbol; the alert
# rules are valid and do what their tests say; a halt travels through a real Alertmanager to a webhook.
# Usage: scripts/prometheus.sh path/to/arbalest
set -euo pipefail
binary=$(realpath "$1")
metrics_port=${METRICS_PORT:-19464}
prometheus_port=${PROMETHEUS_PORT:-19090}
alertmanager_port=${ALERTMANAGER_PORT:-19093}
webhook_port=${WEBHOOK_PORT:-19095}
work=$(mktemp -d)
children=()
finish() {
  for child in "${children[@]:-}"; do [ -z "$child" ] || kill "$child" 2>/dev/null || true; done
  wait 2>/dev/null || true
  rm -rf "$work"
}
trap finish EXIT

# Debian's packages, in the system when we may install them, else unpacked beside us.
if ! command -v promtool >/dev/null || ! command -v prometheus >/dev/null || ! command -v prometheus-alertmanager >/dev/null; then
  echo "installing prometheus and its alertmanager"
  export DEBIAN_FRONTEND=noninteractive
  packages=(prometheus prometheus-alertmanager)
  if ! { apt-get update -qq && apt-get install -y -qq --no-install-recommends "${packages[@]}"; } >"$work/apt.log" 2>&1; then
    (cd "$work" && apt-get download -qq "${packages[@]}" && for deb in *.deb; do dpkg -x "$deb" unpacked; done) || { cat "$work/apt.log"; exit 1; }
    export PATH="$work/unpacked/usr/bin:$PATH"
  fi
fi
command -v python3 >/dev/null || apt-get install -y -qq --no-install-recommends python3-minimal >>"$work/apt.log" 2>&1
promtool --version | head -1

promtool check rules ops/prometheus/rules/*.yml
promtool test rules ops/prometheus/tests/*.yml

# The default configuration on a port of its own.
cp -r config "$work/config"
sed -i "s/127\.0\.0\.1:9464/127.0.0.1:$metrics_port/" "$work/config/engine.toml"
mkdir "$work/rules"
cp ops/prometheus/rules/*.yml "$work/rules/"
sed -e "s/127\.0\.0\.1:9464/127.0.0.1:$metrics_port/" -e 's/scrape_interval: .*/scrape_interval: 1s/' \
  -e 's/scrape_timeout: .*/scrape_timeout: 1s/' \
  -e 's/evaluation_interval: .*/evaluation_interval: 1s/' -e "s/127\.0\.0\.1:9093/127.0.0.1:$alertmanager_port/" ops/prometheus/prometheus.yml >"$work/prometheus.yml"
promtool check config "$work/prometheus.yml"
sed "s/127\.0\.0\.1:9095/127.0.0.1:$webhook_port/" ops/alertmanager/alertmanager.yml >"$work/alertmanager.yml"
amtool check-config "$work/alertmanager.yml"

mkdir "$work/tmp"
(cd "$work" && TMPDIR="$work/tmp" exec "$binary" demo --for 15m --config "$work/config" >"$work/demo.out" 2>"$work/demo.log") &
children+=($!)
(cd "$work" && exec prometheus --config.file="$work/prometheus.yml" --storage.tsdb.path="$work/tsdb" \
  --web.listen-address="127.0.0.1:$prometheus_port" --log.level=warn >"$work/prometheus.log" 2>&1) &
children+=($!)
(cd "$work" && exec prometheus-alertmanager --config.file="$work/alertmanager.yml" --storage.path="$work/alerts" \
  --web.listen-address="127.0.0.1:$alertmanager_port" --cluster.listen-address= --log.level=warn >"$work/alertmanager.log" 2>&1) &
children+=($!)
# Who is called at night: writes down what arrives, one line a call.
python3 -u - "$webhook_port" >"$work/webhook.txt" <<'RECEIVER' &
import http.server, sys
class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        print(self.path, body.replace("\n", " "))
        self.send_response(200)
        self.end_headers()
    def log_message(self, *words):
        pass
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Receiver).serve_forever()
RECEIVER
children+=($!)

# Tries a command once a second until it succeeds.
until_true() {
  for _ in $(seq 1 60); do
    if "$@"; then return 0; fi
    sleep 1
  done
  echo "gave up: $*"
  tail -n 20 "$work/demo.log" "$work/prometheus.log"
  return 1
}
query() { curl -fsS -G "http://127.0.0.1:$prometheus_port/api/v1/query" --data-urlencode "query=$1" 2>/dev/null; }
has() { query "$1" | grep -q "$2"; }

until_true has 'up{job="arbalest"} == 1' '"value"'
until_true has 'arbitrage_fills_total > 0' '"value"'
curl -fsS "http://127.0.0.1:$metrics_port/metrics" >"$work/metrics.txt"
promtool check metrics <"$work/metrics.txt" >"$work/lint.txt" 2>&1 || { cat "$work/lint.txt"; exit 1; }
[ ! -s "$work/lint.txt" ] || { cat "$work/lint.txt"; echo "promtool found lint"; exit 1; }
echo "promtool finds nothing in $(grep -vc '^#' "$work/metrics.txt") samples"

for gauge in arbitrage_position_quantity arbitrage_unrealized_pnl; do
  for symbol in BTC/USDT ETH/USDT; do
    until_true has "$gauge{symbol=\"$symbol\"}" '"value"'
    echo "$gauge{symbol=\"$symbol\"} $(query "$gauge{symbol=\"$symbol\"}" | grep -oE '"value":\[[^]]*\]')"
  done
done
until_true has arbitrage_total_exposure '"value"'
echo "arbitrage_total_exposure $(query arbitrage_total_exposure | grep -oE '"value":\[[^]]*\]')"
until_true has 'histogram_quantile(0.99, sum by (le) (arbitrage_tick_to_trade_seconds_bucket)) > 0' '"value"'
for page in / /status /healthz /assets/page.js; do
  curl -fsS "http://127.0.0.1:$metrics_port$page" >/dev/null
done
if curl -fsS -H 'Host: evil.example' "http://127.0.0.1:$metrics_port/status" >/dev/null 2>&1; then
  echo "a foreign host name was served"
  exit 1
fi
# Every panel of every Grafana board asks this Prometheus.
ARBALEST_PROMETHEUS_URL="http://127.0.0.1:$prometheus_port" cargo test --locked --test metrics -- --nocapture \
  every_panel_returns_data
# An alert from the engine's own number to a person: halt, rule, Alertmanager, webhook.
told() { grep '^/on_call ' "$work/webhook.txt" | grep -q "\"alertname\":\"$1\".*docs/RUNBOOK.md#${1,,}"; }
if told TradingHalted; then echo "TradingHalted before anybody halted"; exit 1; fi
TMPDIR="$work/tmp" "$binary" risk flatten --yes --reason "rehearsal of a forced close"
until_true has 'sum(arbitrage_force_close_total{result="done"}) > 0' '"value"'
TMPDIR="$work/tmp" "$binary" risk halt --reason "rehearsal of the alerts"
until_true told TradingHalted
until_true told KillSwitchEngaged
echo "TradingHalted and KillSwitchEngaged reached the webhook of on_call through Alertmanager"
# Panels that were empty have data now.
until_true has 'sum(rate(arbitrage_risk_rejections_total[30s])) >= 0' '"value"'
ARBALEST_PROMETHEUS_URL="http://127.0.0.1:$prometheus_port" ARBALEST_FAULTS_INJECTED="Alert history,Forced-close history,Refusals by reason" \
  cargo test --locked --test metrics -- --nocapture every_panel_returns_data
echo "scrape test passed"
