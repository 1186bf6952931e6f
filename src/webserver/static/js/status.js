// The wall view: takes a fresh copy of its own page every five seconds, and says so when there is none.

const EVERY_MS = 5000;

async function renew() {
  const lost = document.getElementById("lost");
  try {
    const answer = await fetch(location.href, { signal: AbortSignal.timeout(10000), cache: "no-store" });
    if (!answer.ok) throw new Error(String(answer.status));
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    document.getElementById("wall").replaceWith(page.getElementById("wall"));
    lost.hidden = true;
  } catch {
    lost.hidden = false;
  }
  setTimeout(renew, EVERY_MS);
}

setTimeout(renew, EVERY_MS);
