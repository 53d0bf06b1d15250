/** What tells heads apart in a number: how each is called, written and drawn as a bar. */
import { max } from "d3";
import { percent } from "../shared/format.js";

const NAMES = { entropy: "entropy", distance: "mean distance", first: "first token", previous: "previous token", induction: "induction" };

/** Returns the measures of `stats` by name: `title`, `of(i)` by the head's index, `text(n)`, `share(n)` of its bar, `said(n)`. */
export function measures(stats, extent = {}) {
  return Object.fromEntries(Object.entries(stats).map(([name, rows]) => [name, measure(name, rows.flat(), extent[name])]));
}

function measure(name, numbers, end) {
  const title = NAMES[name];
  const of = (i) => numbers[i];
  const most = end ?? max(numbers);
  if (name === "entropy") return { title, of, text: short, share: (n) => n / (most || 1), said: (n) => `entropy ${n.toFixed(2)} nats` };
  if (name === "distance") return { title, of, text: short, share: (n) => n / (most || 1), said: (n) => `mean distance ${short(n)} tokens` };
  const said = name === "induction" ? (n) => `induction ${n.toFixed(2)}` : (n) => `${percent(n)} on the ${title}`;
  return { title, of, text: name === "induction" ? (n) => n.toFixed(2) : percent, share: (n) => n, said };
}

function short(n) {
  return n.toFixed(n < 9.95 ? 1 : 0);
}
