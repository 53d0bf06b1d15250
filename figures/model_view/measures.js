/** What tells heads apart in a number: how each is called, written and drawn as a bar. */
import { max } from "d3";
import { percent } from "../shared/format.js";

const short = (n) => n.toFixed(n < 9.95 ? 1 : 0);
const score = (n) => (n > 0 && n < 0.005 ? "<0.01" : n.toFixed(2));
const KNOWN = {
  entropy: ["entropy", short, (n) => `entropy ${score(n)} nats`],
  distance: ["mean distance", short, (n) => `mean distance ${short(n)} tokens`],
  first: ["first token", percent],
  previous: ["previous token", percent],
  induction: ["induction", score, (n) => `induction ${score(n)}`],
};

/** Returns the measures of `stats` by name: `title`, `of(i)` by the head's index, `text(n)`, `share(n)` of its bar, `said(n)`. */
export function measures(stats, extent = {}) {
  const found = Object.entries(stats).map(([name, rows]) => {
    const [title, text, said = (n) => `${text(n)} on the ${title}`] = KNOWN[name];
    const numbers = rows.flat();
    const end = text === short ? (extent[name] ?? max(numbers)) || 1 : 1;
    return [name, { title, text, said, of: (i) => numbers[i], share: (n) => Math.min(1, n / end) }];
  });
  return Object.fromEntries(found);
}
