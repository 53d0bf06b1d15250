/** What temperature, top-k and top-p leave of a step's candidates, in transformers' order; exact, see `tables.py`. */

/**
 * Returns `{ left, cut, share, own }`: how many tokens of the vocabulary can be drawn, what cut off the others ("top-k",
 * "top-p" or null), the probability of candidate i, and that of the token which stands in the text.
 */
export function settled(data, t, { temperature, topk, topp }) {
  const logits = data.logits[t];
  const n = logits.length;
  const weight = (z) => Math.exp(z / temperature);
  const sums = [];
  for (const z of logits) sums.push((sums.at(-1) ?? 0) + weight(z));
  const last = weight(logits[n - 1]);
  const [heat, p] = [data.temperatures.indexOf(temperature), data.top_ps.indexOf(topp)];
  const level = data.levels.find(({ top_k }) => top_k === topk);
  const reach = (most, goal) => {
    const i = sums.findIndex((sum) => sum >= goal);
    return i >= 0 && i < most ? i + 1 : Math.min(most, n);
  };

  let kept, left, total;
  if (level) {
    const [counts, excess] = [level.counts[t][heat], level.excess[t][heat]];
    const at = p - (data.top_ps.length - 1 - counts.length); // counts are of the last stops below 1
    kept = level.kept[t];
    const whole = Math.exp(level.log_sums[t][heat]);
    if (topp === 1) [left, total] = [kept, whole];
    else if (at >= 0) [left, total] = [counts[at], whole * (topp + excess[at] * 1e-5)];
    else left = reach(n, topp * whole);
  } else {
    const bound = logits[topk - 1]; // equals of the k-th stay, those beyond the candidates too
    const equal = bound === logits[n - 1] ? data.tied[t] : 0;
    const most = logits.filter((z) => z >= bound).length;
    kept = most + equal;
    const goal = topp * (sums[most - 1] + equal * last);
    left = topp === 1 ? kept : sums[most - 1] >= goal ? reach(most, goal) : Math.min(kept, n + Math.ceil((goal - sums[n - 1]) / last - 1e-9));
  }
  total ??= left <= n ? sums[left - 1] : sums[n - 1] + (left - n) * last;
  const share = (z, place) => (place <= left ? weight(z) / total : 0);
  return {
    left,
    cut: left < kept ? "top-p" : kept < data.vocab_size ? "top-k" : null,
    share: (i) => share(logits[i], i + 1),
    own: share(data.own[t], data.places[t]),
  };
}
