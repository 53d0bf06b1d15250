/** Lines between two columns of rows on canvas, a colour a head: all of them, or one row's, with a shade a head where they end. */
import { category } from "./category.js";
import { colour, onRepaint, sharpen } from "./canvas.js";

const TILE = 800; // px, as in lines.css: a long picture lies on several canvases, painted when they near the screen
const FAINT = 0.02; // fainter lines are not seen
const STEPS = 24; // of width and opacity: the lines of a step are drawn at once
const CELL = 8; // px: the width of a shade, unless there are many heads

/**
 * Draws into `element`. `set({ weights, shown, allowed })` takes weights as `between` makes them, the heads that are drawn,
 * and `allowed(i, j)`, whether row i's line to row j is; `focus({ side, row })` leaves one row's lines, and `null` all.
 */
export function lines(element) {
  let [scene, chosen, tiles, height, width, colours] = [null, null, [], 0, 0];
  const near = globalThis.IntersectionObserver && new IntersectionObserver((entries) => entries.forEach(({ target, isIntersecting }) => come(target, isIntersecting)), { rootMargin: "60% 0px" });
  new ResizeObserver(measure).observe(element);
  onRepaint(repaint);
  addEventListener("beforeprint", () => tiles.forEach(({ box }) => come(box, true)));
  return {
    set: (next) => ((scene = next), repaint()),
    focus: (item) => ((chosen = item), repaint("one")),
  };

  function measure() {
    if (element.clientHeight === height && element.clientWidth === width) return;
    [height, width] = [element.clientHeight, element.clientWidth];
    near?.disconnect();
    tiles = Array.from({ length: Math.ceil(height / TILE) }, (_, n) => {
      const [box, all, one] = ["div", "canvas", "canvas"].map((tag) => document.createElement(tag));
      all.width = one.width = 0;
      box.append(all, one);
      near?.observe(box);
      return { box, all, one, top: n * TILE, isNear: !near };
    });
    element.replaceChildren(...tiles.map(({ box }) => box));
    if (!near) repaint(); // an old browser has all of it painted
  }

  function come(box, isNear) {
    const tile = tiles.find((tile) => tile.box === box);
    if (tile) paint(Object.assign(tile, { isNear }));
  }

  function repaint(what) {
    if (what !== "one") colours = Array.from({ length: scene?.weights.heads ?? 0 }, (_, h) => colour(element, category(h + 1)));
    for (const tile of tiles) {
      tile.one.fresh = false;
      if (what !== "one") tile.all.fresh = false;
      paint(tile);
    }
  }

  /** Paints what is to be seen and is not yet; what is far gives its memory back. */
  function paint({ all, one, top, isNear }) {
    all.hidden = Boolean(chosen);
    one.hidden = !chosen;
    const canvas = chosen ? one : all;
    if (!isNear) for (const far of [all, one]) [far.width, far.fresh] = [0, false];
    if (!isNear || !scene || canvas.fresh) return;
    const high = Math.min(TILE, height - top);
    const context = sharpen(canvas, width, high);
    canvas.fresh = true;
    context.translate(0, -top);
    draw(context, top, top + high);
  }

  function draw(context, top, bottom) {
    const { weights: { rows, columns, values }, shown, allowed } = scene;
    const { side, row } = chosen ?? {};
    const pitch = height / Math.max(rows, columns);
    const apart = (0.6 * pitch) / shown.length; // heads run side by side, not one over another
    const widest = Math.min(3.5, Math.max(1.2, 1.25 * apart));
    const cell = side ? Math.min(CELL, width / 4 / shown.length) : 0;
    const room = cell && cell * shown.length + 2;
    const [left, right] = side === "to" ? [room, width] : [0, width - room];
    const [i0, i1] = side === "from" ? [row, row + 1] : [0, rows];
    const [j0, j1] = side === "to" ? [row, row + 1] : [0, columns];
    shown.forEach((h, n) => {
      const paths = [];
      const y = (i) => (i + 0.2) * pitch + (n + 0.5) * apart;
      context.strokeStyle = context.fillStyle = colours[h];
      for (let i = i0; i < i1; i++)
        for (let j = j0; j < j1; j++) {
          const weight = values[(h * rows + i) * columns + j];
          if (!weight || !allowed(i, j)) continue;
          const strength = side ? Math.sqrt(weight) : weight; // few lines may be strong, thousands would hide each other
          if (side) {
            context.globalAlpha = Math.min(1, strength);
            context.fillRect(n * cell + (side === "from" && right + 2), (side === "from" ? j : i) * pitch + 1, cell - (cell > 3), pitch - 2);
          }
          const [from, to] = [y(i), y(j)];
          if (weight < FAINT || Math.max(from, to) < top || Math.min(from, to) > bottom) continue;
          const path = (paths[Math.min(STEPS, Math.ceil(strength * STEPS))] ??= new Path2D());
          const middle = (left + right) / 2;
          path.moveTo(left, from);
          path.bezierCurveTo(middle, from, middle, to, right, to);
        }
      paths.forEach((path, step) => {
        context.globalAlpha = 0.06 + (0.94 * step) / STEPS;
        context.lineWidth = 0.5 + ((widest - 0.5) * step) / STEPS;
        context.stroke(path);
      });
    });
  }
}
