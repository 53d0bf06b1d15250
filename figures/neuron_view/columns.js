/** The figure's columns: who looks, who is looked at, and one for each step between, drawn as strips, bars and numbers. */
import { extent, max, quantile, range } from "d3";
import { colour, pixels, sharpen } from "../shared/canvas.js";
import { percent } from "../shared/format.js";
import { spoken, textOf, visible } from "../shared/text.js";

const TITLES = { from: "looks", lines: "", to: "at", k: "key k", p: "q × k", s: "q·k", b: "bias", w: "softmax", v: "value v", c: "w·‖v‖" };
/** Canvases: column, and where in it; the query stands above the keys, the output below the values. */
const CANVASES = ["lines body", "k top", "k body", "p body", "p foot", "s body", "w body", "v body", "v foot"];
const SATURATED = 0.995; // the share of a strip's cells that its colours tell apart
const [STRIP, WIDEST, GAP] = [96, 12, 2]; // px: a strip's least width, a cell's largest, and between two tokens

export function make(tag, className, ...content) {
  const element = Object.assign(document.createElement(tag), { className });
  element.append(...content);
  return element;
}

/** Returns a number in three digits, or with so many after the point. */
export function short(number, digits) {
  return (digits === undefined ? `${Number(number.toPrecision(Math.abs(number) < 1e-3 ? 1 : 3))}` : number.toFixed(digits)).replace("-", "−");
}

/**
 * Returns the `element`, the tokens that look as `items` in a `list`, and those looked at as `names`. `paint` draws what a token
 * makes; then `row` is the height of a row in px and `cell` the width of a neuron's. `mark` frames neurons and a key's row.
 */
export function columns(tokens, { queries, keys }, stateful) {
  const [element, scroller] = [make("div", ""), make("div", "neurons")];
  const [at, canvases] = [{}, {}];
  for (const [name, title] of Object.entries(TITLES)) {
    const column = scroller.appendChild(make("div", `column ${name}`));
    for (const part of ["head", "top", "body", "foot"]) at[`${name} ${part}`] = column.appendChild(make("div", part));
    at[`${name} head`].append(title, make("small", ""));
    column.dataset.column = name;
    at[name] = column;
  }
  for (const name of CANVASES) canvases[name] = at[name].appendChild(make("canvas", ""));
  const frames = ["k", "p", "v"].map((name) => at[name].appendChild(make("i", "")));
  const band = scroller.appendChild(make("i", "band"));
  at["to top"].append("query q");
  at["w foot"].append("output");
  const add = (column, range) => tokens.slice(...range).map((token) => at[`${column} body`].appendChild(chip(token)));
  const [items, names, list] = [add("from", queries), add("to", keys), at["from body"]];
  items.forEach((item) => item.setAttribute("role", "button"));
  list.setAttribute("role", "group");
  list.setAttribute("aria-label", "Tokens that look: choose one");
  element.append(scroller);
  for (const name of stateful ? ["before", "after"] : []) {
    canvases[name] = make("canvas", "");
    element.append(make("div", "state", `State ${name} the layer `, canvases[name], (at[name] = make("span", ""))));
  }
  const made = { element, scroller, list, items, names, cell: {}, paint, mark };
  return made;

  /** Frames neurons by their number in the strips of query and key, and of the value, and the row of a key. */
  function mark(k, v, row) {
    [k, k, v].forEach((i, f) => {
      const wide = made.cell[f < 2 ? "k" : "v"];
      Object.assign(frames[f], { hidden: i === null, style: `translate:${i * wide}px;width:${wide}px` });
    });
    Object.assign(band, { hidden: row === null, style: `top:${names[row]?.offsetTop}px;width:${scroller.scrollWidth}px` });
  }

  /** Draws it in the page's colours of now; `states` are those before and after the layer, or null. */
  function paint(head, results, states) {
    const { q, seen, scores, weights, order } = results;
    const [paper, rule, plus, minus, hue] = ["f-paper", "f-rule", "positive", "negative", "hue"].map((name) => colour(element, `var(--${name})`));
    const shades = pixels(element, ["var(--negative)", "var(--nothing)", "var(--positive)"], 511);
    const end = (values) => quantile(values, SATURATED, Math.abs) || 1;
    const ends = { k: end(head.key), p: end(results.products), v: end(head.value) };
    const values = range(head.size);
    const row = (made.row = items[0].offsetHeight);
    fit(head);
    strip("k top", results.query, end(head.query), order);
    strip("k body", head.key, ends.k, order, 0.8);
    strip("p body", results.products, ends.p, order, 1);
    strip("p foot", results.parts, max(results.parts, Math.abs) || 1, order);
    strip("v body", head.value, ends.v, values, 0.8);
    strip("v foot", results.output, ends.v, values);
    bars("s", scores, extent([0, ...scores.filter((_, k) => seen[k])]));
    bars("w", weights, [0, max(weights)], hue);
    lines();
    const digits = max(scores, Math.abs) < 100 ? 2 : 0;
    const columns = { s: [scores, (score) => short(score, digits)], b: [results.bias ?? [], (bias) => short(bias, 2)], w: [weights, percent], c: [results.shares, (share) => short(share, 2)] };
    for (const [name, [list, format]] of Object.entries(columns)) text(name, Array.from(list, (number, k) => (seen[k] ? format(number) : "")).join("\n"));
    for (const name in ends) at[`${name} head`].lastChild.textContent = `±${short(ends[name])}`;
    at["s head"].lastChild.textContent = `× ${short(head.scale)}${head.softcap ? `, ≤ ${head.softcap}` : ""}`;
    at["c foot"].textContent = short(Math.hypot(...results.output), 2);
    names.forEach((name, k) => name.classList.toggle("is-masked", !seen[k]));
    scroller.toggleAttribute("data-biased", Boolean(results.bias));
    for (const name of stateful ? ["before", "after"] : []) {
      canvases[name].parentElement.classList.toggle("is-unknown", !states);
      if (!states) continue;
      const n = states.after.shape[1];
      strip(name, states[name].values.subarray(q * n, (q + 1) * n), end(states.after.values), range(n));
      at[name].textContent = `length ${short(states.norms[name === "after" ? 1 : 0][q])}`;
    }

    function text(name, content) {
      const body = at[`${name} body`];
      (body.querySelector("pre") ?? body.appendChild(make("pre", ""))).textContent = content;
    }

    /** Paints [rows, n] numbers as rows of cells, in an order of the n; rows that are not seen are covered so far. */
    function strip(name, list, end, order, cover = 0) {
      const [n, wide] = [order.length, canvases[name].parentElement.clientWidth];
      const rows = list.length / n;
      const image = new ImageData(n, rows);
      const dots = new Uint32Array(image.data.buffer);
      for (let i = 0; i < list.length; i++) dots[i] = shades[255 + Math.round(255 * Math.max(-1, Math.min(1, list[i - (i % n) + order[i % n]] / end)))];
      const source = Object.assign(document.createElement("canvas"), { width: n, height: rows });
      source.getContext("2d").putImageData(image, 0, 0);
      const context = sharpen(canvases[name], wide, rows * row);
      context.imageSmoothingEnabled = false;
      context.drawImage(source, 0, 0, wide, rows * row);
      Object.assign(context, { fillStyle: paper, globalAlpha: cover });
      for (let r = 0; r < rows; r++) {
        if (!seen[r]) context.fillRect(0, r * row, wide, row);
        context.clearRect(0, (r + 1) * row - GAP, wide, GAP);
      }
    }

    function bars(name, list, [low, high], fill) {
      const wide = at[`${name} body`].clientWidth / 2;
      const context = sharpen(canvases[`${name} body`], wide, names.length * row);
      const x = (value) => ((value - low) / (high - low || 1)) * (wide - 1);
      context.fillStyle = rule;
      context.fillRect(x(0), 0, 1, names.length * row);
      list.forEach((value, k) => {
        context.fillStyle = fill ?? (value < 0 ? minus : plus);
        if (seen[k]) context.fillRect(x(0), k * row + 3, x(value) - x(0), row - 8);
      });
    }

    function lines() {
      const wide = at["lines body"].clientWidth;
      const context = sharpen(canvases["lines body"], wide, Math.max(names.length, items.length) * row);
      const [from, middle] = [(q + 0.5) * row, wide / 2];
      context.strokeStyle = hue;
      weights.forEach((weight, k) => {
        const to = (k + 0.5) * row;
        Object.assign(context, { globalAlpha: weight < 0.002 ? 0 : 0.12 + 0.88 * weight, lineWidth: 0.75 + 3.25 * weight });
        context.stroke(new Path2D(`M0,${from}C${middle},${from} ${middle},${to} ${wide},${to}`));
      });
    }
  }

  /** Gives strips the room that there is, a whole number of the screen's pixels to a cell. */
  function fit({ width, size }) {
    const strips = ["k", "p", "v"].map((name) => at[`${name} body`].clientWidth);
    const used = at.c.offsetLeft + at.c.offsetWidth - strips[0] - strips[1] - strips[2];
    for (const [name, n] of [["k", width], ["v", size]]) {
      const even = Math.floor((Math.max((scroller.clientWidth - used) / 3, STRIP) / n) * devicePixelRatio) / devicePixelRatio;
      made.cell[name] = Math.min(Math.max(even, 1), WIDEST);
      scroller.style.setProperty(`--strip-${name}`, `${made.cell[name] * n}px`);
    }
  }
}

function chip(token) {
  const text = textOf(token);
  const element = make("span", "name", visible(text));
  element.dataset.type = token.type;
  if (!text.trim()) element.append(make("span", "spoken", spoken(text)));
  return element;
}
