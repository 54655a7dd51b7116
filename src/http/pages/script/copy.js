// Ids are copied with a button.
{
  const prepare = (root) => {
    if (!navigator.clipboard) return;
    for (const copied of root.querySelectorAll(".copied:not(:has(button))")) {
      const button = document.createElement("button"), value = document.createElement("span");
      button.type = "button";
      button.className = "copy";
      button.dataset.copy = copied.textContent;
      value.className = "hidden";
      value.textContent = ` ${copied.textContent}`;
      button.append("Copy", value);
      copied.append(button);
    }
  };
  prepare(document);
  document.addEventListener("desk:changed", () => prepare(document));
  document.addEventListener("click", async (event) => {
    const button = event.target.closest?.("button.copy");
    if (!button) return;
    const label = button.firstChild;
    try { await navigator.clipboard.writeText(button.dataset.copy); label.textContent = "Copied"; }
    catch { label.textContent = "Not copied"; }
    setTimeout(() => { label.textContent = "Copy"; }, 1500);
  });
}
