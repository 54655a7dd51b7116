// The search box shows ids that begin with what is typed, and before that the orders that were looked at last.
{
  const input = document.getElementById("search");
  const list = document.getElementById("suggestions");
  const RECENT = "recent-orders";
  const recent = () => {
    // Those that were kept without their address are left out.
    try { return (JSON.parse(localStorage.getItem(RECENT)) || []).filter((one) => one.href); } catch { return []; }
  };
  // Where nobody is signed in, the next one at this browser may be somebody else.
  if (document.querySelector("[data-forget]")) {
    try { localStorage.removeItem(RECENT); } catch { /* nothing was kept then */ }
  }
  const order = document.querySelector(".order");
  if (order) {
    const { order: orderId, sender, state, href } = order.dataset;
    const here = { orderId, sender, state, href };
    const others = recent().filter((one) => one.orderId !== here.orderId || one.sender !== here.sender);
    try { localStorage.setItem(RECENT, JSON.stringify([here, ...others].slice(0, 8))); } catch { /* not kept then */ }
  }
  if (input) {
    const element = (name, className, text) => {
      const made = document.createElement(name);
      made.className = className;
      made.textContent = text;
      return made;
    };
    let chosen = -1, asked = 0, isRecent = false, timer;
    const options = () => [...list.querySelectorAll("[role=option]")];
    const close = () => {
      list.hidden = true;
      chosen = -1;
      input.setAttribute("aria-expanded", "false");
      input.removeAttribute("aria-activedescendant");
    };
    const show = (title, found) => {
      // What was chosen stays so where it is found by the longer beginning, too.
      const before = options()[chosen]?.dataset.href;
      list.replaceChildren();
      if (!found.length) return close();
      const heading = element("div", "title", title);
      heading.setAttribute("role", "presentation");
      list.append(heading);
      found.forEach((one, at) => {
        const option = document.createElement("div");
        option.id = `suggestion-${at}`;
        option.setAttribute("role", "option");
        option.setAttribute("aria-selected", "false");
        option.append(element("strong", "", one.value || one.orderId));
        const about = one.value ? `${one.kind} · order ${one.orderId} · ${one.state}` : `${one.state} · ${one.sender}`;
        option.append(element("span", "about", about));
        option.addEventListener("mousedown", (event) => { event.preventDefault(); location.href = one.href; });
        option.dataset.href = one.href;
        list.append(option);
      });
      list.hidden = false;
      chosen = -1;
      input.setAttribute("aria-expanded", "true");
      input.removeAttribute("aria-activedescendant");
      const again = options().findIndex((option) => option.dataset.href === before);
      if (again >= 0) choose(again);
    };
    const choose = (at) => {
      const all = options();
      if (!all.length) return;
      chosen = (at + all.length) % all.length;
      all.forEach((option, index) => option.setAttribute("aria-selected", String(index === chosen)));
      input.setAttribute("aria-activedescendant", all[chosen].id);
      all[chosen].scrollIntoView({ block: "nearest" });
    };
    const suggest = async () => {
      const typed = input.value.trim(), number = ++asked;
      isRecent = typed.length < 2;
      if (isRecent) return show("Looked at last", typed ? [] : recent());
      try {
        const answer = await fetch(`/suggestions?q=${encodeURIComponent(typed)}`);
        const found = answer.ok ? await answer.json() : [];
        if (number === asked && document.activeElement === input) show("Ids that begin so", found);
      } catch { close(); }
    };
    input.setAttribute("role", "combobox");
    input.setAttribute("aria-autocomplete", "list");
    input.setAttribute("aria-controls", "suggestions");
    input.setAttribute("aria-expanded", "false");
    list.setAttribute("role", "listbox");
    list.setAttribute("aria-label", "Suggestions");
    input.addEventListener("input", () => {
      // What was there before anything was typed is no answer to it.
      if (isRecent) close();
      clearTimeout(timer);
      timer = setTimeout(suggest, 120);
    });
    input.addEventListener("focus", () => { if (!input.value) suggest(); });
    input.addEventListener("blur", close);
    input.addEventListener("keydown", (event) => {
      if (event.key === "ArrowDown") { event.preventDefault(); list.hidden ? suggest() : choose(chosen + 1); }
      else if (event.key === "ArrowUp") { event.preventDefault(); choose(chosen - 1); }
      else if (event.key === "Escape") { list.hidden ? input.blur() : close(); event.preventDefault(); }
      else if (event.key === "Enter" && chosen >= 0 && !list.hidden) {
        event.preventDefault();
        location.href = options()[chosen].dataset.href;
      }
    });
    // The first page has a place for them, too.
    const place = document.getElementById("recent");
    if (place && recent().length) {
      place.append(element("h2", "", "Looked at last"));
      const links = document.createElement("ul");
      links.className = "latest";
      for (const one of recent()) {
        const item = document.createElement("li"), link = element("a", "", one.orderId);
        link.href = one.href;
        item.append(link, element("small", "", `${one.state} · ${one.sender}`));
        links.append(item);
      }
      place.append(links);
      place.hidden = false;
    }
  }
}
