/**
 * Pictures of figures, large: a click or Enter on one opens it over the page, the arrows go to the others, Escape and a
 * click anywhere close it, and the focus is where it was. Without this script each is a link to its file.
 */

const shown = () => [...document.querySelectorAll("a.enlarge")].filter((link) => link.offsetParent);
const dialog = document.createElement("dialog");
dialog.className = "lightbox";
dialog.innerHTML = '<div><span></span><button aria-label="Close">✕</button></div><img alt="">';
const place = dialog.querySelector("span");
const picture = dialog.querySelector("img");
let current;

function show(link) {
  const all = shown();
  const { alt, className } = link.querySelector("img");
  current = link;
  Object.assign(picture, { src: link.href, alt, className });
  place.textContent = all.length > 1 ? `${all.indexOf(link) + 1} of ${all.length}` : "";
  dialog.setAttribute("aria-label", alt);
}

document.body.append(dialog);
for (const link of document.querySelectorAll("a.enlarge")) link.ariaHasPopup = "dialog";
dialog.addEventListener("click", () => dialog.close());
dialog.addEventListener("close", () => current.focus());
dialog.addEventListener("keydown", (event) => {
  const way = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!way) return;
  const step = getComputedStyle(dialog).direction === "rtl" ? -way : way;
  const all = shown();
  show(all.at((all.indexOf(current) + step) % all.length));
});
document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a.enlarge");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  show(link);
  dialog.showModal();
});
