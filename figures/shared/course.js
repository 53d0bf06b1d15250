/** Word-sized lines under the tokens of a strip: how each came about, from the first layer at the left to the last. */
import { range } from "d3";
import { pointing } from "./pointing.js";
import { alongLine, roving } from "./roving.js";
import { strip } from "./strip.js";

const PARTS = ["area", "line", "mark"];

/**
 * Returns `{ element, anchor, select, redraw }`: a token strip with a line of `rows` points under each of `targets`.
 *
 * `redraw(height)` draws the lines, `height(r, c)` from 0 to 1. `on`, `{ look, press, step, escape }`, `anchor(at)` and
 * `select(at, pinned)` are as those of `heatmap`: a line is a column, and its points are the rows.
 */
export function courses({ tokens, targets }, rows, label, on) {
  // a chip a token, also where several make one character: each has a line of its own
  const units = tokens.map(({ text, type, special }, start) => ({ start, size: 1, text, type, special }));
  const { element, chips } = strip(units, tokens, { choosable: (unit) => targets.includes(unit.start), label });
  const items = targets.map((position) => chips[position]);
  let row = rows - 1;
  const lines = items.map((chip) => {
    const svg = draw("svg", { class: "course", viewBox: `0 0 ${rows} 1`, preserveAspectRatio: "none", "aria-hidden": "true" });
    svg.append(...PARTS.map((part) => draw("path", { class: `course-${part}` })));
    chip.dataset.course = "";
    chip.append(svg);
    return svg.children;
  });
  element.classList.add("has-courses");

  const { rest } = roving(element, items, alongLine(items.length), (c) => on.step([row, c]));
  const press = (c) => (rest(c), on.press([row, c]));
  pointing(element, items, { point: (c) => on.look(c === null ? null : [row, c]), press, escape: on.escape });
  element.addEventListener("pointermove", ({ target, clientX, pointerType }) => {
    const svg = target.closest(".course");
    if (!svg || pointerType === "touch") return;
    const { left, width } = svg.getBoundingClientRect();
    row = within(Math.floor(((clientX - left) / width) * rows));
    on.look([row, items.indexOf(svg.parentNode)]);
  });
  element.addEventListener("keydown", (event) => {
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    const c = items.indexOf(event.target);
    if (!step || c < 0) return;
    event.preventDefault();
    on.step([within(row + step), c]);
  });
  return { element, anchor: ([, c]) => items[c], select, redraw };

  function within(r) {
    return Math.min(rows - 1, Math.max(0, r));
  }

  function redraw(height) {
    lines.forEach(([area, line], c) => {
      const points = range(rows).map((r) => `${r + 0.5},${(1 - height(r, c)).toFixed(3)}`).join("L");
      line.setAttribute("d", `M${points}`);
      area.setAttribute("d", `M0.5,1L${points}V1Z`);
    });
  }

  function select(at, pinned) {
    row = at?.[0] ?? rows - 1;
    items.forEach((chip, c) => {
      const is = c === at?.[1];
      chip.classList.toggle("is-selected", is);
      chip.setAttribute("aria-pressed", String(is && pinned));
      lines[c][2].setAttribute("d", is || at?.[1] === null ? `M${row + 0.5},0V1` : "");
    });
  }
}

function draw(name, attributes) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}
