/** Weights between what a reader sees as rows, each a token or several that are one character or word. */

const LEAST = 10; // of 255: what must be left of a row without its first token, or its rounding would be enlarged into a picture

/**
 * Returns `{ heads, rows, columns, values, first }`: `values[(h * rows + i) * columns + j]` is what `from[i]` gives to
 * `to[j]`, a sum over the tokens of `to[j]` and a mean over those of `from[i]`; `first[h * rows + i]` is what it gives to
 * the first token. Without that, `{ first: false }`, the rest of each row is rescaled to sum to 1.
 */
export function between({ heads, queries, keys, scale, codes }, from, to, { first = true } = {}) {
  const [rows, columns] = [from.length, to.length];
  const made = { heads, rows, columns, values: new Float32Array(heads * rows * columns), first: new Float32Array(heads * rows) };
  const place = new Uint16Array(keys);
  to.forEach(({ start, size }, j) => place.fill(j, start, start + size));
  for (let h = 0; h < heads; h++)
    from.forEach(({ start, size }, i) => {
      const at = (h * rows + i) * columns;
      let counted = 0;
      for (let q = start; q < start + size; q++) {
        const row = codes.subarray((h * queries + q) * keys, (h * queries + q + 1) * keys);
        made.first[h * rows + i] += (row[0] * scale) / size;
        let sum = 0;
        for (let k = 1; k < keys; k++) sum += row[k];
        if (!first && sum < LEAST) continue;
        counted++;
        for (let k = first ? 0 : 1; k < keys; k++) made.values[at + place[k]] += row[k] * (first ? scale : 1 / sum);
      }
      for (let j = 0; counted > 1 && j < columns; j++) made.values[at + j] /= counted;
    });
  return made;
}
