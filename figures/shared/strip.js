/** A token strip: units of text as chips in reading order, lines broken where the text breaks them. */
import { spoken, textOf, visible } from "./text.js";

/**
 * Returns `{ element, chips }`, a chip a unit. Chips of units that `choosable` accepts can be focused and pressed;
 * `tokens` gives the bytes of units that are not text.
 */
export function strip(units, tokens, { choosable, label }) {
  const element = document.createElement("div");
  element.className = "strip";
  element.dir = "auto";
  element.setAttribute("role", "group");
  element.setAttribute("aria-label", label);
  const chips = units.map((unit) => {
    const chip = document.createElement("span");
    const text = unit.size === 1 ? textOf(tokens[unit.start]) : unit.text;
    chip.className = "token";
    chip.dataset.type = unit.type;
    if (unit.special) chip.dataset.special = "";
    chip.append(visible(text));
    if (choosable(unit)) {
      chip.setAttribute("role", "button");
      chip.setAttribute("aria-pressed", "false");
      if (!text.trim()) chip.setAttribute("aria-label", spoken(text));
      chip.tabIndex = -1;
    }
    element.append(chip);
    if (text.includes("\n")) element.append(document.createElement("br"));
    return chip;
  });
  return { element, chips };
}

const STEPS = 50; // of shade, those of shades.css

/** Shades an element by a number, or by `undefined` not at all; `top` has the full shade. */
export function shade(element, number, top, label, text) {
  const s = String(number && top ? Math.round((STEPS * Math.min(Math.abs(number), top)) / top) : 0);
  element.classList.toggle("is-shaded", number !== undefined);
  element.classList.toggle("is-negative", number < 0);
  if (element.dataset.s !== s) element.dataset.s = s;
  if (label && label.textContent !== text) label.textContent = text;
}

/** Returns what stands below a chip's text: its `share`, or two `halves`. */
export function below(kind) {
  const element = document.createElement("span");
  element.className = kind;
  element.setAttribute("aria-hidden", "true");
  if (kind === "halves") element.append(...["span", "span"].map((tag) => document.createElement(tag)));
  return element;
}

/** Returns the key to a strip, how input and output look: a list of one element, of none where all tokens are alike. */
export function stripKey(tokens) {
  if (tokens.every((token) => token.type === tokens[0].type)) return [];
  const key = document.createElement("p");
  key.className = "strip-key";
  for (const type of ["input", "output"]) {
    const chip = document.createElement("span");
    chip.className = "token";
    chip.dataset.type = type;
    chip.textContent = type;
    key.append(chip, " ");
  }
  return [key];
}
