// Keys that work on every page: / finds a server, g and a letter goes to a section, ? lists them, Esc closes menus. What a
// page has with data-key is pressed by that key, unless the picture of the network has taken it for the box in focus.

const SECTIONS = { n: 0, s: 1, r: 2, a: 3, h: 4 };
const WAIT_MS = 1500;

function writing(target) {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}

export function startKeys() {
  let goUntil = 0;
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.defaultPrevented) return;
    if (event.key === "Escape") {
      for (const menu of document.querySelectorAll("details.menu[open]")) menu.open = false;
      return;
    }
    if (writing(event.target) || document.querySelector("dialog[open]")) return;
    if (event.key === "/") {
      const search = document.getElementById("search");
      if (search) {
        event.preventDefault();
        search.focus();
      }
    } else if (event.key === "?") {
      document.getElementById("keys")?.showModal();
    } else if (event.key === "g") {
      goUntil = performance.now() + WAIT_MS;
    } else if (performance.now() < goUntil && event.key in SECTIONS) {
      goUntil = 0;
      const link = document.querySelectorAll(".top nav a")[SECTIONS[event.key]];
      if (link) link.click();
    } else if (/^[a-z]$/.test(event.key)) {
      document.querySelector(`[data-key="${event.key}"]`)?.click();
    }
  });
  // a click elsewhere closes an open menu
  document.addEventListener("click", (event) => {
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      if (!menu.contains(event.target)) menu.open = false;
    }
  });
}
