// What every page does: times in the reader's own zone, filters that leave empty fields out, and a
// word when a live part gets no answer.

const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
const format = new Intl.DateTimeFormat(undefined, {
  dateStyle: "medium",
  timeStyle: "short",
});

function showLocalTimes(part) {
  for (const each of part.querySelectorAll("time[datetime]:not([data-local])")) {
    each.title = each.textContent;
    each.textContent = format.format(new Date(each.dateTime));
    each.dataset.local = "";
  }
}

function leaveEmptyFieldsOut(event) {
  if (event.target.method !== "get") return;
  for (const field of event.target.elements) {
    if (field.name && !field.value) field.disabled = true;
  }
}

// Pages with live parts say so while the service is silent, instead of showing old numbers as new.
function watchSilence() {
  const silent = document.querySelector("[data-silent]");
  if (!silent) return;
  for (const failure of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
    document.addEventListener(failure, () => { silent.hidden = false; });
  }
  document.addEventListener("htmx:afterSwap", () => { silent.hidden = true; });
}

// A button that is replaced between its press and its release is never clicked. So the live part
// stays while something is pressed; it asks again anyway.
function watchPresses() {
  let isPressed = false;
  const note = (pressed, ...events) => {
    for (const each of events) window.addEventListener(each, () => { isPressed = pressed; });
  };
  note(true, "pointerdown", "keydown");
  note(false, "pointerup", "pointercancel", "keyup", "blur");
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (isPressed && event.detail.target.id === "live") event.detail.shouldSwap = false;
  });
}

document.querySelector("[data-zone]").textContent = zone;
// On a phone the navigation is a strip that may have to be moved to its current entry.
document.querySelector("nav [aria-current]")?.scrollIntoView({ inline: "center", block: "nearest" });
watchSilence();
watchPresses();
showLocalTimes(document);
document.addEventListener("htmx:afterSwap", (event) => showLocalTimes(event.target));
document.addEventListener("submit", leaveEmptyFieldsOut);
// A page that comes back from the browser's memory has its fields again.
window.addEventListener("pageshow", () => {
  for (const field of document.querySelectorAll("form[method=get] :disabled")) {
    field.disabled = false;
  }
});
