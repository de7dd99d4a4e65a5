// The arrow keys follow the page's rel=prev and rel=next links, unless something else uses them.

const DIRECTIONS = { ArrowLeft: "prev", ArrowRight: "next" };

document.addEventListener("keydown", (event) => {
  const rel = DIRECTIONS[event.key];
  const isTaken = event.target.closest("input, select, textarea, [role=tab], dialog, pre");
  if (!rel || isTaken || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
  document.querySelector(`a[rel=${rel}]`)?.click();
});
