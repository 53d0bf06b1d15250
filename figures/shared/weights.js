/**
 * The attention of one head, large: a matrix of who attends (rows) and what is attended to (columns), or lines from the
 * tokens that attend, at the left, to the others at the right. Names of tokens stand at both sides.
 */
import { colour, onRepaint, pixels, sharpen } from "./canvas.js";
import { percent } from "./format.js";
import { readout } from "./readout.js";
import { quoted, spoken, visible } from "./text.js";

const LINE = 11; // px: tokens less far apart leave names out
const FAINT = 0.02; // a weight whose line nobody would see
const MOST = 3; // tokens that a sentence names
const SHADES = 16; // lines of one shade are one path

/**
 * Returns `{ element, draw }`. `queries` and `keys` are texts. What is pointed at, or walked to with the arrow keys, is said
 * below the picture: a weight, or of lines what a token attends to most.
 *
 * `draw({ codes, dots, shape, idle, heard }, display, causal)`: `codes` are bytes row by row, of `shape` [rows, columns]; a
 * code stands for `dots` [queries, keys], and no weight can be read where that is more than one. `idle` stands there while
 * nothing is pointed at; it is not spoken, or only what of it is `heard`.
 */
export function weights({ queries, keys }) {
  const [root, element, left, right, plot, canvas, frame] = ["div", "div", "div", "div", "div", "canvas", "i"].map((tag) => document.createElement(tag));
  const sentence = readout();
  element.className = "weights";
  left.className = "weights-queries";
  right.className = "weights-keys";
  Object.assign(plot, { className: "weights-plot", tabIndex: 0, role: "application", ariaLabel: "Weights: arrows walk" });
  plot.append(canvas, frame);
  element.append(left, right, plot);
  root.append(element, sentence.element);
  const names = [[left, queries], [right, keys]].map(([side, texts]) =>
    texts.map((text, i) => {
      const name = document.createElement("span");
      name.append(visible(text));
      name.style.setProperty("--at", (i + 0.5) / texts.length);
      side.append(name);
      return name;
    }),
  );
  let picture, display, causal, palette;
  let at = null; // [query, key] that is pointed at; of lines one of them is null
  const size = [queries.length, keys.length];
  const on = (type, next) => plot.addEventListener(type, (event) => event.pointerType === "touch" && type !== "click" ? null : mark(next(event)));
  on("pointermove", under);
  on("click", under);
  on("pointerleave", () => null);
  on("blur", () => null);
  plot.addEventListener("keydown", walk);
  new ResizeObserver(repaint).observe(plot);
  onRepaint(() => ((palette = null), repaint()));
  return { element: root, draw };

  function draw(next, how, triangle) {
    [picture, display, causal] = [next, how, triangle];
    element.dataset.display = display;
    if (display !== "lines") repaint(); // lines are drawn anew for what is pointed at
    mark(null);
  }

  function repaint() {
    const [width, height] = [plot.clientWidth, plot.clientHeight];
    if (!picture || !width) return;
    palette ??= {
      scale: pixels(plot, ["var(--scale-low)", "var(--scale-mid)", "var(--scale-high)"], 256),
      line: colour(plot, "var(--scale-high)"),
    };
    thin(0, height);
    thin(1, display === "lines" ? height : width);
    const context = sharpen(canvas, width, height);
    (display === "lines" ? drawLines : drawMatrix)(context, width, height);
    frames();
  }

  /** Shows as many names as there is room for. */
  function thin(side, room) {
    const step = Math.ceil((LINE * size[side]) / room);
    names[side].forEach((name, i) => name.toggleAttribute("data-out", i % step > 0));
  }

  function drawMatrix(context, width, height) {
    const { codes, dots, shape: [rows, columns] } = picture;
    const image = new ImageData(columns, rows);
    const dot = new Uint32Array(image.data.buffer);
    for (let i = 0; i < codes.length; i++) if (!causal || i % columns <= i / columns) dot[i] = palette.scale[shadeOf(codes[i])];
    const source = Object.assign(document.createElement("canvas"), { width: columns, height: rows });
    source.getContext("2d").putImageData(image, 0, 0);
    context.imageSmoothingEnabled = false; // the last dot may stand for fewer tokens than the others
    context.drawImage(source, 0, 0, (columns * dots[1] * width) / size[1], (rows * dots[0] * height) / size[0]);
  }

  /** Lines, those of what is pointed at alone; as opaque as the weight. */
  function drawLines(context, width, height) {
    const { codes, dots, shape: [, columns] } = picture;
    const shown = (i, side) => at?.[side] == null || Math.floor(at[side] / dots[side]) === i;
    const y = (i, side) => (Math.min((i + 0.5) * dots[side], size[side] - 0.5) / size[side]) * height;
    const strokes = pen(Object.assign(context, { strokeStyle: palette.line }));
    codes.forEach((code, i) => {
      const [q, k] = [Math.floor(i / columns), i % columns];
      if (shown(q, 0) && shown(k, 1)) strokes.add(0, y(q, 0), width, y(k, 1), code / 255);
    });
    strokes.stroke();
  }

  function clip(number, side) {
    return Math.min(Math.max(Math.floor(number), 0), size[side] - 1);
  }

  function under({ clientX, clientY }) {
    const box = plot.getBoundingClientRect();
    const [x, y] = [(clientX - box.left) / box.width, (clientY - box.top) / box.height];
    if (display === "lines") return one(x < 0.5 ? 0 : 1, y * size[x < 0.5 ? 0 : 1]);
    return [clip(y * size[0], 0), clip(x * size[1], 1)];
  }

  function one(side, number) {
    return side ? [null, clip(number, 1)] : [clip(number, 0), null];
  }

  function walk(event) {
    const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
    if (!step || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    event.stopPropagation();
    const from = at ?? [0, 0];
    if (display !== "lines") mark(at ? from.map((number, side) => clip(number + step[side], side)) : from);
    else mark(one(step[1] > 0 || (!step[1] && from[0] === null) ? 1 : 0, (from[0] ?? from[1]) + step[0]));
  }

  /** Frames a weight, or shows a token's lines alone, and says what it is. */
  function mark(next) {
    if (!picture) return; // a reader may tab through before it has come
    at = next;
    if (display === "lines") repaint();
    else frames();
    if (!at || picture.dots.some((size) => size > 1)) sentence.say([picture.idle], picture.heard ?? "");
    else sentence.say(words(quoted), words(spoken).join(""));
  }

  function words(chip) {
    const weight = (q, k) => picture.codes[q * keys.length + k] / 255;
    const [query, key] = at;
    if (query !== null && key !== null) {
      const share = weight(query, key);
      const told = causal && key > query ? "it comes later" : share ? percent(share) : "<0.2%"; // half a step
      return [chip(queries[query]), " attends to ", chip(keys[key]), `: ${told}`];
    }
    const back = query === null;
    const others = back ? queries.map((text, q) => [text, weight(q, key)]) : keys.map((text, k) => [text, weight(query, k)]);
    const most = others.filter(([, share]) => share).sort((a, b) => b[1] - a[1]).slice(0, MOST);
    return [chip(back ? keys[key] : queries[query]), back ? " gets most from" : " attends most to", ...most.flatMap(([text, share], i) => [i ? ", " : " ", chip(text), ` ${percent(share)}`])];
  }

  function frames() {
    names.forEach((list, side) => list.forEach((name, i) => name.classList.toggle("is-on", i === at?.[side])));
    frame.hidden = !at || display === "lines";
    if (!frame.hidden) frame.style.cssText = `top:${(100 * at[0]) / size[0]}%;left:${(100 * at[1]) / size[1]}%;width:${100 / size[1]}%;height:${100 / size[0]}%`;
  }
}

/** Returns which of 256 shades a code is drawn in: a root scale, on which faint patterns are seen. */
export function shadeOf(code) {
  return Math.round(Math.sqrt(code * 255));
}

/** Returns a pen for many lines: `add(x, y, toX, toY, weight)` one by one, then `stroke()` at once, as opaque as each weight. */
export function pen(context) {
  const paths = Array.from({ length: SHADES }, () => new Path2D());
  return {
    add(x, y, toX, toY, weight) {
      if (weight <= FAINT) return;
      const path = paths[Math.min(SHADES - 1, Math.floor(weight * SHADES))];
      path.moveTo(x, y);
      path.lineTo(toX, toY);
    },
    stroke() {
      paths.forEach((path, shade) => {
        context.globalAlpha = (shade + 1) / SHADES;
        context.stroke(path);
      });
      context.globalAlpha = 1;
    },
  };
}
