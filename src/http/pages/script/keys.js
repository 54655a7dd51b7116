// Keys: / to search, j and k from row to row, Enter opens, g and a letter goes to a part, ? for help.
{
  const help = document.getElementById("help");
  const button = document.getElementById("keys");
  button.hidden = false;
  button.addEventListener("click", () => help.showModal());
  const PARTS = { h: "/", o: "/orders", a: "/attention" };
  // On a phone not all parts fit side by side.
  const part = document.querySelector(".parts [aria-current]");
  const show = () => { if (part) part.closest("ul").scrollLeft = part.parentElement.offsetLeft - part.closest("ul").offsetLeft - 24; };
  show();
  addEventListener("load", show);
  // A phone that is turned; not one whose address bar comes and goes.
  let wide = innerWidth;
  addEventListener("resize", () => { if (innerWidth !== wide) { wide = innerWidth; show(); } });
  let goes = false;
  const walk = (step) => {
    const rows = [...document.querySelectorAll("[data-walk]")].filter((row) => row.offsetParent !== null);
    if (!rows.length) return;
    const now = rows.findIndex((row) => row === document.activeElement || row.contains(document.activeElement));
    const next = rows[now < 0 ? (step > 0 ? 0 : rows.length - 1) : Math.min(Math.max(now + step, 0), rows.length - 1)];
    next.tabIndex = -1;
    next.focus({ preventScroll: true });
    next.scrollIntoView({ block: "nearest" });
  };
  document.addEventListener("keydown", (event) => {
    const target = event.target;
    if (event.ctrlKey || event.metaKey || event.altKey || help.open) return;
    if (target.matches("input, select, textarea")) return;
    if (goes && PARTS[event.key]) { location.href = PARTS[event.key]; return; }
    goes = event.key === "g";
    if (event.key === "/") { event.preventDefault(); document.getElementById("search")?.select(); }
    else if (event.key === "j") walk(1);
    else if (event.key === "k") walk(-1);
    else if (event.key === "?") help.showModal();
    else if (event.key === "Enter" && target.matches("[data-walk]")) target.querySelector("a[href]")?.click();
  });
}
