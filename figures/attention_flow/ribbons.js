/** The Sankey of what reaches a token, the same in numbers, and a card that says what a ribbon carries: loaded when it is asked for. */
import { max, range, sort, sum } from "d3";
import { percent } from "../shared/format.js";
import { rows } from "../shared/rows.js";
import { LEAST, sankey } from "../shared/sankey.js";
import { quoted } from "../shared/text.js";
import { positions } from "../shared/units.js";

const LISTED = 20; // ribbons that move something: the rest are thin

/**
 * Returns `{ elements, draw, hide }`: the drawing, its note and its tables. `draw(steps, starts, units, shares)` draws what
 * `trace` finds, `shares` beside it. `label(u)` is the text of a row, `named(layer)` what a layer is called.
 */
export function ribbons(columns, { label, named, tip }) {
  let drawn = null;
  const picture = sankey(columns, label, look);
  const heads = columns.map((layer) => (layer === null ? "input" : `${layer}`));
  const tables = [rows("Every share", ["share in", ...heads], shares), rows("Widest ribbons", ["from", "to", "between", "share"], moves)];
  const folded = document.createElement("div");
  folded.className = "sankey-rows";
  folded.append(...tables.map(({ element }) => element));
  picture.note.textContent = `Columns are states after a layer. Blue moves to another token, grey stays. Left out: what is below ${100 * LEAST}%.`;
  const elements = [picture.element, picture.note, folded];
  return { elements, draw, hide: (hidden) => elements.forEach((element) => (element.hidden = hidden)) };

  function draw(steps, starts, units, row) {
    drawn = trace(steps, starts, units.flatMap((one, u) => positions(one).map(() => u)));
    picture.draw(drawn, row);
    tables.forEach(({ refresh }) => refresh());
  }

  function shares() {
    const known = [...drawn.masses[0].keys()].filter((u) => drawn.masses.some((column) => column[u] >= LEAST));
    return known.map((u) => [quoted(label(u)), ...drawn.masses.map((column) => (column[u] >= LEAST ? percent(column[u]) : ""))]);
  }

  function moves() {
    const all = drawn.flows.flatMap((list, c) => list.filter(([from, to]) => from !== to).map(([from, to, share]) => ({ from, to, share, c })));
    const most = sort(all, ({ share }) => -share).slice(0, LISTED);
    return most.map(({ from, to, share, c }) => [quoted(label(from)), quoted(label(to)), way(c), percent(share)]);
  }

  function way(c) {
    return `${c ? named(columns[c]) : "input"} to ${named(columns[c + 1])}`;
  }

  function look(ribbon, anchor) {
    if (!ribbon) return tip.hide();
    const [from, to, share, c] = ribbon;
    const portion = document.createElement("b");
    portion.textContent = percent(share);
    tip.show(anchor, [portion, quoted(label(from)), " to ", quoted(label(to)), `, ${way(c)}`]);
  }
}

/**
 * Returns `{ masses, flows }`: `masses[c][u]` is the share of unit u in column c in what reaches the positions `starts`,
 * `flows[c]` lists `[from, to, share]` from column c to column c + 1. `steps` lead from each column to the next.
 */
function trace({ shape: [count, size], values }, starts, unitOf) {
  const many = max(unitOf) + 1;
  let mass = new Float64Array(size);
  for (const start of starts) mass[start] += 1 / starts.length;
  const byUnit = () => range(size).reduce((shares, i) => ((shares[unitOf[i]] += mass[i]), shares), new Float64Array(many));
  const masses = [byUnit()];
  const flows = [];
  for (let c = count - 1; c >= 0; c--) {
    const next = new Float64Array(size);
    const between = new Map();
    for (let q = 0; q < size; q++) {
      if (!mass[q]) continue;
      const row = values.subarray((c * size + q) * size, (c * size + q + 1) * size);
      const whole = sum(row) || 1; // eight bits cut a little off
      for (let k = 0; k < size; k++) {
        if (!row[k]) continue;
        const share = (mass[q] * row[k]) / whole;
        const key = unitOf[k] * many + unitOf[q];
        next[k] += share;
        between.set(key, (between.get(key) ?? 0) + share);
      }
    }
    mass = next;
    masses.unshift(byUnit());
    flows.unshift([...between].map(([key, share]) => [Math.floor(key / many), key % many, share]).filter(([, , share]) => share >= LEAST));
  }
  return { masses, flows };
}
