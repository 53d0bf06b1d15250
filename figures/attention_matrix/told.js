/** What a matrix says in a sentence: of a cell, of a row or a column, or of all of it. */
import { percent } from "../shared/format.js";
import { textOf } from "../shared/text.js";

const MOST = 3; // tokens that a sentence names

/** Returns whose weights are shown. */
export function named({ layer, head }, n) {
  if (layer === "mean") return "in the mean of all heads and layers";
  return head === "mean" ? `in the mean of the ${n} heads of layer ${layer}` : `in head ${head} of layer ${layer}`;
}

/** Returns a sentence's pieces, tokens or words among them as `chip` writes them, of `{ q, k }`, of which one or both may be null. */
export function about(at, { columns, values }, [queries, keys], chip, whose) {
  const { q = null, k = null } = at ?? {};
  const name = (token) => [chip(textOf(token)), ` ${token.position}${token.size > 1 ? `–${token.position + token.size - 1}` : ""}`];
  const weight = (row, column) => values[row * columns + column];
  if (q !== null && k !== null) return [...name(queries[q]), " looks at ", ...name(keys[k]), `: ${share(weight(q, k))} of its attention ${whose}.`];
  const list = (found) => found.flatMap(([token, part], i) => [i ? ", " : " ", ...name(token), ` ${share(part)}`]);
  const best = (side, of) => side.map((token, i) => [token, of(i)]).filter(([, part]) => part > 0).sort(([, a], [, b]) => b - a).slice(0, MOST);
  if (q !== null) return [...name(queries[q]), " looks most at", ...list(best(keys, (i) => weight(q, i))), ` ${whose}.`];
  if (k !== null) return [...name(keys[k]), " gets most from", ...list(best(queries, (i) => weight(i, k))), ` ${whose}.`];
  const one = queries.some(({ size }) => size > 1) ? "word" : "token";
  return [`Each row is a ${one} that looks, each column one that it looks at, ${whose}. The weights of a row add up to 100%.`];
}

/** Returns a weight as a percentage; of less than half a step of the stored weights nothing is known but that. */
export function share(weight) {
  return weight ? percent(weight) : "<0.2%";
}
