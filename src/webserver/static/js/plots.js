// A crosshair for plots: pointer or arrow keys choose a moment, the line under the plot says the values there. The numbers
// are fetched when they are wanted first.

const LETTERS = "ABC";

for (const figure of document.querySelectorAll("[data-plot]")) watch(figure);

function watch(figure) {
  let lines = null, loading = null, at = null;
  const names = JSON.parse(figure.dataset.names);
  const reading = figure.querySelector("[data-reading]");

  for (const svg of figure.querySelectorAll("svg")) {
    const left = Number(svg.dataset.left), right = Number(svg.dataset.right);
    const since = Number(svg.dataset.since), until = Number(svg.dataset.until);
    const toX = (time) => left + ((right - left) * (time - since)) / (until - since);
    const mark = svg.querySelector(".crosshair");

    const show = async (time) => {
      at = Math.min(Math.max(time, since), until);
      const x = toX(at);
      mark.setAttribute("transform", `translate(${x.toFixed(1)} 0)`);
      mark.setAttribute("visibility", "visible");
      await load();
      if (lines) reading.textContent = read(at, (until - since) / 200);
    };
    svg.addEventListener("pointermove", (event) => {
      const box = svg.getBoundingClientRect();
      const x = ((event.clientX - box.left) / box.width) * svg.viewBox.baseVal.width;
      if (x >= left && x <= right) show(since + ((x - left) / (right - left)) * (until - since));
    });
    svg.addEventListener("pointerleave", () => hide(mark));
    svg.tabIndex = 0;
    svg.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10 }[event.key];
      if (!step) return;
      event.preventDefault();
      show((at ?? until) + (step * (until - since)) / 100);
    });
    svg.addEventListener("blur", () => hide(mark));
  }

  function hide(mark) {
    mark.setAttribute("visibility", "hidden");
    reading.textContent = "";
  }

  function load() {
    loading ??= fetch(figure.dataset.plot, { signal: AbortSignal.timeout(15000) })
      .then((answer) => (answer.ok ? answer.json() : Promise.reject(new Error(String(answer.status)))))
      .then((reply) => { lines = pick(reply.series); })
      .catch(() => { loading = null; }); // the next move tries again
    return loading;
  }

  function pick(series) {
    return names.map((name) => {
      const mine = series.filter((one) => [one.object, one.server].includes(name));
      const best = mine.find((one) => one.kind === "server") || mine[0] || (names.length === 1 ? series[0] : null);
      return best && { unit: best.unit, points: best.segments.flat() };
    });
  }

  function read(time, near) {
    const texts = [new Date(time * 1000).toLocaleString()];
    names.forEach((name, number) => {
      const line = lines[number];
      const found = line && nearest(line.points, time);
      const there = found && found[0] - near <= time && time <= found[1] + near;
      texts.push(`${LETTERS[number]} ${name}: ${there ? value(found, line.unit) : "–"}`);
    });
    return texts.join(" · ");
  }
}

function nearest(points, time) {
  let low = 0, high = points.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (points[middle][1] < time) low = middle + 1;
    else high = middle;
  }
  const here = points[low], before = points[low - 1];
  return before && Math.abs(before[1] - time) < Math.abs(here[0] - time) ? before : here;
}

function value([, , low, high, mean], unit) {
  const round = (number) => Number(number.toPrecision(4));
  const spread = round(low) === round(high) ? "" : ` (${round(low)} – ${round(high)})`;
  return `${round(mean)} ${unit}${spread}`;
}
