/** The matrix between the names of its tokens, each of which a reader can go to; lines mark a row, a column, or both. */
import { spoken, textOf } from "../shared/text.js";
import { weights } from "../shared/weights.js";

/**
 * Returns `{ element, items, draw, mark, place }` of two sides' tokens: `items` are the names, rows before columns.
 * `draw(matrix, first)` paints, and says whether the first column is shown. `look({ q, k })` is called for the cell under
 * the pointer and with null, `press({ q, k })` when it is clicked.
 */
export function plot(sides, causal, look, press) {
  const texts = sides.map((side) => side.map(textOf));
  const { element, draw, mark } = weights({ queries: texts[0], keys: texts[1], label: "Attention", look: (at) => look(inside(at)) });
  const field = element.querySelector(".weights-plot");
  const frame = field.querySelector("i");
  const items = [...element.querySelectorAll(".weights-queries > span, .weights-keys > span")];
  const flat = texts.flat();
  const lines = ["row", "column"].map((name) => Object.assign(document.createElement("div"), { className: `matrix-line is-${name}` }));
  items.forEach((item, i) => {
    item.role = "button";
    item.ariaPressed = "false";
    item.tabIndex = -1;
    if (!flat[i].trim()) item.ariaLabel = spoken(flat[i]);
  });
  field.removeAttribute("tabindex"); // its rows and columns are walked by their names
  Object.assign(field, { role: "img", ariaLabel: `Weights of ${texts[0].length} rows and ${texts[1].length} columns` });
  const out = Object.assign(document.createElement("div"), { className: "matrix-out" });
  out.style.width = `${100 / texts[1].length}%`;
  field.append(out, ...lines, ...sides.flatMap(borders));
  field.addEventListener("click", (event) => {
    const at = under(event);
    if (at) press(at);
  });
  return { element, items, draw: paint, mark: select, place: frame };

  function paint({ rows, columns, values }, first) {
    out.hidden = first;
    draw({ codes: Uint8Array.from(values, (weight) => Math.round(weight * 255)), dots: [1, 1], shape: [rows, columns] }, "matrix", causal);
  }

  /** Returns the cell that is pointed at, null where nothing can be attended to. */
  function inside(at) {
    return at && !(causal && at.key > at.query) ? { q: at.query, k: at.key } : null;
  }

  function under({ clientX, clientY }) {
    const { left, top, width, height } = field.getBoundingClientRect();
    const on = (share, side) => Math.min(Math.max(Math.floor(share * side.length), 0), side.length - 1);
    return inside({ query: on((clientY - top) / height, sides[0]), key: on((clientX - left) / width, sides[1]) });
  }

  function select(at) {
    const { q = null, k = null } = at ?? {};
    mark(q === null || k === null ? null : { query: q, key: k });
    [q, k].forEach((index, side) => {
      const share = 100 / sides[side].length;
      lines[side].hidden = index === null;
      lines[side].style.cssText = side ? `left:${index * share}%;width:${share}%` : `top:${index * share}%;height:${share}%`;
    });
    items.forEach((item, i) => {
      const on = i === q || (k !== null && i === k + sides[0].length);
      item.classList.toggle("is-line", on);
      item.ariaPressed = String(on);
    });
  }
}

/** Returns lines where another text begins: the second of a pair, or what the model wrote. */
function borders(side, s) {
  const of = ({ type, segment }) => `${type} ${segment}`;
  return side.flatMap((token, i) => {
    if (!i || of(token) === of(side[i - 1])) return [];
    const line = document.createElement("div");
    line.className = "matrix-border";
    line.style.cssText = `${s ? "left" : "top"}:${(100 * i) / side.length}%;${s ? "height" : "width"}:100%`;
    return [line];
  });
}
