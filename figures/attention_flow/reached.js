/** What reaches a unit of text from each other one, and layer by layer: rows of the figure's data and of its pieces. */
import { sort } from "d3";
import { unpack } from "../shared/array.js";
import { positions } from "../shared/units.js";

/** Returns `{ rows, layers, steps }`, which resolve to what a method, with or without the first token, has; each is fetched once. */
export function reader(data, piece) {
  const own = { [name(data.method, data.exclude_first)]: Promise.resolve(data) };
  const read = (what) => {
    if (!own[what]) (own[what] = piece(what)).catch(() => delete own[what]); // it may come next time
    return own[what];
  };
  return {
    rows: (method, excluded) => read(name(method, excluded)),
    layers: async (method, excluded) => {
      const { rows, layers = data.layers } = await read(name(`${method}-layers`, excluded));
      return { ...unpack(rows), layers };
    },
    steps: async (_method, excluded) => unpack((await read(name("ribbons", excluded))).steps),
  };
}

function name(what, excluded) {
  return what.replace("_", "-") + (excluded ? "-rest" : "");
}

/** Returns `(layers, l) => (t) => row`: the row of target t after a layer; a decoder's has a number for each token before t. */
export function layerRows({ targets, tokens, causal }) {
  const lengths = targets.map((position) => (causal ? position : tokens.length));
  const starts = lengths.map((_, t) => lengths.slice(0, t).reduce((sum, length) => sum + length, 0));
  return ({ shape, values }, l) => (t) => values.subarray(l * shape[1] + starts[t], l * shape[1] + starts[t] + lengths[t]);
}

/**
 * Returns the shares of the units in what reaches a unit: the mean of its tokens' rows `row(t)`, each of which gives to a unit
 * the sum over that unit's tokens. In a decoder those are the units before it; what a unit's tokens give to the unit itself is
 * left out, and the rest is rescaled. `null` where nothing can reach it.
 */
export function reach(units, u, { targets, causal }, row) {
  const own = positions(units[u]).map((position) => targets.indexOf(position)).filter((t) => t >= 0).map(row);
  if (!own.length || (causal && !u)) return null;
  const shares = (causal ? units.slice(0, u) : units).map(({ start, size }) => {
    let sum = 0;
    for (const one of own) for (let i = start; i < start + size; i++) sum += one[i];
    return sum / own.length;
  });
  const kept = shares.reduce((sum, share) => sum + share, 0);
  const whole = own.reduce((sum, one) => sum + one.reduce((a, b) => a + b, 0), 0) / own.length;
  return kept > 0 ? shares.map((share) => (share * whole) / kept) : shares;
}

/** Returns the units that a row has something of, from the most to the least. */
export function strongest(row) {
  return row ? sort(row.keys(), (i) => -row[i]).filter((i) => row[i] > 0) : [];
}
