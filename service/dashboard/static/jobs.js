// Tells those who only hear the page that a job's state changed.

const told = document.getElementById("told");
let before = document.getElementById("live").dataset.told;

document.addEventListener("htmx:afterSwap", () => {
  const now = document.getElementById("live").dataset.told;
  if (told && now !== before) told.textContent = `The job is now ${now}.`;
  before = now;
});
