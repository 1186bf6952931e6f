// Looking closer: wheel with Ctrl, buttons, + - 0, dragging. The sheet scrolls as everything else does.

import { place } from "./graph-place.js";

const STEP = 1.2, LEAST = 0.2, MOST = 3;
const DRAG_PX = 5;

export function startZoom(sheet) {
  const graph = sheet.querySelector("svg.graph");
  const width = Number(graph.getAttribute("width")), height = Number(graph.getAttribute("height"));
  const buttons = document.querySelector("[data-zoom]");
  let scale = 1;
  buttons.hidden = false;

  // `at`: the point of the sheet that stays where it is, from its upper left corner
  function zoom(wanted, at = { x: sheet.clientWidth / 2, y: sheet.clientHeight / 2 }) {
    const next = Math.min(MOST, Math.max(LEAST, wanted));
    const x = (sheet.scrollLeft + at.x) / scale, y = (sheet.scrollTop + at.y) / scale;
    scale = next;
    graph.setAttribute("width", width * scale);
    graph.setAttribute("height", height * scale);
    sheet.scrollLeft = x * scale - at.x;
    sheet.scrollTop = y * scale - at.y;
    buttons.querySelector('[data-zoom-by="0"]').textContent = `${Math.round(scale * 100)} %`;
  }

  buttons.addEventListener("click", (event) => {
    const by = event.target.closest("[data-zoom-by]")?.dataset.zoomBy;
    if (by === "fit") zoom(Math.min(1, sheet.clientWidth / width, sheet.clientHeight / height));
    else if (by) zoom(by === "0" ? 1 : scale * STEP ** Number(by));
  });
  sheet.addEventListener(
    "wheel",
    (event) => {
      if (!event.ctrlKey) return;
      event.preventDefault();
      const frame = sheet.getBoundingClientRect();
      zoom(scale * STEP ** (-event.deltaY / 100), { x: event.clientX - frame.left, y: event.clientY - frame.top });
    },
    { passive: false },
  );
  sheet.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const by = { "+": scale * STEP, "=": scale * STEP, "-": scale / STEP, 0: 1 }[event.key];
    if (by) zoom(by);
  });
  drag(sheet);
  begin(sheet, graph);
}

// Shows what is selected or filtered, else where the network begins: in a tall picture that is far below its upper edge.
function begin(sheet, graph) {
  const nodes = [...graph.querySelectorAll(".node")].map((node) => ({ node, at: place(node) }));
  const wanted = nodes.find(({ node }) => node.matches(".chosen")) || (graph.querySelector(".dim") && nodes.find(({ node }) => !node.matches(".dim")));
  const left = Math.min(...nodes.map(({ at }) => at.x));
  const first = nodes.filter(({ at }) => at.x === left).sort((one, other) => one.at.y - other.at.y)[0];
  if (!first) return;
  const { x, y } = (wanted || first).at;
  const room = { x: sheet.clientWidth - 240, y: sheet.clientHeight / 2 - 28 };
  sheet.scrollTop = y - room.y;
  sheet.scrollLeft = x - room.x;
}

// With the mouse only: a finger scrolls by itself. What was dragged is not clicked.
function drag(sheet) {
  let from = null, dragged = false;
  sheet.addEventListener("pointerdown", (event) => {
    dragged = false;
    if (event.pointerType !== "mouse" || event.button !== 0) return;
    const inside = event.offsetX < sheet.clientWidth || event.target !== sheet; // not on a scroll bar
    if (inside) from = { x: event.clientX, y: event.clientY, left: sheet.scrollLeft, top: sheet.scrollTop };
  });
  window.addEventListener("pointermove", (event) => {
    if (!from) return;
    const dx = event.clientX - from.x, dy = event.clientY - from.y;
    if (!dragged && Math.hypot(dx, dy) < DRAG_PX) return;
    dragged = true;
    sheet.classList.add("held");
    sheet.scrollLeft = from.left - dx;
    sheet.scrollTop = from.top - dy;
  });
  const end = () => {
    from = null;
    sheet.classList.remove("held");
  };
  window.addEventListener("pointerup", end);
  window.addEventListener("pointercancel", end);
  sheet.addEventListener("dragstart", (event) => event.preventDefault()); // boxes are links, which browsers drag away
  sheet.addEventListener(
    "click",
    (event) => {
      if (!dragged) return;
      dragged = false;
      event.preventDefault();
      event.stopPropagation();
    },
    true,
  );
}
