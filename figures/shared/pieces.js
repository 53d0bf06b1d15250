/** Pieces: tokens, or words of several, where each token has an effect of its own, such as a state that is put back alone. */
import { maxIndex } from "d3";
import { textOf } from "./text.js";
import { groupedUnits, positions } from "./units.js";

/** Returns `{ text, tokens }` of each token, or of each word; `tokens` are positions. */
export function piecesOf(tokens, words) {
  const units = words ? groupedUnits(tokens, "words") : tokens.map((_, start) => ({ start, size: 1 }));
  return units.map((unit) => ({
    text: unit.size > 1 ? unit.text : textOf(tokens[unit.start]),
    tokens: positions(unit),
  }));
}

/**
 * Returns `[token, effect]`: which token of a piece has the largest of `effects`, whatever its sign, the first of several,
 * and which it is. Effects that were measured one at a time do not add up to that of a word.
 */
export function strongestOf({ tokens }, effects) {
  const token = tokens[maxIndex(tokens, (position) => Math.abs(effects[position]))];
  return [token, effects[token]];
}
