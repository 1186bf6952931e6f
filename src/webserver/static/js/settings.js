// What makes the settings' forms quicker; without it every one of them works by its buttons.

const WAIT_MS = 250;

// Lists in an order: dragging, and the buttons without asking the server.
function startOrder(list) {
  let dragged = null;
  list.addEventListener("dragstart", (event) => {
    dragged = event.target.closest("li");
    dragged?.classList.add("dragged");
    event.dataTransfer.effectAllowed = "move";
  });
  list.addEventListener("dragover", (event) => {
    const over = event.target.closest("li");
    if (!dragged || !over || over === dragged || over.parentElement !== list) return;
    event.preventDefault();
    const { top, height } = over.getBoundingClientRect();
    over[event.clientY < top + height / 2 ? "before" : "after"](dragged);
  });
  list.addEventListener("drop", (event) => event.preventDefault());
  list.addEventListener("dragend", () => {
    dragged?.classList.remove("dragged");
    if (dragged) list.dispatchEvent(new CustomEvent("ockle:moved", { detail: dragged }));
    dragged = null;
    mark(list);
  });
}

function mark(list) {
  const buttons = [...list.querySelectorAll("button[name=move]")];
  buttons.forEach((button, at) => { button.disabled = at === 0 || at === buttons.length - 1; });
}

for (const list of document.querySelectorAll("[data-ordered]")) {
  startOrder(list);
  list.addEventListener("click", (event) => {
    const button = event.target.closest("button[name=move]");
    if (!button) return;
    event.preventDefault();
    const row = button.closest("li");
    if (button.value.startsWith("up,")) row.previousElementSibling?.before(row);
    else row.nextElementSibling?.after(row);
    mark(list);
    (button.disabled ? row.querySelector("button[name=move]:not(:disabled)") : button)?.focus();
  });
}

// Parts of a server: dropped at its new place, it is moved at once.
for (const list of document.querySelectorAll("[data-parts]")) {
  startOrder(list);
  list.addEventListener("ockle:moved", async ({ detail: row }) => {
    const form = new FormData();
    form.set("csrf_token", row.querySelector("[name=csrf_token]").value);
    form.set("way", String([...list.children].indexOf(row)));
    await fetch(row.dataset.moveUrl, { method: "POST", body: form, redirect: "follow" });
    location.reload();
  });
}

// A link to something folded opens it.
function unfold() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target instanceof HTMLDetailsElement) target.open = true;
}
addEventListener("hashchange", unfold);
unfold();

// Long lists: show only what contains the words.
for (const input of document.querySelectorAll("[data-choice-filter]")) {
  input.closest("[hidden]").hidden = false;
  input.addEventListener("input", () => {
    const words = input.value.toLowerCase();
    for (const row of input.closest("fieldset").querySelectorAll("li")) {
      row.hidden = !row.textContent.toLowerCase().includes(words) && !row.querySelector(":checked");
    }
  });
  input.addEventListener("keydown", (event) => { if (event.key === "Enter") event.preventDefault(); });
}

// Names: told while typing that there is one already.
for (const input of document.querySelectorAll("[data-name-check]")) {
  const error = input.parentElement.querySelector("[role=status]");
  let timer = 0;
  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(async () => {
      const name = input.value.trim();
      if (!name || name.toLowerCase() === input.dataset.ownName?.toLowerCase()) {
        error.textContent = "";
        return;
      }
      try {
        const answer = await fetch(`${input.dataset.nameCheck}?${new URLSearchParams({ name })}`);
        const { text } = await answer.json();
        if (input.value.trim() === name) error.textContent = text;
      } catch {
        error.textContent = ""; // the daemon decides when it is saved
      }
    }, WAIT_MS);
  });
}

// Forms with changes that are not saved: ask before they are lost.
for (const form of document.querySelectorAll("form[novalidate]")) {
  let changed = false;
  form.addEventListener("input", () => { changed = true; });
  form.addEventListener("submit", () => { changed = false; });
  addEventListener("beforeunload", (event) => { if (changed) event.preventDefault(); });
}
