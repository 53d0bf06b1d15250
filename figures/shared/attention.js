/** Attention weights as `builder/quantised.py` packs them: deflated, eight bits a weight, key by key. */

/**
 * Resolves to `{ heads, queries, keys, weight(h, q, k) }`; weights from 0 to 1, off by half of `scale` at most.
 *
 * `codes` are all of them as bytes, row by row: `codes[(h * queries + q) * keys + k]`.
 */
export async function unpackWeights({ shape: [heads, queries, keys], triangle, scale, deflate }) {
  const packed = Uint8Array.from(atob(deflate), (character) => character.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  const flat = new Uint8Array(await new Response(stream).arrayBuffer());
  const codes = new Uint8Array(heads * queries * keys);
  let i = 0;
  for (let h = 0; h < heads; h++)
    for (let k = 0; k < keys; k++) for (let q = triangle ? k : 0; q < queries; q++) codes[(h * queries + q) * keys + k] = flat[i++];
  return { heads, queries, keys, scale, codes, weight: (h, q, k) => codes[(h * queries + q) * keys + k] * scale };
}

/**
 * Returns `read(part, layer)`, which resolves to a layer's weights: the one that `data` shows first lies in `data` itself,
 * each other one in a piece of its own, fetched once.
 */
export function layerReader({ shown, weights }, piece) {
  const known = new Map();
  return (part, layer) => {
    const name = `${part}-${layer}`;
    if (!known.has(name)) {
      const first = part === shown.part && layer === shown.layer;
      const found = (first ? Promise.resolve({ weights }) : piece(name)).then((found) => unpackWeights(found.weights));
      found.catch(() => known.delete(name)); // it may come next time
      known.set(name, found);
    }
    return known.get(name);
  };
}

/** Returns the tokens of one side of a part, `"queries"` or `"keys"`, each with its `position` among all tokens. */
export function sideOf({ tokens }, part, side) {
  const [start, end] = part[side];
  return tokens.slice(start, end).map((token, i) => ({ ...token, position: start + i }));
}
