// The network page: selecting, moving by keys, the states as they come, and looking closer.

import { startKeys } from "./graph-keys.js";
import { startLive } from "./graph-live.js";
import { startSelection } from "./graph-select.js";
import { startZoom } from "./graph-zoom.js";

const sheet = document.querySelector("[data-sheet]");
if (sheet) {
  const select = startSelection(sheet);
  startZoom(sheet);
  startKeys(sheet, select);
  startLive(sheet);
}
