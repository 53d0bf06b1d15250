/** What a head view says in words: where the attention of a row goes, or comes from. */
import { mean, range, sort } from "d3";
import { percent } from "../shared/format.js";
import { textOf } from "../shared/text.js";

const MOST = 3; // rows that a sentence names

/** Returns `Layer 3, heads 0 and 7`; of many, how many they are. */
export function named({ layer, heads }, n, part) {
  const list = heads?.length > 4 ? `${heads.length} of ${n} heads` : `head${heads?.length === 1 ? "" : "s"} ${heads?.join(", ").replace(/, (\d+)$/, " and $1")}`;
  return `${part ? `${part[0].toUpperCase()}${part.slice(1)}, layer` : "Layer"} ${layer}, ${heads ? list : `all ${n} heads`}`;
}

/**
 * Returns words, and `{ text }` for each text of a token: of the selected row, `at` as `{ side, row }`, what its lines lead
 * to; else of all lines. `sides` are the columns, `on` the heads that are drawn, `first` whether lines to the first token are.
 */
export function told(at, { name, weights, sides, causal, allowed, on, first, window }) {
  if (!on.length) return ["No head is chosen, so there are no lines."];
  const lost = percent(sunk(weights, on, causal, at?.row));
  if (!at) return [`${name}: tokens at the left attend to those at the right, ${lost} to the first one${first ? "" : ", which is left out"}.${window ? ` Here a token sees ${window} at most, itself included.` : ""}`];
  const [here, there] = at.side === "to" ? [sides[1], sides[0]] : sides;
  const { start, size } = here.units[at.row];
  const { position } = here.list[start];
  const list = strongest(weights, on, at, allowed).flatMap(({ row, weight, head, most }, n) => [
    n ? ", " : " ", chip(there, row), ` ${percent(weight)}${on[1] === undefined ? "" : ` (head ${head}: ${percent(most)})`}`,
  ]);
  const does = at.side === "from" ? "attends to" : "is attended to by";
  const out = at.side === "to" || first ? "" : `; ${lost} to the first token, left out`;
  return [`${name}: `, chip(here, at.row), ` ${size > 1 ? `positions ${position} to ${position + size - 1}` : `position ${position}`} ${does}`, ...(list[0] ? list : [" nothing that is shown"]), out];
}

function chip({ units, list }, i) {
  const { start, size, text } = units[i];
  return { text: size > 1 ? text : textOf(list[start]) };
}

/** Returns what some heads give to the first token: in a row, or on average over all rows but its own. */
function sunk({ rows, first }, on, causal, row) {
  return mean(on, (h) => first[h * rows + row] ?? mean(range(causal && rows > 1, rows), (i) => first[h * rows + i])) ?? 0;
}

/**
 * Returns `{ row, weight, head, most }` of the strongest rows at the other ends of a row's lines: the mean weight over
 * the heads, the head that gives the most, and how much.
 */
function strongest({ rows, columns, values }, on, { side, row }, allowed) {
  const found = range(side === "from" ? columns : rows).map((other) => {
    const [i, j] = side === "from" ? [row, other] : [other, row];
    const of = (h) => (allowed(i, j) ? values[(h * rows + i) * columns + j] : 0);
    const [head] = sort(on, (h) => -of(h));
    return { row: other, weight: mean(on, of), head, most: of(head) };
  });
  return sort(found.filter(({ weight }) => weight > 0), ({ weight }) => -weight).slice(0, MOST);
}
