/** The board: a head in each cell of a table, all painted at once on the one canvas that lies under it. */
import { colour, onRepaint, pixels, sharpen } from "../shared/canvas.js";
import { overGrid, roving } from "../shared/roving.js";
import { pen, shadeOf } from "../shared/weights.js";

const SHADE = Uint8Array.from({ length: 256 }, (_, code) => shadeOf(code));
const INSET = 1; // px between a cell's edge and its picture

/**
 * Returns `{ element, cells, arrange, paint, rest }` of a part with `layers`, `heads` and whether it is `causal`; `cells` are
 * head by head in each layer. `moved(i)` is called when a key leads to a cell.
 */
export function board(label, { layers, heads, causal }, moved) {
  const [element, table, canvas] = ["div", "table", "canvas"].map((tag) => document.createElement(tag));
  element.className = "board";
  table.setAttribute("role", "grid");
  table.setAttribute("aria-label", label);
  canvas.setAttribute("aria-hidden", "true");
  element.append(canvas, table);
  const cells = layers.flatMap(() => heads.map(() => document.createElement("td")));
  cells.forEach((cell) => (cell.tabIndex = -1));
  let walk = () => undefined;
  let order = cells.map((_, i) => i);
  let frame, last;
  const stops = roving(element, cells, (index, event) => {
    const to = walk(order.indexOf(index), event);
    return to === undefined ? to : order[Math.min(to, order.length - 1)];
  }, moved);
  new ResizeObserver(again).observe(table);
  onRepaint(again);
  return { element, cells, arrange, paint, rest: stops.rest };

  /** Puts cells, by index, into rows `{ layer, note, cells }`; rows without a layer, and columns without names, have no heads. */
  function arrange(rows, columns) {
    const width = Math.max(...rows.map((row) => row.cells.length));
    element.style.setProperty("--columns", width);
    element.style.setProperty("--rows", rows.length);
    table.replaceChildren();
    if (columns) {
      const line = table.createTHead().insertRow();
      line.append(header("head", "col"), ...columns.map((name) => header(name, "col")));
    }
    const body = table.createTBody();
    for (const { layer, note, cells: members } of rows) {
      const line = body.insertRow();
      if (layer !== undefined) {
        const th = header(line.previousSibling ? layer : `layer ${layer}`, "row"); // the first number says what is numbered
        th.dataset.layer = layer;
        if (note) th.append(Object.assign(document.createElement("small"), { textContent: note }));
        line.append(th);
      }
      line.append(...members.map((i) => cells[i]));
    }
    order = rows.flatMap((row) => row.cells);
    walk = overGrid(rows.length, width);
    if (!order.some((i) => cells[i].tabIndex === 0)) stops.rest(order[0]); // what is not there cannot be entered
  }

  function again() {
    cancelAnimationFrame(frame);
    frame = requestAnimationFrame(() => last && paint(...last));
  }

  /** Paints thumbnails `{ codes, queries, keys }`; `told(i)` is what stands under one, `{ text, share }`, and `name(i)` above. */
  function paint(picture, display, told, name) {
    last = [picture, display, told, name];
    const [width, height] = [table.offsetWidth, table.offsetHeight];
    if (!width || !order.length) return;
    const ratio = devicePixelRatio || 1;
    const context = sharpen(canvas, width, height);
    const { offsetWidth: across, offsetHeight: down } = cells[order[0]];
    const css = (property) => parseFloat(getComputedStyle(cells[order[0]]).getPropertyValue(property)) || 0;
    const above = css("padding-top");
    const size = Math.round((across - 2 * INSET) * ratio);
    const places = order.map((i) => [i, cells[i].offsetLeft + INSET, cells[i].offsetTop + above + INSET]);
    (display === "lines" ? drawLines : drawMatrices)(context, picture, places, size, ratio);
    if (told || name) write(context, places, { told, name, width: across - 2 * INSET, height: down, above });
  }

  /** Pixel by pixel: a pixel is the nearest dot, or the darkest of those it has to stand for. */
  function drawMatrices(context, { codes, queries, keys }, places, size, ratio) {
    const scale = pixels(element, ["var(--scale-low)", "var(--scale-mid)", "var(--scale-high)"], 256);
    const image = context.createImageData(context.canvas.width, context.canvas.height);
    const dot = new Uint32Array(image.data.buffer);
    const [down, across] = [spans(queries, size), spans(keys, size)];
    for (const [i, left, top] of places) {
      const start = i * queries * keys;
      const [x, y] = [Math.round(left * ratio), Math.round(top * ratio)];
      for (let v = 0; v < size; v++) {
        let to = (y + v) * image.width + x;
        const [q, lastQ] = [down[2 * v], down[2 * v + 1]];
        for (let u = 0; u < size; u++, to++) {
          const [k, lastK] = [across[2 * u], across[2 * u + 1]];
          if (causal && k > lastQ) break;
          let most = codes[start + q * keys + k];
          for (let r = q; r <= lastQ; r++) for (let c = k; c <= lastK; c++) if (codes[start + r * keys + c] > most) most = codes[start + r * keys + c];
          dot[to] = scale[SHADE[most]];
        }
      }
    }
    context.putImageData(image, 0, 0);
  }

  function drawLines(context, { codes, queries, keys }, places, size, ratio) {
    const side = size / ratio;
    const strokes = pen(Object.assign(context, { strokeStyle: colour(element, "var(--scale-high)"), lineWidth: Math.min(1, Math.max(0.4, (0.5 * side) / queries)) }));
    for (const [i, left, top] of places) {
      for (let q = 0, at = i * queries * keys; q < queries; q++) {
        for (let k = 0; k < keys; k++, at++) strokes.add(left + 2, top + ((q + 0.5) / queries) * side, left + side - 2, top + ((k + 0.5) / keys) * side, codes[at] / 255);
      }
    }
    strokes.stroke();
  }

  /** Names above, and under each picture its number on a bar. */
  function write(context, places, { told, name, width, height, above }) {
    const [ink, bar] = [colour(element, "var(--f-ink)"), colour(element, "var(--bar)")];
    const { fontSize, fontFamily } = getComputedStyle(cells[order[0]]);
    Object.assign(context, { font: `${fontSize} ${fontFamily}`, textBaseline: "middle" });
    const strip = height - above - width - 2 * INSET;
    for (const [i, left, top] of places) {
      if (told) {
        const { text, share } = told(i);
        const y = top + width + INSET;
        context.fillStyle = bar;
        context.fillRect(left, y, width * share, strip - 1);
        context.fillStyle = ink;
        context.fillText(text, left + 1, y + strip / 2, width);
      }
      context.fillStyle = ink;
      if (name) context.fillText(name(i), left + 1, top - strip / 2, width);
    }
  }
}

/** Returns for each pixel of a side the first and the last of `count` dots that it shows. */
function spans(count, size) {
  const found = new Uint16Array(2 * size);
  for (let p = 0; p < size; p++) {
    const nearest = Math.floor(((p + 0.5) * count) / size);
    found[2 * p] = size >= count ? nearest : Math.floor((p * count) / size);
    found[2 * p + 1] = size >= count ? nearest : Math.ceil(((p + 1) * count) / size) - 1;
  }
  return found;
}

function header(text, scope) {
  const th = document.createElement("th");
  th.scope = scope;
  th.textContent = text;
  return th;
}
