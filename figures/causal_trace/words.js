/** Rows of a trace: tokens, or words of several tokens, and which token a word is shaded by. */
import { maxIndex } from "d3";
import { textOf } from "../shared/text.js";
import { groupedUnits, positions } from "../shared/units.js";

/** Returns `{ text, tokens }`, a row a token from `first` on, or a row a word that reaches there; `tokens` are positions. */
export function rowsOf(tokens, first, words) {
  const units = words ? groupedUnits(tokens, "words") : tokens.map((_, start) => ({ start, size: 1 }));
  return units.filter(({ start, size }) => start + size > first).map((unit) => ({
    text: unit.size > 1 ? unit.text : textOf(tokens[unit.start]),
    tokens: positions(unit),
  }));
}

/**
 * Returns `[token, effect]`: which token of a row has the largest of `effects`, whatever its sign, the first of several, and
 * which it is. Each state is put back alone, so that the effects of a word's tokens do not add up to one of the word.
 */
export function strongestOf({ tokens }, effects) {
  const token = tokens[maxIndex(tokens, (position) => Math.abs(effects[position]))];
  return [token, effects[token]];
}
