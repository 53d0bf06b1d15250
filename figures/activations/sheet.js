/** A layer's cells as `cells.py` packs them: signs, and square roots of shares of each token's largest. */
import { unpack } from "../shared/array.js";

/** Adds the cells of a sign to `sheet.values`, token by token. */
export function fill(sheet, { peaks, roots }, sign) {
  const [tokens, n] = sheet.shape;
  const shares = unpack(roots).values;
  const bits = Uint8Array.from(atob(sheet.signs), (character) => character.charCodeAt(0));
  sheet.values ??= new Float32Array(tokens * n);
  for (let i = 0, k = 0; i < tokens * n; i++)
    if (((bits[i >> 3] >> (i & 7)) & 1) === (sign > 0 ? 1 : 0)) sheet.values[i] = sign * peaks[Math.floor(i / n)] * shares[k++] ** 2;
}

/** Returns the neurons by index, or strongest first, or cluster by cluster and then so. */
export function arrange({ values, shape: [, n], clusters }, order, first) {
  const strength = new Float32Array(n);
  for (let i = first * n; i < values.length; i++) strength[i % n] += Math.max(0, values[i]);
  const group = (i) => (order === "cluster" && clusters[i]) || 99; // those in none come last
  return Uint16Array.from(strength.keys()).sort((a, b) => order !== "index" && (group(a) - group(b) || strength[b] - strength[a]));
}

/** Returns steps of a root scale, −255 to 255 at its `end`; other clusters than `isolated` are faint. */
export function shade({ values, shape: [, n], clusters }, end, negatives, isolated) {
  const shades = new Int16Array(values.length);
  const most = Float32Array.from(clusters, (group) => (isolated && group !== isolated ? 50 : 255));
  for (let i = 0, k = 0; i < shades.length; i++, k = k + 1 < n ? k + 1 : 0) {
    const share = Math.min(1, Math.abs(values[i]) / end);
    if (values[i] > 0) shades[i] = most[k] * Math.sqrt(share);
    else if (negatives) shades[i] = -most[k] * Math.sqrt(share);
  }
  return shades;
}
