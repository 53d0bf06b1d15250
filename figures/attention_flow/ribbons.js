/** The Sankey of what reaches a token, the same in numbers, and a card that says what a ribbon carries. */
import { sort } from "d3";
import { percent } from "../shared/format.js";
import { rows } from "../shared/rows.js";
import { LEAST, sankey } from "../shared/sankey.js";
import { quoted } from "../shared/text.js";

const LISTED = 20; // ribbons that move something: the rest are thin

/**
 * Returns `{ elements, draw, hide }`: the drawing, its note and its tables; `draw(found, shares)` as that of `sankey`. `label(u)`
 * is the text of a row, `named(layer)` what a layer is called; `tip()` is the figure's card.
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

  function draw(found, row) {
    drawn = found;
    picture.draw(found, row);
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
    if (!ribbon) return tip().hide();
    const [from, to, share, c] = ribbon;
    const portion = document.createElement("b");
    portion.textContent = percent(share);
    tip().show(anchor, [portion, quoted(label(from)), " to ", quoted(label(to)), `, ${way(c)}`]);
  }
}
