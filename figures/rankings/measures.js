/** What a cell can tell: how the token below it stands, and how sure the model is there. All darken as it settles. */
import { max, scaleLinear, scaleLog } from "d3";
import { compact, percent, whole } from "../shared/format.js";

const LEAST = 0.01; // nats: the strong end of the logarithmic scales
const KINDS = { uint16: Uint16Array, uint32: Uint32Array };

/** Returns the numbers of an array that `packed.py` has packed, row by row. */
export function unpack({ shape, type, scale, base64 }) {
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  const codes = new KINDS[type](bytes.buffer);
  return Array.from(codes, (code, i) => code * (scale[Math.floor((i * shape[0]) / codes.length)] ?? scale));
}

/** Returns nats for a sentence; what is not nothing is never "0". */
function nats(n) {
  return n === 0 ? "0" : n < 0.001 ? "<0.001" : n.toFixed(n < 0.01 ? 3 : n < 10 ? 2 : 1);
}

/** And for a narrow cell, in four characters. */
function short(n) {
  if (n < 0.095) return n === 0 ? "0" : n < 0.005 ? "<.01" : n.toFixed(2).slice(1);
  return n.toFixed(n < 9.95 ? 1 : 0);
}

/** A percentage for a narrow cell, without its sign. */
function share(p) {
  return percent(p).slice(0, -1).replace("0.", ".").replace(">99.9", ">99");
}

/**
 * Returns the measures by name: `title`, the ends `low` and `high` of its scale, `of(r, c)`, and of such a number its
 * `shade`, its `text` for a narrow cell, and its `full` text.
 */
export function measures(data, ranks, probabilities, extent = {}) {
  const [entropy, kl] = [data.entropy, data.kl].map(unpack);
  const size = extent.rank ?? data.vocab_size;
  const even = extent.entropy ?? Math.log(size);
  const surprisal = (r, c) => -Math.log(probabilities[r][c] || 1e-300) || 0;
  const flat = (list) => (r, c) => list[r * data.targets.length + c];
  const rarest = extent.surprisal ?? max(probabilities, (row, r) => max(row, (_, c) => surprisal(r, c)));
  const scale = (create, most, least) => create([least, most], [1, 0]).clamp(true);
  const inNats = (title, of, create, most, least) => ({
    title, of, low: `${nats(most)} nats`, high: `${least}`, shade: scale(create, most, least), text: short, full: (n) => `${nats(n)} nats`,
  });
  const furthest = (most) => Math.max(most, 2 * LEAST);
  return {
    rank: { title: "rank, log scale", of: (r, c) => ranks[r][c], low: whole(size), high: "1", shade: scale(scaleLog, size, 1), text: compact, full: whole },
    probability: { title: "probability, %", of: (r, c) => probabilities[r][c], low: "0", high: "100", shade: scaleLinear(), text: share, full: percent },
    surprisal: inNats("surprisal, log scale", surprisal, scaleLog, furthest(rarest), LEAST),
    entropy: inNats("entropy", flat(entropy), scaleLinear, even, 0),
    kl: inNats("KL(last layer ‖ this layer), log scale", flat(kl), scaleLog, furthest(extent.kl ?? max(kl)), LEAST),
  };
}
