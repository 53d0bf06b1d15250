/** Tokens: the sequence as the model reads it; point at a token for its position, id and bytes. */
import { hint } from "../shared/hint.js";
import { pointing } from "../shared/pointing.js";
import { pinMark, readout } from "../shared/readout.js";
import { alongLine, roving } from "../shared/roving.js";
import { selection } from "../shared/selection.js";
import { strip, stripKey } from "../shared/strip.js";
import { bytesOf, quoted, spoken, textOf } from "../shared/text.js";
import { facts, tooltip } from "../shared/tooltip.js";
import { positions, tokenUnits } from "../shared/units.js";

/**
 * Returns an element whose `value` is `{ position, pinned }` (`position` is null while nothing is selected) and which
 * emits `input` when it changes. `options.value` restores a selection. `show({ token })` shows a position as if hovered.
 */
export default function tokens({ tokens }, { value } = {}) {
  const root = document.createElement("div");
  const units = tokenUnits(tokens);
  const line = strip(units, tokens, { choosable: () => true, label: "Tokens" });
  const sentence = readout();
  const bar = document.createElement("div");
  root.className = "view";
  bar.className = "view-bar";
  bar.append(...stripKey(tokens), hint("← → step", "Enter pins", "Esc lets go"));
  root.append(sentence.element, line.element, bar);
  line.chips.forEach((chip, i) => (chip.dataset.position = units[i].start));
  const tip = tooltip(root);

  const restored = units.findIndex((unit) => positions(unit).includes(value?.position));
  const state = selection({ current: restored < 0 ? null : restored, pinned: restored >= 0 && value.pinned !== false, changed });
  const stops = roving(line.element, line.chips, alongLine(units.length), (index) => state.step(index));
  pointing(line.element, line.chips, {
    point: (index) => state.preview(index),
    press(index) {
      stops.rest(index);
      state.toggle(index);
    },
    escape() {
      state.release();
      state.preview(null);
    },
  });
  let shown = null; // what the text beside the figure points at
  root.show = (part, { pin = false } = {}) => {
    const index = units.findIndex((unit) => positions(unit).includes(part?.token));
    shown = pin || index < 0 ? null : index;
    if (pin && index >= 0) {
      stops.rest(index);
      state.toggle(index);
      if (!state.pinned) state.preview(null);
    }
    draw();
  };
  draw();
  return root;

  function changed() {
    shown = null;
    draw();
    root.dispatchEvent(new Event("input", { bubbles: true }));
  }

  function draw() {
    const index = shown ?? state.current;
    const pinned = state.pinned && index === state.current;
    root.value = { position: state.current === null ? null : units[state.current].start, pinned: state.pinned };
    line.chips.forEach((chip, i) => {
      chip.classList.toggle("is-selected", i === index);
      chip.setAttribute("aria-pressed", String(i === index && pinned));
    });
    if (index === null) {
      tip.hide();
      sentence.say([summary()], summary());
      return;
    }
    const unit = units[index];
    const parts = tokens.slice(unit.start, unit.start + unit.size);
    const text = unit.size === 1 ? textOf(parts[0]) : unit.text;
    const where = unit.size === 1 ? `position ${unit.start}` : `positions ${unit.start} to ${unit.start + unit.size - 1}`;
    const role = unit.special ? "special" : unit.type;
    const ids = parts.map((token) => token.id).join(" ");
    const several = unit.size === 1 ? "" : ` ${unit.size} tokens that are text only together,`;
    const mark = pinned ? [pinMark()] : [];
    sentence.say([quoted(text), `${several} ${where}, id ${ids}, ${role}`, ...mark], `${spoken(text)},${several} ${where}, id ${ids}, ${role}`);
    tip.show(
      line.chips[index],
      [facts([
        [unit.size === 1 ? "position" : "positions", where.replace(/^positions? /, "")],
        [unit.size === 1 ? "id" : "ids", ids],
        // A span's parts do not each have text, only bytes; the first one's text is that of all.
        ["bytes", parts.map((token) => bytesOf(token)).join(" | ")],
        ["role", role],
      ])],
    );
  }

  function summary() {
    const input = tokens.filter((token) => token.type === "input").length;
    const output = tokens.length - input;
    const wrote = output ? `, and the model’s continuation, ${output} more` : "";
    return `The text is ${input} tokens long${wrote}. Point at one for its position, id and bytes.`;
  }
}
