/** A layer's cells as `cells.py` packs them: signs, and square roots of shares of each token's largest. */
import { unpack } from "../shared/array.js";

/** Adds cells of a sign to `sheet.values`, token by token. */
export function fill(sheet, { peaks, roots }, sign) {
  const [tokens, n] = sheet.shape;
  const shares = unpack(roots).values;
  const bits = Uint8Array.from(atob(sheet.signs), (character) => character.charCodeAt(0));
  sheet.values ??= new Float32Array(tokens * n);
  for (let i = 0, k = 0; i < tokens * n; i++)
    if (((bits[i >> 3] >> (i & 7)) & 1) === (sign > 0 ? 1 : 0)) sheet.values[i] = sign * peaks[Math.floor(i / n)] * shares[k++] ** 2;
}

/** Returns the neurons by index, or strongest first, or cluster by cluster and then so. */
export function arrange({ values, shape, clusters }, order, first) {
  const strength = new Float32Array(shape[1]);
  values.forEach((value, i) => i >= first * shape[1] && value > 0 && (strength[i % shape[1]] += value));
  const group = (i) => (order === "cluster" && clusters[i]) || 99; // those in none come last
  return Uint16Array.from(strength.keys()).sort((a, b) => order !== "index" && (group(a) - group(b) || strength[b] - strength[a]));
}

/** Returns steps of a root scale, −255 to 255 at its `end`; other clusters than `isolated` are faint. */
export function shade({ values, shape, clusters }, end, negatives, isolated) {
  return Int16Array.from(values, (value, i) => {
    const most = isolated && clusters[i % shape[1]] !== isolated ? 50 : 255;
    return (value > 0 || negatives) && Math.sign(value) * most * Math.sqrt(Math.min(1, Math.abs(value / end)));
  });
}
