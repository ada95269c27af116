(() => {
  "use strict";
  const body = document.body;
  const ahead = Date.parse(body.dataset.now) - Date.now();
  const now = () => Date.now() + ahead;

  // Times ---------------------------------------------------------------------------------------------------------
  const span = (seconds) => {
    const s = Math.max(0, Math.floor(seconds));
    if (s < 60) return `${s} s`;
    if (s < 3600) return `${Math.floor(s / 60)} min ${s % 60} s`;
    return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
  };
  const ago = (seconds) => {
    const s = Math.floor(seconds);
    if (s < 10) return "just now";
    for (const [size, word] of [[86400, "day"], [3600, "hour"], [60, "minute"], [1, "second"]]) {
      const n = Math.floor(s / size);
      if (n >= 1) return `${n} ${word}${n > 1 ? "s" : ""} ago`;
    }
  };
  const write = (element, text) => { if (element.textContent !== text) element.textContent = text; };
  const tick = () => {
    for (const one of document.querySelectorAll("[data-since]")) write(one, span((now() - Date.parse(one.dataset.since)) / 1000));
    for (const one of document.querySelectorAll("time[data-ago]")) {
      const seconds = (now() - Date.parse(one.dateTime)) / 1000;
      if (seconds < 14 * 86400) write(one, ago(seconds));
    }
  };

  // Dialogs: the button that opens one is away while it is open, so that its name is there once. --------------------
  const open = (dialog) => {
    const opener = document.querySelector(`[data-opens="${dialog.id}"]`);
    dialog.removeAttribute("open"); // as the server may have sent it; close() would tell of an end
    dialog.showModal();
    if (opener) opener.hidden = true;
    dialog.addEventListener("close", () => { if (opener) { opener.hidden = false; opener.focus(); } }, { once: true });
  };
  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-opens]");
    const dialog = opener && document.getElementById(opener.dataset.opens);
    if (dialog) { event.preventDefault(); open(dialog); }
    const closer = event.target.closest("[data-closes]");
    if (closer) { event.preventDefault(); closer.closest("dialog").close(); }
    const summary = event.target.closest("summary");
    const fold = summary?.parentElement;
    if (fold?.id) folded.set(fold.id, !fold.open);
    if (fold?.dataset.show && !fold.open) { // what is unfolded for the first time is asked for, and stays in the address
      const url = new URL(location.href);
      url.searchParams.append("show", fold.dataset.show);
      history.replaceState(null, "", url);
      look();
    }
  });
  document.addEventListener("change", (event) => {
    const field = event.target.closest("[data-reload]");
    if (field && field.value !== field.dataset.reload) {
      const url = new URL(location.href);
      url.searchParams.set(field.name, field.value);
      url.searchParams.set("dialog", "open");
      location.assign(url);
    }
    const filter = event.target.closest("form[data-filter]");
    if (filter) filter.requestSubmit();
  });

  // News: the page is fetched again, and the regions of it that have changed are put in place. ----------------------
  const folded = new Map();
  const shown = new Map();
  const regions = (root) => [...root.querySelectorAll("[data-region]")];
  const remember = (region) => shown.set(region.id, region.outerHTML);
  const inner = (region) => regions(region).map((one) => one.id).join();
  const busy = (region) =>
    region.querySelector("dialog[open]") || (region.contains(document.activeElement) &&
      document.activeElement.matches("input, textarea, select"));
  const put = (old, fresh) => {
    for (const region of [fresh, ...regions(fresh)]) remember(region);
    const focus = old.contains(document.activeElement) ? document.activeElement.id : "";
    for (const fold of fresh.querySelectorAll("details[id]")) if (folded.has(fold.id)) fold.open = folded.get(fold.id);
    old.replaceWith(document.importNode(fresh, true));
    if (focus) document.getElementById(focus)?.focus();
  };
  const update = (fresh) => {
    const replaced = [];
    for (const region of regions(fresh)) {
      const old = document.getElementById(region.id);
      if (!old || replaced.some((one) => one.contains(region)) || shown.get(region.id) === region.outerHTML) continue;
      if (inner(region) !== "" && inner(region) === inner(old)) continue;
      if (busy(old)) continue;
      replaced.push(region);
      put(old, region);
    }
    return replaced.length > 0;
  };
  let tag = "";
  const look = async () => {
    const answer = await fetch(location.href, { headers: { "X-Refresh": "1", "If-None-Match": tag }, cache: "no-store" });
    if (answer.status !== 200) return;
    tag = answer.headers.get("ETag") ?? "";
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (fresh.body.dataset.version !== body.dataset.version) { location.reload(); return; }
    const root = document.documentElement;
    const atEnd = body.hasAttribute("data-follow") && innerHeight + scrollY >= root.scrollHeight - 40;
    if (update(fresh)) tick();
    if (atEnd) scrollTo(0, root.scrollHeight);
    body.dataset.live = fresh.body.dataset.live;
    document.title = fresh.title;
  };
  const watch = () => {
    const pause = Number(body.dataset.live);
    if (!pause) return;
    setTimeout(async () => {
      if (!document.hidden) try { await look(); } catch { /* the world is away; try again */ }
      watch();
    }, pause);
  };

  regions(document).forEach(remember);
  tick();
  setInterval(tick, 1000);
  for (const dialog of document.querySelectorAll("dialog[open]")) open(dialog);
  document.querySelector(".tabs [aria-current]")?.scrollIntoView({ inline: "nearest", block: "nearest" });
  const target = location.hash && document.getElementById(location.hash.slice(1));
  if (target) {
    for (let fold = target.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
    target.scrollIntoView({ block: "center" });
  }
  watch();
})();
