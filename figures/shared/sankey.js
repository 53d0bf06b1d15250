/** A Sankey: a row a piece of text, a column a layer, and ribbons between them, as wide as the share that they carry. */
import { linkHorizontal, max, range, sum } from "d3";
import { percent } from "./format.js";
import { visible } from "./text.js";

export const LEAST = 0.01; // a share that is less is not drawn
const HEIGHT = 420; // px, whatever is drawn: nothing below it moves; sankey.css has it too
const [TOP, ROW, GAP, NODE] = [22, 14, 3, 5]; // px: names of columns, a row that can be read, between rows, width of a node
const link = linkHorizontal();

/**
 * Returns `{ element, note, draw }`, a drawing and the words below it. `columns` are the layers, numbers or names, the first one null: the input;
 * `name(u)` is the text of row u. `draw({ masses, flows }, shares)` draws `masses[c][u]`, the share of row u in column c, and
 * `flows[c]`, a list of `[from, to, share]` from column c to the next; beside their names rows have `shares`. `look(ribbon,
 * element)` is told what a mouse is at, or a finger touches: `[from, to, share, column]`, or null.
 */
export function sankey(columns, name, look) {
  const element = document.createElement("div");
  const names = document.createElement("div");
  const note = document.createElement("p");
  const svg = draw("svg", { "aria-hidden": "true" });
  note.className = "sankey-note";
  element.className = "sankey";
  names.className = "sankey-names";
  names.setAttribute("aria-hidden", "true");
  element.append(names, svg);
  let drawn = null; // what is drawn, for another width
  let ribbons = [];
  new ResizeObserver(() => drawn && paint()).observe(element);
  const at = ({ target }) => look(ribbons[target.dataset?.ribbon] ?? null, target);
  const hover = (act) => (event) => event.pointerType !== "touch" && act(event);
  svg.addEventListener("pointerover", hover(at));
  svg.addEventListener("pointerleave", hover(() => look(null)));
  svg.addEventListener("click", at); // a finger's: what it touched stays until it touches elsewhere
  return { element, note, draw: (found, row) => ((drawn = { ...found, row }), paint()) };

  function paint() {
    const { masses, flows, row } = drawn;
    const most = masses[0].map((_, u) => max(masses, (column) => column[u]));
    const known = range(most.length).filter((u) => most[u] >= LEAST).sort((a, b) => most[b] - most[a]);
    const shown = known.slice(0, Math.floor((HEIGHT - TOP) / (ROW + GAP))).sort((a, b) => a - b);
    const scale = fit(shown.map((u) => most[u]), HEIGHT - TOP - shown.length * GAP);
    const width = svg.clientWidth;
    const x = (c) => NODE + (c * (width - 2 * NODE)) / (columns.length - 1);
    const middle = new Map();
    let y = TOP;
    for (const u of shown) {
      const height = Math.max(ROW, most[u] * scale);
      middle.set(u, y + height / 2);
      y += height + GAP;
    }
    names.replaceChildren(...shown.map((u) => label(u, middle.get(u), row[u])));
    const heads = columns.map((layer, c) => {
      const end = c === columns.length - 1;
      const text = draw("text", { x: c ? (end ? width : x(c)) : 0, y: 11, "text-anchor": c ? (end ? "end" : "middle") : "start" });
      text.textContent = c ? (width > 300 ? (end && Number.isInteger(layer) ? `layer ${layer}` : layer) : String(layer).replace(/(\w)\w+ /, "$1")) : "input"; // of names, on a phone, a letter
      return text;
    });
    const used = [masses, masses].map((side) => side.map(() => new Map())); // how much of a node is taken, on its right and left
    ribbons = [];
    const paths = flows.flatMap((list, c) =>
      [...list].sort((a, b) => a[0] - b[0] || a[1] - b[1]).filter(([from, to]) => middle.has(from) && middle.has(to)).map(([from, to, share]) => {
        const ends = [[from, c, 0], [to, c + 1, 1]].map(([u, column, side]) => {
          const taken = used[side][column].get(u) ?? 0;
          used[side][column].set(u, taken + share);
          return [x(column) + (side ? -NODE / 2 : NODE / 2), middle.get(u) + (taken + share / 2 - masses[column][u] / 2) * scale];
        });
        ribbons.push([from, to, share, c]);
        return draw("path", { d: link({ source: ends[0], target: ends[1] }), class: from === to ? "is-own" : "", "stroke-width": Math.max(share * scale, 0.75), "data-ribbon": ribbons.length - 1 });
      }),
    );
    const nodes = masses.flatMap((column, c) =>
      shown.filter((u) => column[u] >= LEAST).map((u) => {
        const height = Math.max(column[u] * scale, 1.5);
        return draw("rect", { x: x(c) - NODE / 2, y: middle.get(u) - height / 2, width: NODE, height });
      }),
    );
    svg.replaceChildren(...heads, ...paths, ...nodes);
  }

  function label(u, y, share) {
    const line = document.createElement("div");
    const text = document.createElement("span");
    const number = document.createElement("b");
    text.append(visible(name(u)));
    number.textContent = share >= LEAST / 100 ? percent(share) : "";
    line.style.top = `${y}px`;
    line.append(text, number);
    return line;
  }
}

/** Returns the pixels of the whole, so that rows as high as their share, but never less than can be read, fill a height. */
function fit(shares, height) {
  let small = 0;
  let scale = 0;
  for (const _ of shares) {
    const large = shares.filter((share) => share * scale >= ROW || !scale);
    small = shares.length - large.length;
    const next = (height - small * ROW) / (sum(large) || 1);
    if (Math.abs(next - scale) < 0.01) break;
    scale = next;
  }
  return scale;
}

function draw(tag, attributes) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [key, item] of Object.entries(attributes)) element.setAttribute(key, item);
  return element;
}
