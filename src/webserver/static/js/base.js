// What every page does: follows the states, switches the theme, listens to a few keys.

import { follow } from "./live.js";
import { followRuns } from "./runs_now.js";
import { startKeys } from "./keys.js";
import { startTheme } from "./theme.js";

startTheme();
startKeys();
followRuns();
if (document.querySelector(".top nav")) follow();
