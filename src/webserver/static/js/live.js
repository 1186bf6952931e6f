// Polls the states and tells the page: CustomEvent "ockle:state" on document, detail {servers, changed, runs, master, age_s,
// problem}. `changed` has the servers whose state or reason is another than before. Elements with data-state-of (a chip) and
// data-why-of (a text) are kept up to date here.

import { _ } from "./texts.js";

const root = document.documentElement;
const IDLE_MS = 3000, ACTIVE_MS = 1000, HIDDEN_MS = 15000, WORST_MS = 30000;
const OLD_S = 6, ANNOUNCE_MS = 5000;

let rev = root.dataset.rev || "", servers = null, failures = 0, timer = 0, running = false;
const news = new Map();
let announced = 0;

export function follow() {
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) soon(0);
  });
  document.addEventListener("ockle:look", () => soon(0)); // a page has just ordered something
  soon(0);
}

function soon(ms) {
  clearTimeout(timer);
  timer = setTimeout(poll, ms);
}

function pause() {
  if (failures) return Math.min(WORST_MS, 1000 * 2 ** failures);
  return document.hidden ? HIDDEN_MS : running ? ACTIVE_MS : IDLE_MS;
}

async function poll() {
  try {
    const query = servers ? `?since=${encodeURIComponent(rev)}` : "";
    const answer = await fetch(root.dataset.stateUrl + query, { signal: AbortSignal.timeout(10000) });
    if (answer.status === 401) {
      location.reload(); // the session has ended: the page leads to the login
      return;
    }
    if (!answer.ok) throw new Error(String(answer.status));
    take(await answer.json());
    failures = 0;
  } catch {
    failures += 1;
    if (failures > 1) connection(null, "lost");
  }
  soon(pause());
}

function take(reply) {
  connection(reply.age_s, reply.problem);
  if (reply.same) {
    tell({ servers, changed: {}, runs: null, master: null, age_s: reply.age_s, problem: reply.problem });
    return;
  }
  rev = reply.rev;
  running = reply.runs.length > 0;
  const before = servers || {}, changed = {};
  const after = reply.full ? reply.servers : { ...before, ...reply.servers };
  for (const [name, server] of Object.entries(reply.servers)) {
    const old = before[name];
    if (!old || old.state !== server.state || old.why !== server.why || old.run !== server.run) changed[name] = server;
    if (old && old.state !== server.state) news.set(name, _(server.word));
  }
  const first = servers === null;
  servers = after;
  for (const name of Object.keys(changed)) paint(name, changed[name]);
  if (!first) announce();
  badge(reply.alerts);
  tell({ ...reply, servers, changed });
}

// How many alerts are open, at their entry in the bar.
function badge(alerts) {
  const place = document.querySelector("[data-alert-badge]");
  if (!place) return;
  const count = alerts ? alerts.count : 0, words = alerts ? _("open, the worst: {}", _(alerts.word)) : "";
  place.hidden = !alerts;
  place.className = alerts ? `badge state-${alerts.style}` : "badge";
  place.querySelector(".glyph").textContent = alerts ? alerts.glyph : "";
  place.querySelector("[data-alert-count]").textContent = count || "";
  place.querySelector("[data-words]").textContent = ` ${words}`;
}

function tell(detail) {
  document.dispatchEvent(new CustomEvent("ockle:state", { detail }));
}

function paint(name, server) {
  const key = CSS.escape(name);
  for (const chip of document.querySelectorAll(`[data-state-of="${key}"]`)) {
    for (const style of [...chip.classList]) if (style.startsWith("state-")) chip.classList.remove(style);
    chip.classList.add(`state-${server.style}`);
    chip.querySelector(".glyph").textContent = server.glyph;
    chip.querySelector(".word").textContent = _(server.word);
  }
  for (const text of document.querySelectorAll(`[data-why-of="${key}"]`)) text.textContent = server.why;
}

function connection(age, problem) {
  const lost = Boolean(problem) || age === null || age > OLD_S;
  const sign = document.querySelector("[data-connection]");
  if (sign) {
    sign.classList.toggle("lost", lost);
    sign.classList.toggle("live", !lost);
    const text = lost ? _("no connection") : _("connected");
    const place = sign.querySelector("[data-connection-text]");
    if (place.textContent !== text) place.textContent = text;
  }
  const banner = document.querySelector("[data-lost]");
  if (!banner) return;
  if (lost && age !== null) {
    banner.querySelector("[data-lost-text]").textContent = _("What you see is {} s old. Nothing can be switched.", Math.round(age));
  }
  banner.hidden = !lost;
}

// What changed is read aloud at most every five seconds, all of it in one sentence.
function announce() {
  const wait = announced + ANNOUNCE_MS - performance.now();
  if (wait > 0) {
    setTimeout(announce, wait + 10);
    return;
  }
  if (!news.size) return;
  announced = performance.now();
  const parts = [...news].slice(0, 8).map(([name, word]) => `${name} ${word.toLowerCase()}`);
  if (news.size > 8) parts.push(_("and {} more", news.size - 8));
  news.clear();
  document.getElementById("announcer").textContent = parts.join("; ");
}
