/**
 * A token's text as a reader sees it: white space and control characters are marked.
 *
 * The characters themselves stay in the page (the marks are painted by `tokens.css`), so that copied text is the
 * model's text and a page without style sheets still reads well. `fallback.html` writes the same markup.
 */

const CLASSES = { " ": "space", "\n": "newline", "\t": "tab" };
const NAMES = { " ": "space", "\n": "new line", "\t": "tab" };

const UNSEEN = /[\p{C}\p{Z}]/u; // control, format, private, unassigned; separators other than the space

/** Returns a fragment: text nodes, and a span for each character that would not be seen. */
export function visible(text) {
  const fragment = document.createDocumentFragment();
  let plain = "";
  for (const character of text) {
    if (!(character in CLASSES) && !isUnseen(character, text)) {
      plain += character;
      continue;
    }
    fragment.append(plain, unseen(character, !text.trim()));
    plain = "";
  }
  fragment.append(plain);
  return fragment;
}

function unseen(character, alone) {
  const span = document.createElement("span");
  if (character in CLASSES) {
    span.className = CLASSES[character] + (alone ? " alone" : "");
    span.textContent = character;
  } else {
    span.className = "code-point";
    span.textContent = codePoint(character);
  }
  return span;
}

function isUnseen(character, text) {
  // A joiner inside a longer text holds an emoji or a ligature together; alone it would be invisible.
  return !(character in CLASSES) && UNSEEN.test(character) && !(character === "\u200d" && text.length > 1);
}

function codePoint(character) {
  return `U+${character.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}`;
}

/** Returns a unit of text as a small chip inside a sentence. */
export function quoted(text) {
  const chip = document.createElement("q");
  chip.append(visible(shortened(text)));
  return chip;
}

/** Returns the text in quotes for a screen reader; what would not be heard is named, as is what consists of white space alone. */
export function spoken(text) {
  if (text && !text.trim()) return Array.from(text, (character) => NAMES[character] ?? codePoint(character)).join(", ");
  const heard = Array.from(shortened(text), (character) => (isUnseen(character, text) ? codePoint(character) : character));
  return `‘${heard.join("").replaceAll("\n", "⏎")}’`;
}

/** Returns a token's text, or its bytes in hex where it has no text of its own. */
export function textOf(token) {
  return (token.text && !token.text.includes("\ufffd")) || !token.bytes ? token.text : `⟨${spaced(token.bytes)}⟩`;
}

/** Returns the UTF-8 bytes of a token in hex, a space between two bytes. */
export function bytesOf(token) {
  const hex = token.bytes ?? Array.from(new TextEncoder().encode(token.text), (byte) => byte.toString(16).padStart(2, "0")).join("");
  return spaced(hex);
}

function spaced(hex) {
  return hex.replace(/..(?=.)/g, "$& ");
}

function shortened(text) {
  const characters = Array.from(text);
  return characters.length > 24 ? `${characters.slice(0, 23).join("")}…` : text;
}
