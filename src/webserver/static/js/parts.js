// Keeps parts of a page up to date: asks the page's own address for what has changed since its revision, and puts only that
// in place. An element with data-key is such a part; those of a list stand in an element with data-list. Rows keep their
// places, and nothing under the pointer or with the focus in it is replaced, so nothing jumps. What changes is read aloud by
// its data-say; so is what is new in a list with data-say-new.

const BUSY_MS = 1000, IDLE_MS = 3000, HIDDEN_MS = 15000, WORST_MS = 30000, SAY_MS = 5000;

export function followParts(root, taken = () => {}) {
  let rev = root.dataset.rev, failures = 0, timer = 0, said = 0;
  const news = new Map();

  function soon(ms) {
    clearTimeout(timer);
    timer = setTimeout(poll, ms);
  }

  async function poll() {
    let pause = IDLE_MS;
    try {
      const url = `${root.dataset.parts}?since=${encodeURIComponent(rev)}`;
      const answer = await fetch(url, { signal: AbortSignal.timeout(10000) });
      if (!answer.ok) throw new Error(String(answer.status));
      const reply = await answer.json();
      failures = 0;
      if (!reply.same && take(reply)) rev = reply.rev;
      if (!reply.same) pause = BUSY_MS;
    } catch {
      failures += 1; // the banner of every page says that the daemon is not heard
      pause = Math.min(WORST_MS, BUSY_MS * 2 ** failures);
    }
    soon(document.hidden ? HIDDEN_MS : pause);
  }

  // Puts the changes in place; false when one had to wait, so that it is asked for again.
  function take(reply) {
    let all = true;
    const fresh = new Map();
    for (const [key, html] of Object.entries(reply.html)) fresh.set(key, element(html));
    for (const [key, one] of fresh) {
      const old = find(key);
      if (old) all = replace(old, one) && all;
    }
    for (const [name, keys] of Object.entries(reply.lists)) {
      const list = root.querySelector(`[data-list="${name}"]`);
      if (list) all = arrange(list, keys, fresh) && all;
      for (const one of root.querySelectorAll(`[data-empty="${name}"]`)) one.hidden = keys.length > 0;
      for (const one of root.querySelectorAll(`[data-full="${name}"]`)) one.hidden = keys.length === 0;
    }
    taken(reply);
    announce();
    return all;
  }

  function arrange(list, keys, fresh) {
    const busy = list.matches(":hover") || list.contains(document.activeElement);
    const known = new Map([...list.children].map((row) => [row.dataset.key, row]));
    const wanted = new Set(keys);
    let all = true;
    for (const [key, row] of known) {
      if (wanted.has(key)) continue;
      if (busy) all = false;
      else row.remove();
    }
    let before = null;
    for (const key of keys) {
      const old = known.get(key), row = old || fresh.get(key);
      if (!row) return false;
      if (!old && list.matches("[data-say-new]") && row.dataset.say) news.set(key, row.dataset.say);
      if (!old || !busy) {
        const place = before ? before.nextElementSibling : list.firstElementChild;
        if (place !== row) list.insertBefore(row, place);
      }
      before = row;
    }
    return all;
  }

  // A row is changed cell by cell, so that a link in it keeps its focus; false when a cell had to wait.
  function replace(old, one) {
    let whole = true;
    keepFolds(old, one);
    if (one.dataset.say && old.dataset.say !== one.dataset.say) news.set(old.dataset.key, one.dataset.say);
    if (old.innerHTML !== one.innerHTML) {
      if (old.children.length && old.children.length === one.children.length && old.matches("tr")) {
        const cells = [...one.children];
        for (const [place, cell] of [...old.children].entries()) {
          if (cell.innerHTML === cells[place].innerHTML) continue;
          if (held(cell)) whole = false;
          else cell.replaceChildren(...cells[place].childNodes);
        }
      } else if (held(old)) {
        return false;
      } else {
        old.replaceChildren(...one.childNodes);
      }
    }
    for (const { name, value } of one.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
    return whole;
  }

  function held(place) {
    return place.contains(document.activeElement) || place.querySelector("a:hover, button:hover") !== null;
  }

  function find(key) {
    return root.querySelector(`[data-key="${CSS.escape(key)}"]`);
  }

  // What changed is read aloud at most every five seconds, all of it in one sentence.
  function announce() {
    if (!news.size) return;
    const wait = said + SAY_MS - performance.now();
    if (said && wait > 0) {
      setTimeout(announce, wait + 10);
      return;
    }
    said = performance.now();
    document.getElementById("announcer").textContent = [...news.values()].slice(0, 8).join("; ");
    news.clear();
  }

  document.addEventListener("visibilitychange", () => { if (!document.hidden) soon(0); });
  soon(BUSY_MS);
}

// What somebody has folded out stays so.
function keepFolds(old, one) {
  for (const fold of old.querySelectorAll("details[open][data-fold]")) {
    const same = one.querySelector(`details[data-fold="${CSS.escape(fold.dataset.fold)}"]`);
    if (same) same.open = true;
  }
}

function element(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  return template.content.firstElementChild;
}
