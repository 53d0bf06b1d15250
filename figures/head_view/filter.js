/** Which tokens may look at which: the sentences of a pair, A and B, or prompt and output. */

export function groupOf({ segment, type }) {
  return "AB"[segment] ?? (type === "output" ? "output" : "prompt");
}

/** Returns `["A-B", "A → B"]` and so on, for every group of tokens that can look at another; none where all are alike. */
export function filtersOf(from, to, causal) {
  const [left, right] = [from, to].map((side) => [...new Set(side.map(groupOf))]);
  const pairs = left.flatMap((a, i) => right.slice(0, causal ? i + 1 : 2).map((b) => [`${a}-${b}`, `${a} → ${b}`]));
  return pairs.length > 1 ? pairs : [];
}
