/** One matrix of a layer's weights: a head, or the mean of its heads; and that of all layers, which the page brings along. */
import { unpackWeights } from "../shared/attention.js";

const LEFT = 10 / 255; // what must be left of a row without its first token: of less, the steps of the weights would be most

/**
 * Returns `read({ part, layer, head, first })`, which resolves to `{ rows, columns, values }`, weights row by row. Without
 * the `first` token the rest of each row is rescaled to sum to 1, or nothing where next to nothing is left.
 */
export function matrixReader({ parts, shown, mean }, read, piece) {
  const means = new Map();
  return async ({ part, layer, head, first }) => {
    const all = layer === "mean";
    const { heads, queries: rows, keys: columns, codes, scale } = await (all ? ofAll(part) : read(part, layer));
    const chosen = all ? [0] : head === "mean" ? Array.from({ length: heads }, (_, h) => h) : [head];
    const values = new Float32Array(rows * columns);
    for (const h of chosen) for (let i = 0, from = h * values.length; i < values.length; i++) values[i] += (codes[from + i] * scale) / chosen.length;
    if (!first) for (let q = 0; q < rows; q++) leaveOut(values.subarray(q * columns, (q + 1) * columns));
    return { rows, columns, values, causal: parts[part].causal };
  };

  function ofAll(part) {
    if (!means.has(part)) {
      const found = part === shown.part ? Promise.resolve({ weights: mean }) : piece(`${part}-mean`);
      const unpacked = found.then(({ weights }) => unpackWeights(weights));
      unpacked.catch(() => means.delete(part)); // it may come next time
      means.set(part, unpacked);
    }
    return means.get(part);
  }
}

function leaveOut(row) {
  row[0] = 0;
  const left = row.reduce((sum, weight) => sum + weight, 0);
  for (let k = 0; k < row.length; k++) row[k] = left < LEFT ? 0 : row[k] / left;
}
