/** Numbers with a sign on canvas: strips of cells, a row a token, and bars from a line of zero; blue above, orange below. */
import { colour, pixels, sharpen } from "./canvas.js";

const GAP = 2; // px between two rows

/** Returns the page's colours of now for both; what is nothing has the style sheet's `--nothing`. */
export function inks(element) {
  const [paper, rule, plus, minus, hue] = ["f-paper", "f-rule", "positive", "negative", "hue"].map((name) => colour(element, `var(--${name})`));
  return { paper, rule, plus, minus, hue, cells: pixels(element, ["var(--negative)", "var(--nothing)", "var(--positive)"], 511) };
}

/**
 * Paints numbers [rows, n] as rows of cells, `order` the columns from left to right; the strongest colours are those of ±`end`.
 * Rows that `seen` denies are covered so far, from 0 to 1.
 */
export function strips(canvas, values, { ink, order, end, wide, row, seen, cover = 0 }) {
  const n = order.length;
  const rows = values.length / n;
  const image = new ImageData(n, rows);
  const dots = new Uint32Array(image.data.buffer);
  for (let i = 0; i < dots.length; i++) dots[i] = ink.cells[255 + Math.round(255 * Math.max(-1, Math.min(1, values[i - (i % n) + order[i % n]] / (end || 1))))];
  const source = Object.assign(document.createElement("canvas"), { width: n, height: rows });
  source.getContext("2d").putImageData(image, 0, 0);
  const context = sharpen(canvas, wide, rows * row);
  context.imageSmoothingEnabled = false;
  context.drawImage(source, 0, 0, wide, rows * row);
  Object.assign(context, { fillStyle: ink.paper, globalAlpha: cover });
  for (let r = 0; r < rows; r++) {
    if (cover && !seen[r]) context.fillRect(0, r * row, wide, row);
    context.clearRect(0, (r + 1) * row - GAP, wide, GAP);
  }
}

/** Paints a number a row as a bar between the `ends` of a scale that holds 0, over half of a width; numbers stand beside. */
export function bars(canvas, values, { ink, ends: [low, high], wide, row, seen, fill }) {
  const context = sharpen(canvas, wide, values.length * row);
  const x = (value) => ((value - low) / (high - low || 1)) * (wide / 2);
  context.fillStyle = ink.rule;
  context.fillRect(x(0), 0, 1, values.length * row);
  values.forEach((value, r) => {
    context.fillStyle = fill ?? (value < 0 ? ink.minus : ink.plus);
    if (seen[r]) context.fillRect(x(0), r * row + 3, x(value) - x(0), row - 8);
  });
}
