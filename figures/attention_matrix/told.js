/** What a matrix says in a sentence: of a cell, of a row or a column, or of all of it. */
import { textOf } from "../shared/text.js";

const MOST = 3; // tokens that a sentence names

/** Returns whose weights are shown. */
export function named({ layer, head }, n) {
  if (layer === "mean") return "in the mean of all heads and layers";
  return head === "mean" ? `in the mean of the ${n} heads of layer ${layer}` : `in head ${head} of layer ${layer}`;
}

/** Returns words, tokens among them as `chip` writes them, of `{ q, k }`, of which one or both may be null. */
export function about(at, { rows, columns, values }, [queries, keys], chip, whose, causal) {
  const { q = null, k = null } = at ?? {};
  const name = (token) => [chip(textOf(token)), ` ${token.position}`];
  const weight = (row, column) => values[row * columns + column];
  if (q !== null && k !== null) return [...name(queries[q]), " looks at ", ...name(keys[k]), `: ${share(weight(q, k))} of its attention ${whose}.`];
  const list = (found) => found.flatMap(([token, part], i) => [i ? ", " : " ", ...name(token), ` ${share(part)}`]);
  const best = (side, of) => side.map((token, i) => [token, of(i)]).filter(([, part]) => part > 0).sort(([, a], [, b]) => b - a).slice(0, MOST);
  if (q !== null) return [...name(queries[q]), " looks most at", ...list(best(keys, (i) => weight(q, i))), ` ${whose}.`];
  if (k !== null) {
    const from = causal ? k : 0; // rows that can see it
    let sum = 0;
    for (let row = from; row < rows; row++) sum += weight(row, k);
    return [...name(keys[k]), ` gets ${share(sum / (rows - from))} of each row’s attention ${whose}, most from`, ...list(best(queries, (i) => weight(i, k))), "."];
  }
  return [`Each row is a token that looks, each column one that it looks at, ${whose}. The weights of a row add up to 100%.`];
}

/** Returns a weight as a percentage; they are stored in steps of 0.4%. */
export function share(weight) {
  if (weight < 0.01) return weight > 0 ? "<1%" : "0%";
  return weight > 0.99 && weight < 0.998 ? ">99%" : `${Math.round(100 * weight)}%`;
}
