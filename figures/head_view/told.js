/** What a head view says in words: where the attention of a row goes, or comes from. */
import { mean, range, sort } from "d3";

const MOST = 3; // rows that a sentence names

/** Returns `Layer 3, heads 0 and 7`; of many, how many they are. */
export function named({ layer, heads }, n, part) {
  const list = heads?.length > 4 ? `${heads.length} of ${n} heads` : `head${heads?.length === 1 ? "" : "s"} ${heads?.join(", ").replace(/, (\d+)$/, " and $1")}`;
  return `${part ? `${part[0].toUpperCase()}${part.slice(1)}, layer` : "Layer"} ${layer}, ${heads ? list : `all ${n} heads`}`;
}

/** Returns what some heads give to the first token: in a row, or on average over all rows but its own. */
export function sunk({ rows, first }, on, causal, row) {
  return mean(on, (h) => first[h * rows + row] ?? mean(range(causal && rows > 1, rows), (i) => first[h * rows + i])) ?? 0;
}

/**
 * Returns `{ row, weight, head, most }` of the strongest rows at the other ends of a row's lines: the mean weight over
 * the heads, the head that gives the most, and how much.
 */
export function strongest({ rows, columns, values }, on, { side, row }, allowed) {
  const found = range(side === "from" ? columns : rows).map((other) => {
    const [i, j] = side === "from" ? [row, other] : [other, row];
    const of = (h) => (allowed(i, j) ? values[(h * rows + i) * columns + j] : 0);
    const [head] = sort(on, (h) => -of(h));
    return { row: other, weight: mean(on, of), head, most: of(head) };
  });
  return sort(found.filter(({ weight }) => weight > 0), ({ weight }) => -weight).slice(0, MOST);
}
