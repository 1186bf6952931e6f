// Light, dark, or as the system has it; remembered in this browser only.

import { _ } from "./texts.js";

const NAMES = ["system", "light", "dark"];
const KEY = "ockle-theme";

function stored() {
  try {
    const name = localStorage.getItem(KEY);
    return NAMES.includes(name) ? name : "system";
  } catch {
    return "system"; // a browser that keeps nothing
  }
}

function show(name) {
  if (name === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = name;
}

export function startTheme() {
  show(stored());
  const button = document.querySelector("[data-theme-switch]");
  if (!button) return;
  const label = button.textContent;
  const name = (theme) => `${label}: ${_(theme)}`;
  button.hidden = false;
  button.textContent = name(stored());
  button.addEventListener("click", () => {
    const next = NAMES[(NAMES.indexOf(stored()) + 1) % NAMES.length];
    try {
      localStorage.setItem(KEY, next);
    } catch {
      // it holds for this page
    }
    show(next);
    button.textContent = name(next);
  });
}
