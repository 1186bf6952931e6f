// The table of hosts: what is wrong in a row is said while one types, by the same rules as when it is saved, and further rows
// come without asking the server.

const form = document.getElementById("hosts");
const WAIT_MS = 400;

if (form && !form.querySelector("fieldset").disabled) start();

function start() {
  const body = form.querySelector("tbody");
  let timer = 0, asked = 0;

  async function check() {
    const mine = (asked += 1);
    try {
      const answer = await fetch(form.dataset.check, { method: "POST", body: new URLSearchParams(new FormData(form)) });
      if (!answer.ok || mine !== asked) return;
      show((await answer.json()).problems);
    } catch {
      // when it is saved it is checked once more
    }
  }

  function show(problems) {
    for (const row of body.querySelectorAll("[data-row]")) {
      const text = problems[row.dataset.row] ?? "", place = row.querySelector(".wrong");
      if (place.textContent !== text) place.textContent = text;
      for (const input of row.querySelectorAll("input:not([type])")) {
        if (text) input.setAttribute("aria-invalid", "true");
        else input.removeAttribute("aria-invalid");
      }
    }
  }

  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(check, WAIT_MS);
  });
  form.querySelector("[data-more]").addEventListener("click", (event) => {
    event.preventDefault();
    const rows = [...body.querySelectorAll("[data-row]")], last = rows.filter((row) => "new" in row.dataset).at(-1);
    if (!last) return;
    const fresh = last.cloneNode(true), old = last.dataset.row, id = `n${rows.length + 1}`;
    fresh.dataset.row = id;
    for (const one of fresh.querySelectorAll("*")) {
      for (const name of ["name", "id", "aria-describedby"]) {
        if (one.hasAttribute(name)) one.setAttribute(name, one.getAttribute(name).replace(new RegExp(`${old}$`), id));
      }
      if (one.getAttribute("name") === "row") one.value = id;
      else if (one instanceof HTMLInputElement) one.value = "";
      if (one.classList.contains("wrong")) one.textContent = "";
      if (one.hasAttribute("aria-label")) {
        one.setAttribute("aria-label", one.getAttribute("aria-label").replace(/\d+/, String(body.children.length + 1)));
      }
    }
    body.append(fresh);
    fresh.querySelector('[name^="mac,"]').focus();
  });
}
