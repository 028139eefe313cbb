// A photo may be dropped anywhere on the page, and is looked at as soon as it is chosen.

const form = document.getElementById("photo-form");
const file = document.getElementById("file");
const looking = form.querySelector(".looking span");
const tooLarge = document.getElementById("too-large");
const silent = document.getElementById("silent");
const problem = document.getElementById("problem");
const result = document.getElementById("result");

document.querySelector(".can-drop").hidden = false;

function look() {
  silent.hidden = true;
  tooLarge.hidden = !(file.files[0]?.size > Number(file.dataset.maxBytes));
  problem.replaceChildren();
  result.replaceChildren();
  if (file.files.length && tooLarge.hidden) form.requestSubmit(document.getElementById("look"));
}

file.addEventListener("change", look);

document.addEventListener("dragover", (event) => {
  event.preventDefault();
  form.classList.add("over");
});
document.addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) form.classList.remove("over");
});
document.addEventListener("drop", (event) => {
  event.preventDefault();
  form.classList.remove("over");
  const [photo] = event.dataTransfer.files;
  if (!photo) return;
  const only = new DataTransfer();
  only.items.add(photo);
  file.files = only.files;
  look();
});

document.addEventListener("htmx:beforeRequest", () => {
  problem.replaceChildren();
  looking.hidden = false;
});
document.addEventListener("htmx:afterRequest", () => { looking.hidden = true; });
document.addEventListener("htmx:sendError", () => { silent.hidden = false; });
// A refusal is an answer that is meant to be read, but only a page's.
htmx.config.responseHandling = [{ code: "204", swap: false }, { code: "...", swap: true }];
document.addEventListener("htmx:beforeSwap", (event) => {
  const type = event.detail.xhr.getResponseHeader("Content-Type") ?? "";
  event.detail.shouldSwap = type.startsWith("text/html");
  silent.hidden = event.detail.shouldSwap;
});
document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target === result) document.getElementById("verdict")?.focus();
});
