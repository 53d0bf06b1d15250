/**
 * A sheet of a model's parts: a row a layer, in it a shaded cell a head, a number for all heads together and one for the
 * MLP, and bars; before and after the layers, rows of one part that has a name. `sheet.html` writes the same markup.
 */
import { maxIndex, range } from "d3";
import { pointing } from "./pointing.js";
import { roving } from "./roving.js";
import { pick } from "./selection.js";
import { shade } from "./strip.js";

const FEW = 16; // heads whose numbers all stand above their columns, else every fourth
const WHOLES = ["heads", "mlp"];

/**
 * Returns `{ element, items, find, rest, mark }`. Items are `{ layer, head, what, value, row }`: a head has its number,
 * what is none has `what` it is, "heads", "mlp" or a row's own word; `find` gives an item's index by these or −1.
 *
 * `rows` are `{ name, layer, heads, sums, bars, run }`, `sums` and `bars` of heads and MLP, or `{ what, text, value, bars,
 * run }`; a bar is `[from, to]`, `run` where a line stands. `top` has the full shade; `ticks` are `[value, text]` above
 * the bars, `reach` is how far these go below and above 0 at least. `on` is `{ point, press, step, escape }`, given indices.
 */
export function sheet({ label, n, rows, top, ticks, reach = {}, on }) {
  const element = make("div", "sheet");
  const items = [];
  const places = []; // of items: the columns they fill
  const lines = [];
  let framed = []; // a row and a cell
  const ends = rows.flatMap(({ bars, run }) => [...bars.flat(), run ?? 0]);
  const low = Math.min(-(reach.below ?? 0), ...ends);
  const high = Math.max(reach.above ?? 0, low + 1e-9, ...ends);
  const at = (value) => `${((100 * (value - low)) / (high - low)).toFixed(2)}%`;
  element.setAttribute("role", "grid");
  element.setAttribute("aria-label", label);
  element.style.cssText = `--heads:${n};--rows:${rows.length};--zero:${at(0)}`;
  head();
  for (const row of rows) {
    const line = cell(element, "row", "sheet-line");
    if (row.what) line.append(make("div", "sheet-name")); // it is its own name
    else cell(line, "rowheader", "sheet-name", row.name);
    lines.push(line);
    if (row.what) add(line, row, "sheet-wide", { layer: null, head: null, what: row.what, value: row.value }, 0, n + 2);
    else {
      range(n).forEach((h) => {
        if (h < row.heads.length) add(line, row, "sheet-head", { layer: row.layer, head: h, what: null, value: row.heads[h] }, h, h + 1);
        else cell(line, "gridcell", "");
      });
      row.sums.forEach((value, s) => {
        if (value !== null) add(line, row, "sheet-sum", { layer: row.layer, head: null, what: WHOLES[s], value }, n + s, n + s + 1);
        else cell(line, "gridcell", "");
      });
    }
    line.append(bars(row));
  }
  const cells = items.map(({ element }) => element);
  const { rest } = roving(element, cells, next, on.step);
  pointing(element, cells, { ...on, press: (index) => (rest(index), on.press(index)), slide: true });
  rest(Math.max(0, maxIndex(items, ({ head, value }) => (head === null ? -1 : Math.abs(value))))); // the strongest head
  return { element, items, find, rest, mark };

  function find(part) {
    return part ? items.findIndex((one) => ["layer", "head", "what"].every((key) => one[key] === (part[key] ?? null))) : -1;
  }

  /** Frames an item, which may be pinned, or the row of a layer. */
  function mark(index, pinned, layer) {
    const row = items[index]?.row ?? rows.findIndex((one) => layer !== undefined && one.layer === layer);
    framed.forEach((one) => one?.classList.remove("is-row", "is-selected"));
    framed = [lines[row], cells[index]];
    framed[0]?.classList.add("is-row");
    framed[1]?.classList.add("is-selected");
    pick(element, pinned ? cells[index] : null);
  }

  function add(line, row, name, item, from, to) {
    const made = cell(line, "gridcell", name);
    made.tabIndex = -1;
    if (name === "sheet-head") {
      shade(made, item.value, top);
      made.ariaLabel = signed(item.value); // a shade cannot be heard
    }
    if (name === "sheet-sum") made.textContent = signed(item.value);
    if (name === "sheet-wide") made.append(make("span", "", row.text), make("span", "", signed(item.value)));
    places.push([from, to]);
    items.push({ ...item, row: lines.length - 1, element: made });
  }

  function bars({ bars, run }) {
    const element = make("div", "sheet-bars");
    element.setAttribute("aria-hidden", "true");
    for (const [from, to] of bars) {
      const bar = make("i", to < from ? "is-minus" : "");
      bar.style.cssText = `left:${at(Math.min(from, to))};right:calc(100% - ${at(Math.max(from, to))})`;
      element.append(bar);
    }
    if (run !== undefined) element.append(Object.assign(make("s", ""), { style: `left:${at(run)}` }));
    return element;
  }

  function head() {
    const line = cell(element, "row", "sheet-line sheet-top");
    cell(line, "columnheader", "sheet-name").append(make("span", "spoken", "layer"));
    range(n).forEach((h) => cell(line, "columnheader", "").append(make("span", n <= FEW || h % 4 === 0 ? "" : "spoken", h)));
    ["heads", "MLP"].forEach((text) => cell(line, "columnheader", "", text));
    const scale = make("div", "sheet-bars");
    scale.setAttribute("aria-hidden", "true");
    scale.append(...ticks.map(([value, text]) => Object.assign(make("span", "", text), { style: `left:${at(value)};translate:-${at(value)}` })));
    line.append(scale);
  }

  /** Arrows along and across the rows; Home and End of a row, with Ctrl of all. */
  function next(index, { key, ctrlKey }) {
    const [from, to] = places[index];
    const r = items[index].row;
    const down = { ArrowDown: 1, ArrowUp: -1, PageDown: 5, PageUp: -5 }[key];
    const inRow = range(items.length).filter((i) => ctrlKey || items[i].row === r);
    if (key === "Home") return inRow[0];
    if (key === "End") return inRow.at(-1);
    if (key === "ArrowRight" || key === "ArrowLeft") return index + (key === "ArrowRight" ? 1 : -1);
    if (!down) return undefined;
    const row = Math.max(0, Math.min(rows.length - 1, r + down));
    const middle = to - from > 1 ? 0 : from; // from a row of one part into the first column
    const there = range(items.length).filter((i) => items[i].row === row);
    return there.find((i) => places[i][0] <= middle && middle < places[i][1]) ?? there.at(-1);
  }
}

/** A folded list of the parts that do most: `[name, number]` pairs, a name a text or nodes. */
export function strongest(title, pairs) {
  const details = make("details", "rows");
  const body = make("tbody", "");
  const table = make("table", "");
  for (const [name, value] of pairs) {
    const row = body.insertRow();
    const th = make("th", "", name);
    th.scope = "row";
    row.append(th, make("td", "", signed(value)));
  }
  table.append(body);
  details.append(make("summary", "", title), table);
  return details;
}

/** Returns a number with its sign, at most two digits behind the point. */
export function signed(value) {
  const size = Math.abs(value);
  const text = size.toFixed(size >= 99.95 ? 0 : size >= 9.995 ? 1 : 2);
  return `${Number(text) === 0 ? "" : value < 0 ? "−" : "+"}${text}`;
}

export function make(tag, name, text = "") {
  const element = document.createElement(tag);
  if (name) element.className = name;
  element.append(text);
  return element;
}

function cell(parent, role, name, text = "") {
  const element = make("div", name, text);
  element.setAttribute("role", role);
  parent.append(element);
  return element;
}
