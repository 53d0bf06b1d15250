/** A labelled slider with its value beside it; calls `changed(number)` while it moves. */
import { quiet } from "./choice.js";

/** Returns `{ element, set }`. `format(number)` is what the reader sees and hears. */
export function slider(label, { min, max, step = 1, value, format = String }, changed) {
  const element = document.createElement("label");
  const range = document.createElement("input");
  const shown = document.createElement("span");
  element.className = "slider";
  shown.className = "slider-value";
  shown.ariaHidden = "true"; // the slider itself says it
  range.type = "range";
  Object.assign(range, { min, max, step });
  element.append(label, " ", range, " ", shown);
  quiet(range, () => {
    tell();
    changed(Number(range.value));
  }, "input");
  set(value);
  return { element, set };

  function set(number) {
    range.value = number;
    tell();
  }

  function tell() {
    shown.textContent = format(Number(range.value));
    range.setAttribute("aria-valuetext", shown.textContent);
  }
}
