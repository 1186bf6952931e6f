// The picture is one stop of the Tab key; inside it the arrows walk along the lines and up and down the columns.

import { place } from "./graph-place.js";

export function startKeys(sheet, select) {
  const graph = sheet.querySelector("svg.graph");
  const nodes = [...graph.querySelectorAll("a.node")];
  if (!nodes.length) return;
  const places = new Map(nodes.map((node) => [node, place(node)]));
  let current = nodes.find((node) => node.classList.contains("chosen")) || nodes[0];
  for (const node of nodes) node.setAttribute("tabindex", node === current ? "0" : "-1");

  function goTo(node) {
    if (!node) return;
    current.setAttribute("tabindex", "-1");
    current = node;
    current.setAttribute("tabindex", "0");
    current.focus({ preventScroll: true });
    current.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  graph.addEventListener("focusin", (event) => {
    const node = event.target.closest("a.node");
    if (!node || node === current) return;
    current.setAttribute("tabindex", "-1");
    current = node;
    current.setAttribute("tabindex", "0");
  });

  graph.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const node = event.target.closest("a.node");
    if (!node) return;
    const steps = {
      ArrowRight: () => goTo(nearest(along(graph, node, "from", "to"), node, places)),
      ArrowLeft: () => goTo(nearest(along(graph, node, "to", "from"), node, places)),
      ArrowDown: () => goTo(inColumn(nodes, node, places, 1)),
      ArrowUp: () => goTo(inColumn(nodes, node, places, -1)),
      Home: () => goTo(nodes[0]),
      End: () => goTo(nodes.at(-1)),
      " ": () => ("follows" in sheet.dataset ? location.assign(node.getAttribute("href")) : select(node)),
      Enter: () => press(node, select, "[data-open]"),
      o: () => press(node, select, '[data-key="o"]'),
      x: () => press(node, select, '[data-key="x"]'),
      t: () => press(node, select, '[data-key="t"]'),
    };
    const step = steps[event.key];
    if (!step) return;
    event.preventDefault();
    step();
  });

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !graph.classList.contains("chosen-one")) return;
    if (event.target.closest("input, select, textarea, dialog, details")) return; // something else is to be left
    const url = new URL(location.href);
    url.searchParams.delete("select");
    const nothing = document.createElement("a");
    nothing.setAttribute("href", url.pathname + url.search);
    select(nothing);
  });
}

// Follows a link of the panel, or presses a button, once the panel tells of this box.
async function press(node, select, which) {
  await select(node);
  document.querySelector(`[data-panel] ${which}`)?.click();
}

function along(graph, node, near, far) {
  const name = CSS.escape(node.dataset.name);
  return [...graph.querySelectorAll(`.edge:not(.mate)[data-${near}="${name}"]`)].map((edge) =>
    graph.querySelector(`.node[data-name="${CSS.escape(edge.dataset[far])}"]`),
  );
}

function nearest(found, node, places) {
  const { x, y } = places.get(node);
  const away = (other) => Math.abs(places.get(other).x - x) + 2 * Math.abs(places.get(other).y - y);
  return found.sort((one, other) => away(one) - away(other))[0];
}

function inColumn(nodes, node, places, way) {
  const { x, y } = places.get(node);
  const down = (other) => (places.get(other).y - y) * way;
  return nodes
    .filter((other) => places.get(other).x === x && down(other) > 0)
    .sort((one, other) => down(one) - down(other))[0];
}
