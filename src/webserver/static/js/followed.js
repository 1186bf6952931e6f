// A page whose parts keep themselves up to date, and that does nothing else.

import { followParts } from "./parts.js";

const root = document.querySelector("[data-parts]");
if (root) followParts(root);
