/**
 * Loads cards.js when a reader first points, touches or tabs: who only reads needs none of it. A click that is too early
 * waits for it, and is the link's own if it does not come.
 */

const TYPES = ["pointerover", "pointerdown", "focusin", "click"];

let loading;
let byMouse;

function reach(event) {
  loading ??= import("./cards.js").finally(() => TYPES.forEach((type) => removeEventListener(type, reach, true)));
  if (event.type === "pointerdown") byMouse = event.pointerType === "mouse";
  const link = event.type === "click" && event.target.closest("a[data-card], a.reference");
  if (!link || (byMouse && link.matches(".reference"))) return;
  if (event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  event.stopPropagation();
  loading.then(() => link.click(), () => location.assign(link.href));
}

for (const type of TYPES) addEventListener(type, reach, true);
