/** The matrix on canvas between the names of its tokens, each of which a reader can go to; lines mark rows and columns. */
import { onRepaint, pixels, sharpen } from "../shared/canvas.js";
import { spoken, textOf, visible } from "../shared/text.js";

const LINE = 11; // px: tokens less far apart leave names out

/**
 * Returns `{ element, items, draw, mark, look, spot }` of `sides`, tokens or words with their `size`. `items` are the names, rows
 * before columns; `draw(matrix, first)` paints, the first token's column or not; `mark({ q, k }, pinned)` shows what is
 * selected, and `look({ q, k })` puts `spot` where a pointer is. Calls `on.look` for the cell under the pointer and with null,
 * `on.press` for a click.
 */
export function plot(sides, causal, on) {
  const [element, left, above, field, canvas, out, row, column, spot, place] = "weights weights-queries weights-keys weights-plot canvas matrix-out matrix-line matrix-line matrix-look matrix-cell".split(" ").map((name) => Object.assign(document.createElement(name === "canvas" ? name : "div"), { className: name }));
  const counts = sides.map((side) => side.length);
  const names = sides.map((side, s) => side.map((token, i) => name(token, (i + 0.5) / counts[s])));
  const items = names.flat();
  let scene, palette;
  left.append(...names[0]);
  above.append(...names[1]);
  field.append(canvas, out, row, column, spot, place, ...sides.flatMap(borders));
  element.append(left, above, field);
  ["queries", "keys"].forEach((side, s) => element.style.setProperty(`--${side}`, counts[s]));
  Object.assign(field, { role: "img", ariaLabel: `Weights of ${counts[0]} rows and ${counts[1]} columns` });
  out.style.width = `${100 / counts[1]}%`;
  field.addEventListener("pointermove", (event) => event.pointerType !== "touch" && on.look(under(event)));
  field.addEventListener("pointerleave", (event) => event.pointerType !== "touch" && on.look(null));
  field.addEventListener("click", (event) => {
    const at = under(event);
    if (at) on.press(at);
  });
  new ResizeObserver(paint).observe(field);
  onRepaint(() => ((palette = null), paint()));
  mark(null);
  look(null);
  return { element, items, draw, mark, look, spot };

  function name(token, at) {
    const item = document.createElement("span");
    const text = textOf(token);
    item.append(visible(text));
    item.style.setProperty("--at", at);
    Object.assign(item, { role: "button", ariaPressed: "false", tabIndex: -1 });
    if (!text.trim()) item.ariaLabel = spoken(text);
    return item;
  }

  function draw(next, first) {
    scene = next;
    out.hidden = first || sides[1][0].size > 1; // the rest of its word is there
    paint();
  }

  /** A pixel is a weight, on a root scale; the canvas makes it as large as its cell. */
  function paint() {
    const [width, height] = [field.clientWidth, field.clientHeight];
    if (!scene || !width) return;
    palette ??= pixels(field, ["low", "mid", "high"].map((end) => `var(--scale-${end})`), 256);
    const { rows, columns, values } = scene;
    const image = new ImageData(columns, rows);
    const dot = new Uint32Array(image.data.buffer);
    values.forEach((weight, i) => {
      if (!causal || i % columns <= i / columns) dot[i] = palette[Math.round(255 * Math.sqrt(Math.min(weight, 1)))];
    });
    const source = Object.assign(document.createElement("canvas"), { width: columns, height: rows });
    source.getContext("2d").putImageData(image, 0, 0);
    const context = sharpen(canvas, width, height);
    context.imageSmoothingEnabled = false;
    context.drawImage(source, 0, 0, width, height);
    [height, width].forEach((room, s) => names[s].forEach((item, i) => item.toggleAttribute("data-out", i % Math.ceil((LINE * counts[s]) / room) > 0)));
  }

  /** Returns the cell under the pointer, null where nothing can be attended to. */
  function under({ clientX, clientY }) {
    const { left, top, width, height } = field.getBoundingClientRect();
    const [q, k] = [(clientY - top) / height, (clientX - left) / width].map((share, s) => Math.min(Math.max(Math.floor(share * counts[s]), 0), counts[s] - 1));
    return causal && k > q ? null : { q, k };
  }

  function mark(at, pinned) {
    const { q = null, k = null } = at ?? {};
    put(row, q, null);
    put(column, null, k);
    put(place, ...(q === null || k === null ? [] : [q, k]));
    items.forEach((item, i) => {
      const is = i === q || (k !== null && i === k + counts[0]);
      item.classList.toggle("is-on", is);
      item.ariaPressed = `${is && pinned}`;
    });
  }

  function look(at) {
    put(spot, at?.q, at?.k);
  }

  /** Puts a frame around a row, a column, a cell or nothing. */
  function put(frame, q = null, k = null) {
    const sizes = [[q, "top", "height"], [k, "left", "width"]].map(([index, edge, size], s) => (index === null ? "" : `${edge}:${(100 * index) / counts[s]}%;${size}:${100 / counts[s]}%;`));
    frame.style.cssText = sizes.join("");
    frame.hidden = q === null && k === null;
  }
}

/** Returns lines where another text begins: the second of a pair, or what the model wrote. */
function borders(side, s) {
  return side.flatMap((token, i) => {
    const before = side[i - 1];
    if (!i || (token.type === before.type && token.segment === before.segment)) return [];
    const style = `${s ? "width:0;left" : "height:0;top"}:${(100 * i) / side.length}%`;
    return [Object.assign(document.createElement("div"), { className: "matrix-border", style })];
  });
}
