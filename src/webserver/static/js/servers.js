// The list of servers: filters while one types, and keeps the choice to what is shown. A choice never outlives the filter
// under which it was made: who cannot see a server cannot switch it.

const form = document.getElementById("bulk");
const search = document.getElementById("q");

if (form) start();

function start() {
  const rows = [...form.querySelectorAll("tbody tr")];
  const boxes = rows.map((row) => row.querySelector('input[name="server"]'));
  const all = form.querySelector("[data-all]"), chosen = form.querySelector("[data-chosen]");
  const label = chosen.textContent;
  const buttons = [...form.querySelectorAll(".chosen button")];

  function shown(row) {
    return !row.hidden;
  }

  function tell() {
    const count = boxes.filter((box) => box.checked).length, visible = rows.filter(shown).length;
    rows.forEach((row, place) => row.classList.toggle("picked", boxes[place].checked));
    all.checked = count > 0 && count === visible;
    all.indeterminate = count > 0 && count < visible;
    chosen.textContent = count ? `${label} ${count}` : label;
    chosen.parentElement.classList.toggle("some", count > 0);
    for (const button of buttons) button.disabled = count === 0;
  }

  function clear() {
    for (const box of boxes) box.checked = false;
    tell();
  }

  all.hidden = false;
  all.addEventListener("change", () => {
    rows.forEach((row, place) => (boxes[place].checked = all.checked && shown(row)));
    tell();
  });
  form.addEventListener("change", tell);
  search.addEventListener("input", () => {
    const text = search.value.trim().toLowerCase();
    for (const row of rows) row.hidden = !row.dataset.words.includes(text);
    clear();
  });
  document.addEventListener("ockle:state", ({ detail }) => {
    for (const [name, server] of Object.entries(detail.changed || {})) {
      const cell = form.querySelector(`[data-power-of="${CSS.escape(name)}"]`);
      if (cell) cell.textContent = server.power_w === null ? "–" : `${server.power_w.toFixed(server.power_w < 10 ? 1 : 0)} W`;
    }
  });
  clear(); // a browser may bring back the boxes of the last visit
}
