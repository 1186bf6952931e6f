// The netboot pages keep themselves up to date. A table that was longer keeps its room, so that what is below stays put; the
// console of a board stays at its end while one looks at the end.

import { followParts } from "./parts.js";

const root = document.querySelector("[data-parts]");

if (root) {
  const console_ = root.querySelector(".console");
  let atEnd = true;
  if (console_) {
    console_.scrollTop = console_.scrollHeight;
    console_.addEventListener("scroll", () => {
      atEnd = console_.scrollTop + console_.clientHeight >= console_.scrollHeight - 8;
    });
  }
  const tables = [...root.querySelectorAll("[data-room]")];
  keepRoom(tables);
  followParts(root, () => {
    if (console_ && atEnd) console_.scrollTop = console_.scrollHeight;
    keepRoom(tables);
  });
}

function keepRoom(tables) {
  for (const one of tables) {
    const height = one.getBoundingClientRect().height;
    if (height > (parseFloat(one.style.minHeight) || 0)) one.style.minHeight = `${height}px`;
  }
}
