/** The figure's columns: who looks, who is looked at, and one for each step between, drawn as strips, bars and numbers. */
import { extent, max, range } from "d3";
import { sharpen } from "../shared/canvas.js";
import { percent } from "../shared/format.js";
import { bars, inks, strips } from "../shared/strips.js";
import { spoken, textOf, visible } from "../shared/text.js";
import { unpack } from "../shared/vectors.js";

const TITLES = { from: "looks", links: "", to: "at", k: "key k", p: "q × k", s: "q·k", b: "bias", w: "softmax", v: "value v", c: "w·‖v‖" };
/** The query stands above the keys, the output under the values. */
const CANVASES = ["links cells", "k above", "k cells", "p cells", "p under", "s cells", "w cells", "v cells", "v under"];
const SATURATED = 0.995; // the share of a strip's cells that its colours tell apart
const [STRIP, WIDEST] = [96, 12]; // px: a strip's least width, and a cell's largest

export function make(className, ...content) {
  const element = document.createElement(/^(canvas|small|i)$/.test(className) ? className : "div");
  element.className = className;
  element.append(...content);
  return element;
}

/** Returns a number in three digits, or with so many after the point. */
export function short(number, digits) {
  return (digits ? number.toFixed(digits) : `${+number.toPrecision(3)}`).replace("-", "−");
}

/** Returns the `element`; the tokens that look are `items` in a `list`. `mark` frames neurons and a key, of what `paint` drew; `reveal` and `turn` scroll. */
export function columns(tokens, { queries, keys }, stateful) {
  const [scroller, at] = [make("neurons"), {}];
  for (const name in TITLES) {
    at[name] = scroller.appendChild(make(`column ${name}`));
    at[name].dataset.column = name;
    for (const place of ["title", "above", "cells", "under"]) at[`${name} ${place}`] = at[name].appendChild(make(place));
    at[`${name} title`].append(TITLES[name], make("small"));
  }
  for (const name of CANVASES) at[name].append(make("canvas"));
  for (const name of "sbwc") at[`${name} cells`].append((at[`${name} numbers`] = make("numbers")));
  const frames = ["k", "p"].map((name) => at[name].appendChild(make("i")));
  const band = scroller.appendChild(make("i"));
  at["to above"].append("query q");
  at["k under"].append("its part");
  at["w under"].append("output");
  const list = at["from cells"];
  const [items, names] = [["from", queries], ["to", keys]].map(([name, part]) =>
    tokens.slice(...part).map((token) => at[`${name} cells`].appendChild(make("name", visible(textOf(token))))),
  );
  items.forEach((item, i) => {
    Object.assign(item, { role: "button", tabIndex: -1 });
    item.ariaLabel = spoken(textOf(tokens[queries[0] + i]));
  });
  Object.assign(list, { role: "group", ariaLabel: "Tokens that look: choose one" });
  const sides = stateful ? ["before", "after"] : [];
  const states = sides.map((side) => make("state", `State ${side} the layer`, (at[side] = make("", make("canvas"))), make("")));
  const made = { element: make("", scroller, ...states), scroller, list, items, paint, mark, reveal, turn };
  return made;

  /** By its place in the strips of query and key; and by the key's row. */
  function mark(i, r) {
    for (const frame of frames) Object.assign(frame, { hidden: i === null, style: `translate:${i * made.cell}px;width:${made.cell}px` });
    Object.assign(band, { hidden: r === null, style: `top:${made.top + r * made.row}px` });
  }

  /** Brings a key's row into sight, or else the framed products. */
  function reveal(r) {
    if (r !== null) return at["to cells"].children[r].scrollIntoView({ block: "nearest", inline: "nearest" });
    const [frame, room] = [frames[1], scroller].map((element) => element.getBoundingClientRect());
    scroller.scrollLeft += Math.min(frame.left - room.left - at.to.offsetWidth, 0) || Math.max(frame.right - room.right, 0);
  }

  /** To columns at the right, or back: by half of what stands beside the names of the keys. */
  function turn(way) {
    scroller.scrollLeft += (way * (scroller.clientWidth - at.to.offsetWidth)) / 2;
  }

  /** In the page's colours of now; `around` are the states before and after the layer, if they are known. */
  function paint(head, results, around) {
    const { q, seen, scores, weights, order } = results;
    const ink = (made.ink ??= inks(at["k above"].firstChild));
    if (!made.row) scroller.scrollTop = items[q].offsetTop - scroller.clientHeight / 2;
    const row = (made.row = items[0].offsetHeight);
    made.top = list.offsetTop;
    const end = (values, share = SATURATED) => values.map(Math.abs).sort()[Math.floor(share * (values.length - 1))];
    const ends = { ...(head.ends ??= { q: end(head.query), k: end(head.key), v: end(head.value) }), p: end(results.products) };
    // strips share the room that there is, a whole number of pixels to a cell
    const used = at.c.offsetLeft + at.c.offsetWidth - at.k.offsetWidth - at.p.offsetWidth - at.v.offsetWidth;
    const cell = (n) => Math.min(Math.max(Math.floor(Math.max((scroller.clientWidth - used) / 3, STRIP) / n), 1), WIDEST);
    made.cell = cell(head.width);
    const long = { k: made.cell * head.width, p: made.cell * head.width, v: cell(head.size) * head.size };
    for (const name of "kv") scroller.style.setProperty(`--strip-${name}`, `${long[name]}px`);
    const wide = Object.fromEntries([...CANVASES, ...sides].map((name) => [name, long[name[0]] ?? at[name].clientWidth])); // before any canvas changes
    const given = (name) => ({ ink, row, seen, wide: wide[name] });
    const strip = (name, values, end, order, cover) => strips(at[name].firstChild, values, { ...given(name), order, end, cover });
    const bar = (name, values, ends, fill) => bars(at[name].firstChild, values, { ...given(name), ends, fill });
    strip("k above", results.query, ends.q, order);
    strip("k cells", head.key, ends.k, order, 0.8);
    strip("p cells", results.products, ends.p, order, 1);
    strip("p under", results.parts, max(results.parts, Math.abs), order);
    strip("v cells", head.value, ends.v, range(head.size), 0.8);
    strip("v under", results.output, ends.v, range(head.size));
    bar("s cells", scores, extent([0, ...scores.filter((_, k) => seen[k])]));
    bar("w cells", weights, [0, max(weights)], ink.hue);
    const numbers = { s: scores, b: results.bias ?? [], w: weights, c: results.shares };
    for (const name in numbers) at[`${name} numbers`].textContent = Array.from(numbers[name], (number, k) => (!seen[k] ? "" : name === "w" ? percent(number) : short(number, 2))).join("\n") + "\n"; // the last line may be empty
    const context = sharpen(at["links cells"].firstChild, wide["links cells"], Math.max(names.length, items.length) * row);
    context.strokeStyle = ink.hue;
    weights.forEach((weight, k) => {
      const [from, to, right] = [(q + 0.5) * row, (k + 0.5) * row, wide["links cells"]];
      Object.assign(context, { globalAlpha: weight < 0.002 ? 0 : 0.15 + 0.85 * weight, lineWidth: 0.75 + 4 * weight });
      context.stroke(new Path2D(`M0,${from}C${right / 2},${from} ${right / 2},${to} ${right},${to}`));
    });
    for (const name of "kpv") at[`${name} title`].lastChild.textContent = `±${short(ends[name])}`;
    at["s title"].lastChild.textContent = `× ${short(head.scale)}${head.softcap ? `, ≤ ${head.softcap}` : ""}`;
    at["c under"].textContent = short(Math.hypot(...results.output), 2);
    names.forEach((name, k) => name.classList.toggle("is-masked", !seen[k]));
    scroller.toggleAttribute("data-biased", Boolean(results.bias));
    states.forEach((line, i) => {
      line.classList.toggle("is-unknown", !around);
      if (!around) return;
      const state = around[sides[i]];
      const n = state.shape[1];
      state.end ??= end((state.values ??= unpack(state)), 0.95);
      strip(sides[i], state.values.subarray(q * n, (q + 1) * n), state.end, range(n));
      line.lastChild.textContent = `length ${short(around.norms[i][q])}`;
    });
  }
}
