// Arrow keys turn the pages of a list. Back goes where the visitor came from, as older pages are
// known by the one before them alone.

function isTyping(element) {
  return element.closest("input, select, textarea, summary") !== null;
}

function cameFromThisList() {
  if (!document.referrer || history.length < 2) return false;
  const before = new URL(document.referrer);
  return before.origin === location.origin && before.pathname === location.pathname;
}

if (matchMedia("(hover: hover)").matches) {
  for (const hint of document.querySelectorAll("[data-keys]")) hint.hidden = false;
}

document.addEventListener("keydown", (event) => {
  if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
  if (isTyping(event.target)) return;
  const rel = { ArrowRight: "next", ArrowLeft: "prev" }[event.key];
  const link = rel && document.querySelector(`.turning a[rel=${rel}]`);
  if (!link) return;
  event.preventDefault();
  if (rel === "prev" && cameFromThisList()) history.back();
  else link.click();
});
