/** One matrix of a layer's weights: a head, or the mean of its heads; and that of all layers, which the page brings along. */
import { range, sum } from "d3";
import { layerReader } from "../shared/attention.js";

const LEFT = 10 / 255; // what must be left of a row without its first token: of less, the steps of the weights would be most

/**
 * Returns `read({ part, layer, head, first })`, which resolves to `{ rows, columns, values }`, weights row by row. Without
 * the `first` token the rest of each row is rescaled to sum to 1, or nothing where next to nothing is left.
 */
export function matrixReader(data, piece) {
  const own = `${data.shown.part}-mean`; // other parts' means are pieces
  const read = layerReader(data, (name) => (name === own ? Promise.resolve({ weights: data.mean }) : piece(name)));
  return async ({ part, layer, head, first }) => {
    const { heads, queries: rows, keys: columns, codes, scale } = await read(part, layer);
    const chosen = head === "mean" ? range(heads) : [head];
    const values = new Float32Array(rows * columns);
    for (const h of chosen) for (let i = 0, from = h * values.length; i < values.length; i++) values[i] += (codes[from + i] * scale) / chosen.length;
    if (!first) for (let q = 0; q < rows; q++) leaveOut(values.subarray(q * columns, (q + 1) * columns));
    return { rows, columns, values };
  };
}

function leaveOut(row) {
  row[0] = 0;
  const left = sum(row);
  for (let k = 0; k < row.length; k++) row[k] = left < LEFT ? 0 : row[k] / left;
}
