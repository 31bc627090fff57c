// Draws /status once a second. Values are always set as text, never as markup.
const byId = (id) => document.getElementById(id);
const GROUPS = new Intl.NumberFormat("en-US");
const STAGES = ["feed_delay", "decode", "queue_wait", "book_apply", "strategy_eval", "risk_check", "encode", "write", "tick_to_order", "order_ack", "ack_to_fill"];
const LEVELS = ["armed", "reduce only", "cancel all", "flatten", "halt"];

function make(tag, text, className) {
  const node = document.createElement(tag);
  if (text !== undefined) node.textContent = text;
  if (className) node.className = className;
  return node;
}

// Amounts arrive as exact decimal text; they are shown with `places` decimals (cut, not rounded), the exact text as title.
function amount(text, places, pad = false) {
  if (text === null || text === undefined) return { text: "unpriced", className: "warn" };
  const negative = text.startsWith("-");
  const [whole, fraction = ""] = text.replace("-", "").split(".");
  const kept = pad ? fraction.slice(0, places).padEnd(places, "0") : fraction.slice(0, places).replace(/0+$/, "");
  const shown = whole.replace(/\B(?=(\d{3})+$)/g, ",") + (kept ? "." + kept : "");
  const zero = /^[0.,]*$/.test(shown);
  return { text: (negative && !zero ? "-" : "") + shown, title: text };
}
const size = (text) => amount(text, 8);
const cash = (text) => amount(text, 2, true);
const price = (text) => (text === null ? "-" : amount(text, (text.split(".")[1] || "").length, true));
const profit = (text) => {
  const cell = cash(text);
  if (!cell.className && /[1-9]/.test(cell.text)) cell.className = cell.text.startsWith("-") ? "bad" : "good";
  return cell;
};
const count = (value) => ({ text: GROUPS.format(value) });
function span(nanos) {
  if (nanos >= 1e9) return (nanos / 1e9).toFixed(2) + " s";
  if (nanos >= 1e6) return (nanos / 1e6).toFixed(2) + " ms";
  if (nanos >= 1e3) return (nanos / 1e3).toFixed(1) + " us";
  return nanos + " ns";
}
const words = (counts) => Object.entries(counts).filter(([, n]) => n > 0).map(([word, n]) => `${word} ${GROUPS.format(n)}`).join(", ") || "none";
const sum = (counts) => Object.values(counts).reduce((total, n) => total + n, 0);

// rows: arrays of text, cell objects or nodes.
function fill(id, rows, empty) {
  const table = byId(id);
  const heads = [...table.tHead.rows[0].cells];
  const body = document.createElement("tbody");
  for (const row of rows) {
    const line = body.insertRow();
    row.forEach((value, index) => {
      const cell = line.insertCell();
      cell.className = heads[index].className;
      if (value instanceof Node) cell.append(value);
      else if (value !== null && typeof value === "object") {
        cell.textContent = value.text;
        if (value.className) cell.classList.add(...value.className.split(" "));
        if (value.title) cell.title = value.title;
      } else cell.textContent = value;
    });
  }
  if (rows.length === 0) {
    const cell = body.insertRow().insertCell();
    cell.colSpan = heads.length;
    cell.className = "soft";
    cell.textContent = empty || "none";
  }
  table.tBodies[0].replaceWith(body);
}

function figures(status) {
  const totals = status.totals;
  const list = byId("figures");
  const entries = [
    ["Exposure", cash(status.total_exposure)], ["Unrealized", profit(totals.unrealized_pnl)], ["Realized", profit(totals.realized_pnl)],
    ["Fees", cash(totals.fees)], ["Opportunities", count(totals.opportunities)], ["Sets opened", count(totals.sets_opened)],
    ["Sets hedged", count(totals.sets_hedged)], ["Sets broken", count(totals.sets_broken)], ["Orders sent", count(totals.orders_sent)],
    ["Orders rejected", count(totals.orders_rejected)], ["Fills", count(totals.fills)], ["Frames", count(totals.frames_received)],
  ];
  list.replaceChildren(...entries.map(([name, value]) => {
    const pair = make("div");
    const shown = make("dd", value.text, value.className);
    if (value.title) shown.title = value.title;
    pair.append(make("dt", name), shown);
    return pair;
  }));
}

const used = (limit) => {
  if (limit.used === null) return Infinity;
  if (limit.less_is_worse) return Number(limit.value) / Math.max(Number(limit.used), 1e-6);
  return Math.abs(Number(limit.used) / Number(limit.value));
};

function share(limit) {
  if (limit.used === null) return { text: "unknown", className: "warn" };
  const ratio = used(limit);
  const box = make("span");
  const meter = make("meter");
  meter.min = 0; meter.max = 1; meter.high = 0.8; meter.low = 0.8; meter.optimum = 0;
  meter.value = Math.min(1, ratio);
  meter.setAttribute("aria-label", `${limit.limit} ${limit.scope}`);
  box.append(meter, make("span", ` ${(ratio * 100).toFixed(0)} %`, ratio > 1 ? "bad" : ratio > 0.8 ? "warn" : ""));
  return box;
}

function book(instrument) {
  const good = instrument.trust === "trusted";
  const cause = instrument.trust_cause ? `: ${instrument.trust_cause}` : "";
  return { text: good ? "trusted" : instrument.trust + cause, className: good ? "good" : instrument.trust === "bad" ? "bad" : "warn" };
}

function connections(venue) {
  const box = make("span");
  venue.channels.forEach((channel, index) => {
    if (index) box.append(", ");
    const times = sum(channel.reconnects);
    box.append(make("span", `${channel.channel} ${channel.connected ? "up" : "down"}${times ? ` (${times} again)` : ""}`, channel.connected ? "good" : "bad"));
  });
  return box;
}

function draw(status) {
  const state = byId("state");
  state.textContent = status.state.replace("_", " ");
  state.className = "pill " + ({ active: "good", halted: "bad" }[status.state] || "");
  byId("mode").textContent = status.paper ? "paper: no real order can leave" : "LIVE";
  byId("mode").className = status.paper ? "pill quiet" : "pill bad";
  const seed = status.seed === null ? "" : `, seed ${status.seed}`;
  byId("about").textContent = `version ${status.build.version}, config ${status.build.config_hash.slice(0, 12)}, up ${Math.floor(status.uptime_ms / 1000)} s${seed}, amounts in ${status.reporting_currency}`;
  figures(status);
  const limits = [...status.risk.limits].sort((left, right) => used(right) - used(left) || left.scope.localeCompare(right.scope));
  fill("limits", limits.map((limit) => [limit.limit, limit.scope, share(limit), limit.used === null ? { text: "unknown", className: "warn" } : amount(limit.used, 5), amount(limit.value, 5)]));
  fill("kills", status.kill_levels.map((kill) => [kill.scope, { text: String(kill.level), className: kill.level ? "bad" : "good" }, LEVELS[kill.level] || kill.name]), "all scopes at level 0, armed");
  fill("symbols", status.symbols.map((symbol) => [symbol.symbol, size(symbol.position_quantity), profit(symbol.unrealized_pnl), cash(symbol.exposure)]));
  fill("instruments", status.instruments.map((instrument) => [
    instrument.venue, instrument.symbol, size(instrument.quantity), profit(instrument.unrealized_pnl), profit(instrument.realized_pnl), book(instrument),
    instrument.book_age_ms === null ? "-" : `${GROUPS.format(instrument.book_age_ms)} ms`, price(instrument.bid), price(instrument.ask),
    instrument.average_price === null ? "-" : amount(instrument.average_price, 4, true), cash(instrument.traded_notional)]));
  fill("strategies", status.strategies.map((strategy) => [
    strategy.strategy, { text: LEVELS[strategy.kill_level], className: strategy.kill_level ? "bad" : "good" }, profit(strategy.realized_pnl), count(strategy.open_sets),
    { text: words(strategy.sets), className: "wide" }, { text: words(strategy.opportunities), className: "wide" }, { text: words(strategy.rejections), className: "wide" }]));
  fill("venues", status.venues.map((venue) => [
    venue.venue, connections(venue), count(venue.channels.reduce((total, channel) => total + channel.messages_received, 0)),
    count(venue.channels.reduce((total, channel) => total + channel.decode_errors, 0)), count(sum(venue.book_gaps)), count(sum(venue.book_resyncs)),
    count(venue.fills.reduce((total, fill) => total + fill.count, 0)), count(venue.open_orders),
    { text: String(venue.unknown_orders), className: venue.unknown_orders ? "bad" : "" }, count(sum(venue.rejects)), cash(venue.fees_paid),
    venue.clock_offset_ns === null ? "-" : (venue.clock_offset_ns < 0 ? "-" : "") + span(Math.abs(venue.clock_offset_ns))]));
  fill("latency", STAGES.map((name) => [name, status.latency[name]]).filter(([, stage]) => stage && stage.count > 0).map(([name, stage]) => [
    name, count(stage.count), span(stage.p50_ns), span(stage.p99_ns), span(stage.p999_ns), span(stage.max_ns)]), "nothing measured yet");
  fill("queues", status.queues.map((queue) => [queue.queue, count(queue.depth), count(queue.capacity), { text: GROUPS.format(queue.dropped), className: queue.dropped ? "bad" : "" }]));
  const alerts = status.risk.alerts.map((alert) => make("li", `${new Date(alert.time_ns / 1e6).toISOString()} ${alert.severity}: ${alert.text}`, { critical: "bad", warning: "warn" }[alert.severity] || ""));
  byId("alerts").replaceChildren(...(alerts.length ? alerts : [make("li", "none", "soft")]));
}

async function poll() {
  const link = byId("link");
  try {
    const answer = await fetch("/status", { cache: "no-store", signal: AbortSignal.timeout(3000) });
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    const status = await answer.json();
    draw(status);
    if (status.time_ns === 0) throw new Error("starting");
    const age = Date.now() - status.time_ns / 1e6;
    link.textContent = age > 5000 ? `engine silent for ${Math.round(age / 1000)} s` : "";
    link.className = age > 5000 ? "pill bad" : "pill quiet";
  } catch (error) {
    link.textContent = `no answer from the engine (${error.message}); figures are old`;
    link.className = "pill bad";
  }
  setTimeout(poll, 1000);
}

for (const box of document.querySelectorAll(".scroll")) box.tabIndex = 0;
poll();
