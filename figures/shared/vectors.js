/** Queries, keys and values of heads as pages get them, and the attention of a token, computed of them again. */
import { range, sum } from "d3";

const KINDS = { int8: Int8Array, uint8: Uint8Array, int16: Int16Array };

const bytes = (base64) => Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));

/** Returns the numbers of an array that has a scale for each of its vectors, as `neuron_view/vectors.py` packs them. */
export function unpack({ shape, type, scale, base64 }) {
  return Float32Array.from(new KINDS[type](bytes(base64).buffer), (code, i) => code * scale[Math.floor(i / shape.at(-1))]);
}

/** Returns the `h`th head of a group. */
export function readHead({ query, key, value, bias, mask, sinks }, h, layer) {
  const [, rows, width] = query.shape;
  const [keys, size] = value.shape;
  const bits = mask && bytes(mask);
  const own = (packed, h) => unpack(packed).slice(h * rows * packed.shape[2], (h + 1) * rows * packed.shape[2]);
  return {
    ...layer, keys, width, size,
    query: own(query, h),
    key: unpack(key),
    value: unpack(value),
    bias: bias && own(bias, bias.shape[0] > 1 ? h : 0),
    sink: sinks ? sinks[h] : -Infinity,
    sees: bits && ((q, k) => (bits[(q * keys + k) >> 3] >> ((q * keys + k) & 7)) & 1),
  };
}

/**
 * Returns what row `q` makes: `products` of its `query` and each key; by key their sums `dots`, `scores` (scaled, capped),
 * `weights`, `lengths` of values, `shares` (weight × length); and the `output`. `sees(q, k)` unless the head has a mask.
 */
export function attend(head, q, sees) {
  const { keys, width, size, scale, softcap, key, value, sink } = head;
  const all = range(keys);
  const query = head.query.subarray(q * width, (q + 1) * width);
  const bias = head.bias?.subarray(q * keys, (q + 1) * keys);
  const products = key.map((number, i) => number * query[i % width]);
  const seen = all.map((k) => (head.sees ?? sees)(q, k));
  const dots = all.map((k) => sum(products.subarray(k * width, (k + 1) * width)));
  const scores = dots.map((dot) => (softcap ? softcap * Math.tanh((dot * scale) / softcap) : dot * scale));
  const exponents = all.map((k) => (seen[k] ? scores[k] + (bias?.[k] ?? 0) : -Infinity));
  const most = Math.max(sink, ...exponents);
  const raised = exponents.map((exponent) => Math.exp(exponent - most));
  const total = sum(raised) + Math.exp(sink - most);
  const weights = raised.map((number) => number / total);
  const lengths = all.map((k) => Math.hypot(...value.subarray(k * size, (k + 1) * size)));
  const output = range(size).map((j) => sum(all, (k) => weights[k] * value[k * size + j]));
  return { q, query, bias, products, seen, dots, scores, weights, lengths, shares: all.map((k) => weights[k] * lengths[k]), output };
}

/**
 * Returns each neuron's part in the differences between the scores of some keys, cov(products, scores) / var(scores); or, with the keys'
 * places, how much it raises the score from one place to the next.
 */
export function parts({ products, dots }, { width, scale }, keys, places) {
  const by = places ?? keys.map((k) => dots[k]);
  const mean = sum(by) / keys.length;
  const variance = sum(by, (x) => (x - mean) ** 2) || Infinity;
  return range(width).map((j) => (sum(keys, (k, i) => products[k * width + j] * (by[i] - mean)) / variance) * (places ? scale : 1));
}
