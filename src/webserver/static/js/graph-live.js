// Keeps boxes, counts and rows up to date. Nothing moves: positions depend on who needs whom, and that comes with the page.

import { _ } from "./texts.js";

// Groups, in the order in which they ask for attention, and in which they are listed; as counts.py has them.
const WORST = ["failed", "unknown", "switching", "forced", "off", "on"];
const LISTED = ["on", "switching", "failed", "forced", "off", "unknown"];

export function startLive(sheet) {
  const graph = sheet.querySelector("svg.graph");
  const room = Number(sheet.dataset.room);
  const filter = document.querySelector("[data-filter]").dataset.filter;
  const known = new Set([...document.querySelectorAll("[data-row]")].map((row) => row.dataset.row));
  document.addEventListener("ockle:state", ({ detail }) => {
    if (!detail.servers) return;
    if (detail.master) {
      for (const place of document.querySelectorAll("[data-master]")) place.textContent = _(detail.master);
    }
    if (detail.topology) document.querySelector("[data-outdated]").hidden = detail.topology === sheet.dataset.topology;
    const changed = Object.keys(detail.changed);
    if (!changed.length) return;
    for (const name of changed) paint(graph, name, detail.servers[name], room, filter);
    for (const node of graph.querySelectorAll("[data-members]")) stack(node, detail.servers, room, filter);
    count(detail.servers);
    if (filter) for (const name of changed) row(name, detail.servers[name], filter, known);
  });
}

// live.js has written glyph, word and colour already.
function paint(graph, name, server, room, filter) {
  const node = graph.querySelector(`.node[data-state-of="${CSS.escape(name)}"]`);
  if (!node) return;
  node.classList.toggle("lifted", Boolean(server.why));
  node.classList.toggle("dim", Boolean(filter) && server.group !== filter);
  write(node, ".word", cut(_(server.word), room));
  write(node, ".why", cut(server.why, room));
}

function stack(node, servers, room, filter) {
  const members = JSON.parse(node.dataset.members).map((name) => servers[name]).filter(Boolean);
  if (!members.length) return;
  const worst = members.reduce((one, other) => (WORST.indexOf(other.group) < WORST.indexOf(one.group) ? other : one));
  for (const style of [...node.classList]) if (style.startsWith("state-")) node.classList.remove(style);
  node.classList.add(`state-${worst.style}`);
  node.classList.toggle("dim", Boolean(filter) && !members.some((one) => one.group === filter));
  write(node, ".glyph", worst.glyph);
  const words = LISTED.map((group) => [members.filter((one) => one.group === group).length, group]);
  write(node, ".word", cut(words.filter(([number]) => number).map(([number, group]) => `${number} ${_(group)}`).join(", "), room));
}

function count(servers) {
  const groups = Object.values(servers).map((server) => server.group);
  for (const item of document.querySelectorAll("[data-count]")) {
    const number = groups.filter((group) => group === item.dataset.count).length;
    write(item, "[data-number]", String(number));
    item.hidden = !number && !item.querySelector("[aria-current]");
  }
}

// A row that no longer belongs to what is filtered goes, but not from under somebody's hand.
function row(name, server, filter, known) {
  if (!known.has(name)) return;
  const found = document.querySelector(`[data-row="${CSS.escape(name)}"]`);
  if (!found.closest("table").matches(":hover, :focus-within")) found.hidden = server.group !== filter;
}

function write(parent, which, text) {
  const place = parent.querySelector(which);
  if (place.textContent !== text) place.textContent = text;
}

// As words.py cuts it, but that wide letters count as one: what is too long by that is cut when the page is next loaded.
function cut(text, room) {
  const letters = [...text];
  return letters.length <= room ? text : `${letters.slice(0, room - 1).join("").trimEnd()}…`;
}
