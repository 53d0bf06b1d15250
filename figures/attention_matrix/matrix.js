/** One matrix of a layer's weights: a head, or the mean of its heads; and that of all layers, which the page brings along. */
import { range } from "d3";
import { layerReader } from "../shared/attention.js";
import { between } from "../shared/between.js";

/**
 * Returns `read({ part, layer, head, first }, [rows, columns])`, which resolves to `{ rows, columns, values }`: weights row by
 * row between units, tokens or words. Without the `first` token the rest of each row is rescaled to sum to 1, or nothing
 * where next to nothing is left.
 */
export function matrixReader(data, piece) {
  const own = `${data.shown.part}-mean`; // other parts' means are pieces
  const read = layerReader(data, (name) => (name === own ? Promise.resolve({ weights: data.mean }) : piece(name)));
  return async ({ part, layer, head, first }, units) => {
    const { heads, queries, keys, codes, scale } = await read(part, layer);
    const chosen = head === "mean" ? range(heads) : [head];
    const mean = new Float32Array(queries * keys);
    for (const h of chosen) for (let i = 0, from = h * mean.length; i < mean.length; i++) mean[i] += codes[from + i] / chosen.length;
    return between({ heads: 1, queries, keys, scale, codes: mean }, ...units, { first });
  };
}
