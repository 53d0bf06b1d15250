/** Small pictures of hundreds of heads, painted at once on one canvas, as matrices or as lines. */
import { colour, pixels } from "./canvas.js";
import { pen, shadeOf } from "./weights.js";

const SHADE = Uint8Array.from({ length: 256 }, (_, code) => shadeOf(code));

/**
 * Paints those heads that `places` names, each `[head, left, top]` in px with a picture `size` px wide and high, from
 * `{ codes, queries, keys }`: bytes head by head, row by row. `element` has the colours of the page.
 *
 * A matrix is written pixel by pixel: a pixel is the nearest dot, or the darkest of those that it has to stand for: a
 * single strong weight is not lost.
 */
export function paintThumbnails(context, element, { codes, queries, keys }, places, size, { display, causal }) {
  const area = queries * keys;
  if (display === "lines") {
    const width = Math.min(1, Math.max(0.4, (0.5 * size) / queries));
    const strokes = pen(Object.assign(context, { strokeStyle: colour(element, "var(--scale-high)"), lineWidth: width }));
    const y = (top, i, count) => top + ((i + 0.5) / count) * size;
    for (const [head, left, top] of places)
      for (let i = 0; i < area; i++) strokes.add(left + 2, y(top, Math.floor(i / keys), queries), left + size - 2, y(top, i % keys, keys), codes[head * area + i] / 255);
    return strokes.stroke();
  }
  const ratio = devicePixelRatio || 1;
  const side = Math.round(size * ratio);
  const scale = pixels(element, ["var(--scale-low)", "var(--scale-mid)", "var(--scale-high)"], 256);
  const image = context.createImageData(context.canvas.width, context.canvas.height);
  const dot = new Uint32Array(image.data.buffer);
  const [down, across] = [reach(queries, side), reach(keys, side)];
  for (const [head, left, top] of places) {
    const [x, y] = [Math.round(left * ratio), Math.round(top * ratio)];
    for (let v = 0; v < side; v++) {
      const start = (y + v) * image.width + x;
      const [q, lastQ] = [down[2 * v], down[2 * v + 1]];
      if (v && q === lastQ && down[2 * v - 1] === q && down[2 * v - 2] === q) {
        dot.copyWithin(start, start - image.width, start - image.width + side); // another line of the same dots
        continue;
      }
      for (let u = 0; u < side; u++) {
        const [k, lastK] = [across[2 * u], across[2 * u + 1]];
        if (causal && k > lastQ) break;
        let most = 0;
        for (let r = q; r <= lastQ; r++)
          for (let at = head * area + r * keys + k; at <= head * area + r * keys + lastK; at++) if (codes[at] > most) most = codes[at];
        dot[start + u] = scale[SHADE[most]];
      }
    }
  }
  context.putImageData(image, 0, 0);
}

/** Returns for each pixel of a side the first and the last of `count` dots that it shows. */
function reach(count, side) {
  const at = (pixel) => (pixel * count) / side;
  return Uint16Array.from({ length: 2 * side }, (_, i) => (side >= count ? at((i >> 1) + 0.5) : i & 1 ? Math.ceil(at((i >> 1) + 1)) - 1 : at(i >> 1)));
}
