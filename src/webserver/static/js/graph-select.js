// Selects a server without loading the page anew: the panel is fetched, and what it needs and what needs it is stressed.

const WAIT_MS = 10000;

// Returns select(link): link is an element whose address has the view with the new selection. It resolves when the panel
// shows it. What the panel tells is fetched again when its server changes, but not while somebody is in it.
export function startSelection(sheet) {
  const panel = document.querySelector("[data-panel]");
  const graph = sheet.querySelector("svg.graph");
  let latest = 0;

  async function show(address) {
    const query = new URL(address, location.href).search;
    const name = new URLSearchParams(query).get("select") || "";
    const turn = ++latest;
    stress(graph, name);
    panel.classList.toggle("idle", !name);
    panel.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(sheet.dataset.panelUrl + query, { signal: AbortSignal.timeout(WAIT_MS), redirect: "error" });
      if (!answer.ok) throw new Error(String(answer.status));
      const found = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (turn !== latest) return; // another one was selected meanwhile
      panel.replaceChildren(...found.body.childNodes);
    } catch {
      if (turn === latest) location.assign(address); // the whole page says what is wrong
    } finally {
      if (turn === latest) panel.removeAttribute("aria-busy");
    }
  }

  async function select(link) {
    const address = link.getAttribute("href");
    history.pushState(null, "", address);
    readdress(address);
    await show(address);
  }

  document.addEventListener("click", (event) => {
    if (event.button || event.ctrlKey || event.shiftKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    const link = event.target.closest("a.node, a[data-select]");
    // where the picture goes with the selection, and on a phone, where the panel stands above the list: another page
    if (!link || "follows" in sheet.dataset || matchMedia("(max-width: 46rem)").matches) return;
    event.preventDefault();
    select(link);
  });
  let first = true; // in which everything has changed, of which the page is as new
  document.addEventListener("ockle:state", ({ detail }) => {
    if (first) {
      first = false;
      return;
    }
    const name = new URLSearchParams(location.search).get("select");
    if (name in detail.changed && !panel.matches(":hover, :focus-within")) show(location.href);
  });
  window.addEventListener("popstate", () => {
    readdress(location.href);
    show(location.href);
  });
  return select;
}

// Filters and views keep what is selected now.
function readdress(address) {
  const name = new URL(address, location.href).searchParams.get("select");
  for (const link of document.querySelectorAll(".heading a.chip, #table h2 a, .picture .toolbar a[href*='?'], .picture .toolbar a[download]")) {
    const url = new URL(link.getAttribute("href"), location.href);
    if (name) url.searchParams.set("select", name);
    else url.searchParams.delete("select");
    link.setAttribute("href", url.pathname + url.search + url.hash);
  }
}

// Marks the box that shows a server, and everything that it needs or that needs it, over any number of steps.
export function stress(graph, name) {
  const chosen = boxOf(graph, name);
  const near = chosen ? related(graph, chosen.dataset.name) : new Set();
  graph.classList.toggle("chosen-one", Boolean(chosen));
  for (const node of graph.querySelectorAll(".node")) {
    node.classList.toggle("chosen", node === chosen);
    if (node === chosen) node.setAttribute("aria-current", "true");
    else node.removeAttribute("aria-current");
    node.classList.toggle("near", near.has(node.dataset.name));
  }
  for (const edge of graph.querySelectorAll(".edge")) {
    edge.classList.toggle("near", near.has(edge.dataset.from) && near.has(edge.dataset.to));
  }
  for (const row of document.querySelectorAll("[data-row]")) row.classList.toggle("chosen", row.dataset.row === name);
}

export function boxOf(graph, name) {
  if (!name) return null;
  return (
    graph.querySelector(`.node[data-name="${CSS.escape(name)}"]`) ||
    [...graph.querySelectorAll(".node[data-members]")].find((node) => JSON.parse(node.dataset.members).includes(name)) ||
    null
  );
}

function related(graph, name) {
  const needs = new Map(), neededBy = new Map();
  for (const { dataset, classList } of graph.querySelectorAll(".edge")) {
    if (classList.contains("mate")) continue;
    add(needs, dataset.to, dataset.from);
    add(neededBy, dataset.from, dataset.to);
  }
  return new Set([...reach(name, needs), ...reach(name, neededBy)]);
}

function add(lists, key, value) {
  if (!lists.has(key)) lists.set(key, []);
  lists.get(key).push(value);
}

function reach(name, onward) {
  const found = new Set([name]);
  for (const one of found) for (const other of onward.get(one) || []) found.add(other); // a set grows while it is walked
  return found;
}
