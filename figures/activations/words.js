/** Words: the columns of a figure, tokens or words of several, and a layer's sheet put together for them. */
import { textOf } from "../shared/text.js";
import { wordUnits } from "../shared/units.js";

const STRONGEST = 5; // columns of a cluster, as many as `analysis.py` names tokens

/** Returns `{ start, size, text }` of each column; the `first` tokens, which are left out, are in no word. */
export function columnsOf(tokens, first, words) {
  const columns = tokens.map((token, start) => ({ start, size: 1, text: textOf(token) }));
  const units = words ? wordUnits(tokens.slice(first)) : [];
  for (const { start, size, text } of units.reverse()) if (size > 1) columns.splice(start + first, size, { start: start + first, size, text });
  return columns;
}

/** Returns a sheet of the means over each column's tokens, in which negatives count as 0 unless they are shown. */
export function merge(sheet, columns, first, negatives) {
  const profiles = sheet.profiles?.map((profile) => means(profile, 1));
  const strongest = profiles?.map((profile) => [...profile.keys()].slice(first).sort((a, b) => profile[b] - profile[a]).slice(0, STRONGEST));
  return { ...sheet, profiles, strongest, values: sheet.values && means(sheet.values, sheet.shape[1]) };

  function means(list, n) {
    const found = new Float32Array(columns.length * n);
    columns.forEach(({ start, size }, c) => {
      for (let i = 0; i < size * n; i++) {
        const value = list[start * n + i];
        if (negatives || value > 0) found[c * n + (i % n)] += value / size;
      }
    });
    return found;
  }
}
