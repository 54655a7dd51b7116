// An order's page follows the order: what is new comes in, and what is being read stays where it is.
{
  const order = document.querySelector(".order[data-live]");
  if (order) {
    const light = document.getElementById("live"), news = document.getElementById("news");
    let version = Number(order.dataset.version), source, timer, isBusy = false, isAgain = false;
    const say = (text) => {
      const span = document.createElement("span");
      span.textContent = text;
      news.replaceChildren(span);
      clearTimeout(timer);
      timer = setTimeout(() => news.replaceChildren(), 8000);
    };
    const shine = (isOn) => {
      const now = document.getElementById("live");
      now.hidden = false;
      now.className = isOn ? "live" : "live off";
      now.textContent = isOn ? "● live" : "○ not live, trying again";
    };
    // What is shown may be old from now on, and says so.
    let isOut = false;
    const signedOut = () => {
      isOut = true;
      source?.close();
      const now = document.getElementById("live"), link = document.createElement("a");
      link.href = `/sign-in?to=${encodeURIComponent(location.pathname + location.search)}`;
      link.textContent = "○ not live: sign in again";
      now.hidden = false;
      now.className = "live off";
      now.replaceChildren(link);
    };
    // What a part is without what scripts have put there.
    const served = (part) => {
      const bare = part.cloneNode(true);
      bare.querySelectorAll("button.copy").forEach((button) => button.remove());
      return bare.textContent;
    };
    // The first thing in sight keeps its place.
    const inSight = () =>
      [...order.querySelectorAll("section.event")].find((event) => event.getBoundingClientRect().bottom > 0 && event.getBoundingClientRect().top < innerHeight);
    const refresh = async () => {
      if (isBusy) { isAgain = true; return; }
      isBusy = true;
      try {
        const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
        if (!answer.ok) throw new Error(String(answer.status));
        const made = new DOMParser().parseFromString(await answer.text(), "text/html");
        const fresh = made.querySelector(".order");
        if (!fresh) { signedOut(); return; }
        const had = new Set([...order.querySelectorAll("section.event")].map((event) => event.dataset.delivery));
        const anchor = inSight(), isScrolled = scrollY > 0;
        const place = anchor && { delivery: anchor.dataset.delivery, top: anchor.getBoundingClientRect().top };
        const focused = document.activeElement?.dataset?.delivery;
        const isOpen = [...order.querySelectorAll("details")].map((one) => one.open);
        for (const id of ["head", "events", "side", "all-items"]) {
          const now = document.getElementById(id), then = made.getElementById(id);
          if (now && then && served(now) !== served(then)) now.replaceChildren(...[...then.childNodes].map((node) => document.importNode(node, true)));
        }
        [...order.querySelectorAll("details")].forEach((one, at) => { one.open = isOpen[at] || false; });
        version = Number(fresh.dataset.version);
        order.dataset.version = fresh.dataset.version;
        const events = [...order.querySelectorAll("section.event")];
        const isNew = events.filter((event) => !had.has(event.dataset.delivery));
        isNew.forEach((event) => event.classList.add("new"));
        const again = place && events.find((event) => event.dataset.delivery === place.delivery);
        if (again && isScrolled) scrollBy({ top: again.getBoundingClientRect().top - place.top, behavior: "instant" });
        if (focused) {
          const row = events.find((event) => event.dataset.delivery === focused);
          if (row) { row.tabIndex = -1; row.focus({ preventScroll: true }); }
        }
        if (isNew.length) say(isNew.length === 1 ? "1 new event" : `${isNew.length} new events`);
        shine(source?.readyState === EventSource.OPEN);
        document.dispatchEvent(new Event("desk:changed"));
      } catch {
        shine(false);
      } finally {
        isBusy = false;
        if (isAgain) { isAgain = false; refresh(); }
      }
    };
    let waiting;
    const soon = () => { clearTimeout(waiting); waiting = setTimeout(refresh, 100); };
    const open = () => {
      source = new EventSource(order.dataset.live);
      source.addEventListener("hello", (event) => {
        shine(true);
        if (JSON.parse(event.data).version !== version) soon();
      });
      source.addEventListener("entry", soon);
      source.addEventListener("error", () => {
        shine(false);
        // Refused for good, it would not try again by itself.
        if (source.readyState === EventSource.CLOSED) {
          clearTimeout(waiting);
          waiting = setTimeout(async () => {
            // Why it was refused, the page itself is told.
            await refresh();
            if (!isOut && !document.hidden) open();
          }, 5000);
        }
      });
    };
    const close = () => { source?.close(); source = undefined; };
    document.addEventListener("visibilitychange", () => { if (isOut) return; if (document.hidden) close(); else if (!source || source.readyState === EventSource.CLOSED) open(); });
    addEventListener("pagehide", close);
    if (light && !document.hidden) open();
  }
}
