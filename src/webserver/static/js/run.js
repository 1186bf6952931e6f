// Keeps the page of a run up to date: fetches its changing part each second until the run has ended. What has the focus, or
// is scrolled, stays where it is; nothing is replaced while the pointer is on a button.

const place = document.getElementById("run");
const EVERY_MS = 1000, WORST_MS = 15000;
let failures = 0;

function running() {
  return place.querySelector("[data-run-state]")?.dataset.runState === "running";
}

async function look() {
  try {
    const answer = await fetch(place.dataset.live, { signal: AbortSignal.timeout(10000) });
    if (!answer.ok) throw new Error(String(answer.status));
    show(await answer.text());
    failures = 0;
  } catch {
    failures += 1; // the banner of every page says that the daemon is not heard
  }
  if (running()) setTimeout(look, Math.min(WORST_MS, EVERY_MS * 2 ** failures));
}

function show(text) {
  if (place.querySelector("button:hover, a.button:hover, button:active")) return;
  const focus = document.activeElement, kept = place.contains(focus) ? focus.textContent : null;
  const scrolled = place.querySelector(".chart")?.scrollLeft ?? 0;
  const fresh = new DOMParser().parseFromString(text, "text/html").body;
  place.replaceChildren(...fresh.childNodes);
  const chart = place.querySelector(".chart");
  if (chart) chart.scrollLeft = scrolled;
  if (kept !== null) [...place.querySelectorAll("button, a")].find((one) => one.textContent === kept)?.focus();
}

if (place && running()) setTimeout(look, EVERY_MS);
