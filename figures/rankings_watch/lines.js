/** A line chart over layers: a line a series, its name at its end, and a rule at the layer that is looked at. */
import { line, scaleLinear } from "d3";

const [TOP, RIGHT, BOTTOM, LEFT, HEIGHT] = [14, 72, 30, 50, 320]; // px; the right holds names
const GAP = 8; // px between a line and its name
const APART = 15; // px between two names

/**
 * Returns `{ element, draw, look, at }`. `draw({ of, scale, ticks, tick, text })` draws `of(row, s)` for series s on a D3 scale
 * whose range is 0 (top) to 1; `look(row, s)` puts the rule, and dims other series than s; both may be null. `at(event)` is
 * `[row, s]` of the point nearest to a pointer.
 */
export function lines(names, series) {
  const element = document.createElement("div");
  const svg = make("svg", { height: HEIGHT, "aria-hidden": "true" });
  const rows = names.length;
  let shown, x, y, looked = [null, null];
  element.className = "chart";
  element.append(svg);
  new ResizeObserver(paint).observe(element);
  return { element, draw, look, at };

  function draw(measure) {
    shown = measure;
    paint();
  }

  function paint() {
    const width = element.clientWidth;
    if (!width || !shown) return;
    x = scaleLinear([0, rows - 1 || 1], [LEFT, width - RIGHT]);
    y = (value) => TOP + shown.scale(value) * (HEIGHT - TOP - BOTTOM);
    svg.setAttribute("width", width);
    svg.replaceChildren(
      ...shown.ticks.flatMap((tick) => [
        make("line", { class: "tick", x1: LEFT, x2: width - RIGHT, y1: y(tick), y2: y(tick) }),
        make("text", { x: LEFT - 8, y: y(tick) + 4, "text-anchor": "end" }, (shown.tick ?? shown.text)(tick)),
      ]),
      ...names.flatMap((name, row) => (name % 5 ? [] : make("text", { x: x(row), y: HEIGHT - 14, "text-anchor": "middle" }, name))),
      make("text", { x: (LEFT + width - RIGHT) / 2, y: HEIGHT - 1, "text-anchor": "middle" }, "layer"),
      make("line", { class: "rule", y1: TOP, y2: HEIGHT - BOTTOM }),
      ...series.flatMap(({ name, colour }, s) => {
        const d = line((_, row) => x(row), (_, row) => y(shown.of(row, s)))(names);
        const dots = names.map((_, row) => make("circle", { cx: x(row), cy: y(shown.of(row, s)), r: 2 }));
        const group = make("g", { style: `--c:${colour}` });
        group.append(make("path", { d }), ...dots, make("text", { class: "series", x: width - RIGHT + GAP }, name));
        return group;
      }),
    );
    name();
    look(...looked);
  }

  /** Puts names at the ends of their lines, and apart from each other; what does not fit is cut. */
  function name() {
    let last = -Infinity;
    const ends = [...svg.querySelectorAll(".series")].map((text, s) => [y(shown.of(rows - 1, s)), text]);
    for (const [end, text] of ends.sort(([a], [b]) => a - b)) {
      last = Math.max(end, last + APART);
      text.setAttribute("y", last + 4);
      shorten(text, RIGHT - GAP);
    }
  }

  function look(row, s) {
    looked = [row, s];
    const rule = svg.querySelector(".rule");
    if (!rule) return;
    rule.style.display = row === null ? "none" : "";
    if (row !== null) ["x1", "x2"].forEach((end) => rule.setAttribute(end, x(row)));
    svg.querySelectorAll("g").forEach((group, i) => {
      group.classList.toggle("is-dim", s !== null && s !== i);
      group.querySelectorAll("circle").forEach((dot, r) => dot.setAttribute("r", r === row ? 4.5 : 2));
    });
  }

  function at(event) {
    const box = svg.getBoundingClientRect();
    const row = Math.max(0, Math.min(rows - 1, Math.round(x.invert(event.clientX - box.left))));
    const far = series.map((_, s) => Math.abs(y(shown.of(row, s)) - event.clientY + box.top));
    return [row, far.indexOf(Math.min(...far))];
  }
}

function shorten(text, room) {
  const characters = Array.from(text.textContent);
  while (characters.length > 1 && text.getComputedTextLength() > room) {
    characters.pop();
    text.textContent = `${characters.join("")}…`;
  }
}

function make(tag, attributes, text = "") {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.textContent = text;
  return element;
}
