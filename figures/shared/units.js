/**
 * Units: what a reader sees as one piece of text, one token or several.
 *
 * A unit is `{ start, size, text, type, special }`: the tokens from `start` on, `size` of them.
 */

/** Returns one unit a token; tokens that only together are text (`span` in the data) make one unit. */
export function tokenUnits(tokens) {
  const units = [];
  for (let start = 0; start < tokens.length; ) {
    const size = Math.max(1, tokens[start].span ?? 1);
    units.push(unit(tokens, start, size));
    start += size;
  }
  return units;
}

/**
 * Returns one unit a word: a token joins the one before it where it begins inside a word of the text (Unicode's word
 * boundaries, so that languages without spaces are not glued together). Input and output are never joined.
 */
export function wordUnits(tokens) {
  const pieces = tokenUnits(tokens);
  const inside = insideWords(pieces.map((piece) => piece.text).join(""));
  const units = [];
  let offset = 0;
  for (const piece of pieces) {
    const last = units.at(-1);
    const joins = last && inside(offset) && last.type === piece.type && !last.special && !piece.special;
    if (joins) units[units.length - 1] = unit(tokens, last.start, last.size + piece.size);
    else units.push(piece);
    offset += piece.text.length;
  }
  return units;
}

function unit(tokens, start, size) {
  const text = tokens.slice(start, start + size).map((token) => token.text).join("");
  return { start, size, text, type: tokens[start].type, special: Boolean(tokens[start].special) };
}

function insideWords(text) {
  if (!globalThis.Intl?.Segmenter) return (offset) => /^[\p{L}\p{M}\p{N}]{2}$/u.test(text.slice(offset - 1, offset + 1));
  const within = new Set();
  for (const { segment, index, isWordLike } of new Intl.Segmenter(undefined, { granularity: "word" }).segment(text)) {
    for (let i = index + 1; isWordLike && i < index + segment.length; i++) within.add(i);
  }
  return (offset) => within.has(offset);
}

/**
 * Returns for each unit its row of scores over the units before it, or `null` where it has none.
 *
 * A unit's row is the mean of its tokens' rows: each gives to a unit before it the sum over that unit's tokens. What
 * its tokens give to the unit itself is left out, and the rest rescaled to sum to what the tokens' rows summed to.
 */
export function mergeRows(units, targets, scores) {
  const rows = new Map(targets.map((position, t) => [position, scores[t]]));
  return units.map((unit, u) => {
    const own = positions(unit).map((position) => rows.get(position)).filter(Boolean);
    if (!own.length || u === 0) return null;
    const earlier = units.slice(0, u);
    const merged = earlier.map((other) => total(own.map((row) => total(row.slice(other.start, other.start + other.size)))));
    const kept = total(merged);
    const whole = total(own.map(total)) / own.length;
    return kept > 0 ? merged.map((score) => (score * whole) / kept) : merged;
  });
}

/** Returns the positions of a unit's tokens. */
export function positions({ start, size }) {
  return Array.from({ length: size }, (_, i) => start + i);
}

function total(values) {
  return values.reduce((sum, value) => sum + value, 0);
}
