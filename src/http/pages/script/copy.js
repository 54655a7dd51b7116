// Ids are copied with a button.
{
  const prepare = (root) => {
    for (const button of root.querySelectorAll("button.copy")) button.hidden = !navigator.clipboard;
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
