// The runs under way, in the bar of every page; the list is redrawn only when its text is another.

import { _ } from "./texts.js";

const TITLES = { on: _("Power-up"), off: _("Shutdown"), restart: _("Restart"), cut: _("Cut of power") };

export function followRuns() {
  const list = document.querySelector("[data-runs-now]");
  if (list) document.addEventListener("ockle:state", ({ detail }) => detail.runs && show(list, detail.runs));
}

function show(list, runs) {
  const texts = runs.map(text);
  const links = [...list.querySelectorAll("a")];
  if (links.length === runs.length && links.every((link, place) => link.href.endsWith(`/${runs[place].id}`))) {
    links.forEach((link, place) => {
      if (link.textContent !== texts[place]) link.textContent = texts[place];
    });
  } else {
    list.replaceChildren(...runs.map((run, place) => entry(list.dataset.runUrl, run, texts[place])));
  }
  list.hidden = runs.length === 0;
}

function entry(url, run, words) {
  const item = document.createElement("li"), link = document.createElement("a");
  link.href = `${url}/${run.id}`;
  link.textContent = words;
  item.append(link);
  return item;
}

function text(run) {
  const title = TITLES[run.action] || run.action;
  if (!run.begun) return _("{} is about to begin", title);
  return _("{} {}/{}, {} left", title, run.done + run.failed + run.skipped, run.total, clock(run.eta_s || 0));
}

function clock(seconds) {
  const whole = Math.round(seconds), minutes = Math.floor(whole / 60), two = (value) => String(value).padStart(2, "0");
  return minutes < 60 ? `${minutes}:${two(whole % 60)}` : `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(whole % 60)}`;
}
