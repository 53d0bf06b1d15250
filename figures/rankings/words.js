/** Words: which tokens make one, and what is known of it from what is known of them. */
import { max, sum } from "d3";
import { groupedUnits } from "../shared/units.js";

const HOW = { rank: max, probability: (shares) => shares.reduce((p, q) => p * q) }; // all else is added up

/**
 * Returns the text in units of a token or of a word, `{ start, size, text, bytes, type, special }`. A word that begins
 * before `from`, the first token that is ranked, is cut there.
 */
export function unitsOf(tokens, from, words) {
  if (!words) return tokens.map((token, start) => ({ ...token, start, size: 1 }));
  return groupedUnits(tokens, "words").flatMap(({ start, size }) => {
    const cut = start < from && start + size > from ? from - start : 0;
    return cut ? [unit(start, cut), unit(from, size - cut)] : [unit(start, size)];
  });

  function unit(start, size) {
    const [first, ...more] = tokens.slice(start, start + size);
    const whole = (key) => more.reduce((text, token) => text + (token[key] ?? ""), first[key] ?? "");
    return { ...first, start, size, text: whole("text"), bytes: whole("bytes") };
  }
}

/**
 * Returns what is known of units, `[r][c]` by measure, from what is known of tokens: the worst rank of a unit's tokens, the
 * product of their probabilities, and the sums of what is in nats. `from` is the position of the first token.
 */
export function merge(known, units, from) {
  const fold = ([name, rows]) => [
    name,
    rows.map((row) => units.map(({ start, size }) => (HOW[name] ?? sum)(row.slice(start - from, start - from + size)))),
  ];
  return Object.fromEntries(Object.entries(known).map(fold));
}
