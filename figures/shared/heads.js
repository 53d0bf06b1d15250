/**
 * The heads of a layer as coloured squares: press one to take its head out or in, press twice (or with Shift) to see it
 * alone, and once more so for all. Left and right walk along them; Tab goes by them at one.
 */
import { category } from "./category.js";
import { alongLine } from "./roving.js";

/** Returns `{ element, set }` of `count` squares; calls `changed(heads)` with a sorted list of those that are on. */
export function heads(count, on, changed) {
  const element = document.createElement("div");
  const all = Array.from({ length: count }, (_, h) => h);
  const along = alongLine(count);
  let before = on; // what was on when a double press began
  let shift = false; // held with the last key: the click that a key makes in Firefox does not say so
  element.className = "heads";
  element.setAttribute("role", "group");
  element.ariaLabel = "Heads";
  const squares = all.map((h) => {
    const square = document.createElement("button");
    square.type = "button";
    square.className = "head";
    square.textContent = h;
    square.ariaLabel = `head ${h}`;
    square.style.setProperty("--c", category(h + 1));
    square.addEventListener("click", ({ detail, shiftKey }) => {
      stop(h);
      if (detail < 2) before = on;
      set(detail > 1 || shiftKey || shift ? alone(before, h) : on.includes(h) ? on.filter((i) => i !== h) : [...on, h].sort((a, b) => a - b));
      changed(on);
    });
    return square;
  });
  element.append("Heads", ...squares);
  element.addEventListener("pointerdown", () => (shift = false));
  element.addEventListener("keydown", (event) => {
    shift = event.shiftKey;
    const at = squares.indexOf(event.target);
    const to = along(at, event);
    if (event.key !== "Escape") event.stopPropagation();
    if (!squares[to]) return;
    event.preventDefault();
    stop(to);
    squares[to].focus();
  });
  stop(0);
  set(on);
  return { element, set };

  function alone(heads, h) {
    return heads.length === 1 && heads[0] === h ? all : [h];
  }

  function set(heads) {
    on = heads;
    squares.forEach((square, h) => square.setAttribute("aria-pressed", String(on.includes(h))));
  }

  /** A button is a tab stop unless it says otherwise. */
  function stop(at) {
    squares.forEach((square, h) => (h === at ? square.removeAttribute("tabindex") : (square.tabIndex = -1)));
  }
}
