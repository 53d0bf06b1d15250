/** Tokens: the sequence as the model reads it; point at a token for its position, id and bytes. */
import { hint } from "../shared/hint.js";
import { pointing } from "../shared/pointing.js";
import { readout } from "../shared/readout.js";
import { alongLine, roving } from "../shared/roving.js";
import { rows } from "../shared/rows.js";
import { selection } from "../shared/selection.js";
import { strip, stripKey } from "../shared/strip.js";
import { switcher } from "../shared/switch.js";
import { bytesOf, quoted, spoken, textOf } from "../shared/text.js";
import { facts, tooltip } from "../shared/tooltip.js";
import { positions, tokenUnits, wordUnits } from "../shared/units.js";

/**
 * Returns an element whose `value` is `{ position, words, pinned }` (`position` is null while nothing is selected; `words` is
 * whether tokens are merged into words) and which emits `input` when it changes. `options.value` restores a selection.
 * `show({ token })` shows a position as if hovered.
 */
export default function tokens({ tokens }, { value } = {}) {
  const root = document.createElement("div");
  const sentence = readout();
  const bar = document.createElement("div");
  const grouped = wordUnits(tokens).length < tokenUnits(tokens).length;
  const own = (token) => textOf("span" in token ? { ...token, text: "" } : token); // one of several that are text only together
  const table = rows("Every token", ["position", "token", "id", "bytes"], () => tokens.map((token, i) => [`${i}`, quoted(own(token)), `${token.id}`, bytesOf(token)]));
  let words = grouped && value?.words === true;
  let units, line, stops;
  let shown = null; // position that the text beside the figure points at
  root.className = "view";
  bar.className = "view-bar";
  bar.append(...stripKey(tokens), hint("← → step", "Enter pins", "Esc lets go"));
  if (grouped) bar.append(switcher("Words", words, merge));
  bar.append(table.element);
  root.append(sentence.element, bar);
  const tip = tooltip(root);

  lay();
  const restored = units[unitAt(value?.position)]?.start ?? null;
  const state = selection({ current: restored, pinned: restored !== null && value.pinned !== false, changed });
  root.show = (part, { pin = false } = {}) => {
    const start = units[unitAt(part?.token)]?.start ?? null;
    shown = pin ? null : start;
    if (pin && start !== null) {
      stops.rest(unitAt(start));
      state.toggle(start);
      if (!state.pinned) state.preview(null);
    }
    draw();
  };
  draw();
  return root;

  function lay() {
    units = (words ? wordUnits : tokenUnits)(tokens);
    const next = strip(units, tokens, { choosable: () => true, label: "Tokens" });
    if (line) line.element.replaceWith(next.element);
    else sentence.element.after(next.element);
    line = next;
    line.chips.forEach((chip, i) => (chip.dataset.position = units[i].start));
    stops = roving(line.element, line.chips, alongLine(units.length), (index) => state.step(units[index].start));
    pointing(line.element, line.chips, {
      point: (index) => state.preview(index === null ? null : units[index].start),
      press(index) {
        stops.rest(index);
        state.toggle(units[index].start);
      },
      escape() {
        state.release();
        state.preview(null);
      },
    });
  }

  /** Merges tokens into words, or parts them; what was selected is where it was. */
  function merge(on) {
    words = on;
    lay();
    const index = unitAt(state.current);
    if (index >= 0) {
      stops.rest(index);
      state.step(units[index].start);
    }
    changed();
  }

  function unitAt(position) {
    return units.findIndex((unit) => positions(unit).includes(position));
  }

  function changed() {
    shown = null;
    draw();
    root.dispatchEvent(new Event("input", { bubbles: true }));
  }

  function draw() {
    const index = unitAt(shown ?? state.current);
    const pinned = state.pinned && (shown ?? state.current) === state.current;
    root.value = { position: state.current, words, pinned: state.pinned };
    line.chips.forEach((chip, i) => {
      chip.classList.toggle("is-selected", i === index);
      chip.setAttribute("aria-pressed", String(i === index && pinned));
    });
    if (index < 0) {
      tip.hide();
      sentence.say([summary()], summary());
      return;
    }
    const { start, size, text: whole, special, type } = units[index];
    const parts = tokens.slice(start, start + size);
    const s = size === 1 ? "" : "s";
    const text = size === 1 ? textOf(parts[0]) : whole;
    const where = size === 1 ? `${start}` : `${start} to ${start + size - 1}`;
    const role = special ? "special" : type;
    const ids = parts.map((token) => token.id).join(" ");
    // A span's parts do not each have text, only bytes; the first one's text is that of all.
    const bytes = parts.map((token) => bytesOf(token));
    const together = parts[0].span === size ? " that are text only together" : "";
    const about = `${s && ` ${size} tokens${together},`} position${s} ${where}, id${s} ${ids}`;
    sentence.say([quoted(text), `${about}, ${role}`], `${spoken(text)},${about}, bytes ${bytes.join(", ")}, ${role}`, pinned);
    tip.show(line.chips[index], [facts([[`position${s}`, where], [`id${s}`, ids], ["bytes", bytes.join(" | ")], ["role", role]])]);
  }

  function summary() {
    const input = tokens.filter((token) => token.type === "input").length;
    const output = tokens.length - input;
    const wrote = output ? `, and the model’s continuation, ${output} more` : "";
    return `The text is ${input} tokens long${wrote}. Point at one for its position, id and bytes.`;
  }
}
