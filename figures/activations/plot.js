/** The plot: neurons by columns on canvas, at first all rows at once, each pixel the strongest of the rows under it. */
import { category } from "../shared/category.js";
import { colour, onRepaint, pixels, sharpen } from "../shared/canvas.js";

const ROW = 16; // px: the height of a row where zooming ends
const LINE = 11; // px: and of a line of text

/**
 * Returns a `line` for a table, under whose columns it draws: the rows' names in its header, the rows in its `frame`. The
 * browser itself scrolls them: the canvas stays while its room grows.
 */
export function plot(first, moved) {
  const tags = ["tr", "th", "td", "canvas", "div", "div", "div", "canvas", "i", "i"];
  const [line, head, body, axis, element, room, view, canvas, column, cell] = tags.map((tag) => document.createElement(tag));
  line.className = "plot";
  line.append(head, body);
  head.append(axis);
  body.append(element);
  element.append(room);
  room.append(view);
  view.append(canvas, column, cell);
  Object.assign(axis, { role: "img", ariaLabel: "neurons" });
  Object.assign(element, { role: "application", tabIndex: 0 });
  canvas.role = "img";
  let scene, palette; // scene: { n, shades, order, clusters, negatives, by }
  let [span, width, height, places] = [0, 0, 0, []];
  let seen; // where the rows that are painted were scrolled to
  element.addEventListener("scroll", () => element.scrollTop === seen || paint()); // a zoom scrolls, and has painted
  new ResizeObserver(repaint).observe(element);
  onRepaint(repaint);
  return { line, frame: element, canvas, cell, set, repaint, zoom, at, mark, reveal };

  function set(next) {
    const before = scene ?? {};
    scene = next;
    if (before.n !== next.n) span = next.n;
    if (palette && before.n === next.n && before.negatives === next.negatives) paint();
    else repaint();
  }

  /** Measures and paints: another width, other columns, other colours. */
  function repaint() {
    [width, height] = [element.clientWidth, element.clientHeight];
    if (!scene || !width) return;
    const mix = (...names) => pixels(element, names.map((name) => `var(--${name})`), 511);
    const scale = scene.negatives ? mix("negative", "scale-low", "positive") : mix("scale-low", "scale-low", "scale-low", "scale-mid", "scale-high");
    const groups = Math.max(...scene.clusters);
    palette = { scale, out: mix("f-soft", "f-paper", "f-soft"), groups: Array.from({ length: groups + 1 }, (_, i) => colour(element, i ? category(i) : "var(--f-soft)")) };
    const { x: edge } = element.getBoundingClientRect();
    places = Array.from(line.closest("table").rows[0].cells, (head) => head.getBoundingClientRect()).slice(1).map(({ x, width }) => [x - edge, width]);
    zoom(1);
  }

  function from() {
    return (element.scrollTop / height) * span;
  }

  /** Shows fewer rows by a factor, around the one at a share of the height. */
  function zoom(factor, share = 0.5) {
    if (!palette) return; // nothing is there yet
    const middle = from() + share * span;
    span = Math.min(Math.max(span / factor, height / ROW), scene.n);
    room.style.height = `${(scene.n / span) * height}px`;
    element.scrollTop = (middle / span - share) * height;
    paint();
  }

  /** A line of the picture is a row, or a pixel of the screen where there are more rows than these. */
  function paint() {
    const { n, shades, order } = scene;
    seen = element.scrollTop;
    const dots = Math.round(height * devicePixelRatio);
    const step = Math.max(1, span / dots);
    const top = step > 1 ? from() : Math.floor(from());
    const count = step > 1 ? dots : Math.min(Math.ceil(span) + 1, n - top);
    const [y, pitch] = [((top - from()) / span) * height, (step / span) * height];
    const edges = Uint16Array.from({ length: count + 1 }, (_, line) => Math.min(top + line * step, n));
    const image = new ImageData(places.length, count);
    const dot = new Uint32Array(image.data.buffer);
    places.forEach((_, t) => {
      const table = t < first ? palette.out : palette.scale;
      for (let line = 0; line < count; line++) {
        let best = 0;
        for (let r = edges[line]; r < edges[line + 1]; r++) {
          const shade = shades[t * n + order[r]];
          if (Math.abs(shade) > Math.abs(best)) best = shade;
        }
        dot[line * places.length + t] = table[255 + best];
      }
    });
    const source = Object.assign(document.createElement("canvas"), { width: places.length, height: count });
    source.getContext("2d").putImageData(image, 0, 0);
    const context = sharpen(canvas, width, height);
    context.imageSmoothingEnabled = false;
    // while a layer is still to come, the shades may be those of other columns
    if (shades.length === places.length * n) places.forEach(([x, wide], t) => context.drawImage(source, t, 0, 1, count, x, y, wide, count * pitch));
    if (pitch > LINE) edges.forEach((_, line) => context.clearRect(0, y + line * pitch, width, 1));
    name(edges.subarray(0, -1), y, pitch);
    moved();
  }

  /** Beside the rows: a stripe of their clusters with its numbers, or the numbers of neurons. */
  function name(rows, y, pitch) {
    const right = head.clientWidth - 5;
    const context = sharpen(axis, right + 5, height);
    const single = pitch > LINE;
    Object.assign(context, { font: getComputedStyle(axis).font, textAlign: "right", textBaseline: "top" });
    let [before, free] = [-1, 0];
    rows.forEach((row, line) => {
      const [neuron, place] = [scene.order[row], y + line * pitch];
      const group = scene.clusters[neuron];
      context.fillStyle = palette.groups[group];
      if (group) context.fillRect(right, place, 5, pitch + 0.5);
      if (place < free || place > height - LINE || (!single && scene.by === "cluster" && group === before)) return;
      context.fillStyle = palette.groups[0];
      context.fillText(single || scene.by !== "cluster" ? neuron : group || "none", right - 5, place + 2);
      before = group;
      free = place + (single || scene.by === "cluster" ? LINE : 50);
    });
  }

  /** Returns column and neuron under the pointer: of the rows that share its pixel, the strongest. */
  function at({ clientX, clientY }) {
    const box = canvas.getBoundingClientRect();
    const t = Math.max(0, places.findLastIndex(([x]) => x <= clientX - box.left));
    const row = Math.min(from() + Math.max(0, (clientY - box.top) / height) * span, scene.n - 1);
    const size = (neuron) => Math.abs(scene.shades[t * scene.n + neuron]);
    return [t, scene.order.subarray(row, Math.max(row + span / height, row + 1)).reduce((best, neuron) => (size(neuron) > size(best) ? neuron : best))];
  }

  /** Frames a column and a neuron's cell; nothing is painted for it. */
  function mark(t, neuron) {
    const [x, wide] = places[t] ?? [0, width];
    const frame = (box, hidden, top, high) => Object.assign(box, { hidden, style: `translate: ${x}px ${top}px; width: ${wide}px; height: ${high}px` });
    frame(column, !places[t], 0, height);
    frame(cell, neuron === null, ((scene.order.indexOf(neuron) - from()) / span) * height, Math.max(height / span, 3));
  }

  /** Scrolls to the row `by` rows from a neuron's, or to the first in sight; returns the neuron there. */
  function reveal(neuron, by = 0) {
    const row = neuron === null ? Math.ceil(from()) : Math.min(Math.max(scene.order.indexOf(neuron) + by, 0), scene.n - 1);
    if (Math.abs(row + 0.5 - from() - span / 2) > span / 2) element.scrollTop = (row / span - 0.5) * height;
    return scene.order[row];
  }
}
