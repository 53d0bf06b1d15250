/** The board: a head in each cell of a table, all painted at once on the one canvas that lies under it. */
import { colour, onRepaint, sharpen } from "../shared/canvas.js";
import { overGrid, roving } from "../shared/roving.js";
import { paintThumbnails } from "../shared/thumbnails.js";

/**
 * Returns `{ element, items, arrange, paint, rest }` of a part with `layers`, `heads` and whether it is `causal`. The `items`
 * are the cells, head by head in each layer, and then the names of the layers. `moved(i)` is called when a key leads to one.
 */
export function board(label, { layers, heads, causal }, moved) {
  const [element, table, canvas] = ["div", "table", "canvas"].map((tag) => document.createElement(tag));
  element.className = "board";
  table.setAttribute("role", "grid");
  table.setAttribute("aria-label", label);
  canvas.setAttribute("aria-hidden", "true");
  element.append(canvas, table);
  const cells = layers.flatMap(() => heads.map(() => document.createElement("td")));
  const names = layers.map(() => header("", "row"));
  const items = [...cells, ...names];
  items.forEach((item) => (item.tabIndex = -1));
  let walk = () => undefined;
  let order = cells.map((_, i) => i);
  let frame, last;
  const stops = roving(element, items, (index, event) => {
    const to = walk(order.indexOf(index), event);
    return to === undefined ? to : order[Math.min(to, order.length - 1)];
  }, moved);
  new ResizeObserver(again).observe(table);
  onRepaint(() => last && paint(...last)); // at once: a printer does not wait for a frame
  return { element, items, arrange, paint, rest: stops.rest };

  /** Puts cells, by index, into rows `{ layer, note, cells }`; rows without a layer, and columns without names, have no headers. */
  function arrange(rows, columns) {
    const width = Math.max(...rows.map((row) => row.cells.length));
    const held = items.indexOf(document.activeElement); // leaving the table takes the focus away
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
        const th = names[layers.indexOf(layer)];
        th.textContent = line.previousSibling ? layer : `layer ${layer}`; // the first number says what is numbered
        if (note) th.append(Object.assign(document.createElement("small"), { textContent: note }));
        line.append(th);
      }
      line.append(...members.map((i) => cells[i]));
    }
    const named = rows.filter(({ layer }) => layer !== undefined);
    order = [...rows.flatMap((row) => row.cells), ...named.map(({ layer }) => cells.length + layers.indexOf(layer))];
    walk = overGrid(rows.length, width, { names: named.length });
    if (!order.some((i) => items[i].tabIndex === 0)) stops.rest(order[0]); // what is not there cannot be entered
    if (held >= 0) items[order.includes(held) ? held : order[0]].focus({ preventScroll: true });
  }

  function again() {
    cancelAnimationFrame(frame);
    frame = requestAnimationFrame(() => last && paint(...last));
  }

  /** Paints thumbnails `{ codes, queries, keys }`; `told(i)` is what stands with one: its `name` above, `text` on a bar of `share` below. */
  function paint(picture, display, told) {
    last = [picture, display, told];
    const [width, height] = [table.offsetWidth, table.offsetHeight];
    if (!width) return;
    const context = sharpen(canvas, width, height);
    const { offsetWidth: across, offsetHeight: down } = cells[order[0]];
    element.style.setProperty("--painted", `${across}px`);
    const above = parseFloat(getComputedStyle(cells[order[0]]).paddingTop);
    const inset = Math.max(1, Math.round(across / 20)); // px between a cell's edge and its picture
    const size = across - 2 * inset;
    const places = order.filter((i) => i < cells.length).map((i) => [i, cells[i].offsetLeft + inset, cells[i].offsetTop + above + inset]);
    paintThumbnails(context, element, picture, places, size, { display, causal });
    if (!told) return;
    const strip = down - above - across;
    const { fontSize, fontFamily } = getComputedStyle(cells[order[0]]);
    const [ink, bar] = [colour(element, "var(--f-ink)"), colour(element, "var(--bar)")];
    Object.assign(context, { font: `${fontSize} ${fontFamily}`, textBaseline: "middle" });
    for (const [i, left, top] of places) {
      const { name, text, share } = told(i);
      context.fillStyle = bar;
      context.fillRect(left, top + size + inset, size * share, strip - 1);
      context.fillStyle = ink;
      context.fillText(text, left + 1, top + size + inset + strip / 2, size);
      context.fillText(name, left + 1, top - strip / 2, size);
    }
  }
}

function header(text, scope) {
  const th = document.createElement("th");
  th.scope = scope;
  th.textContent = text;
  return th;
}
