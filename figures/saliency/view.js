/** Saliency: choose an output token, and each token before it is shaded by its share of the importance. */
import { max, scaleLinear, sort } from "d3";
import { percent } from "../shared/format.js";
import { hint } from "../shared/hint.js";
import { legend } from "../shared/legend.js";
import { pointing } from "../shared/pointing.js";
import { pinMark, readout } from "../shared/readout.js";
import { alongLine, roving } from "../shared/roving.js";
import { selection } from "../shared/selection.js";
import { strip, stripKey } from "../shared/strip.js";
import { switcher } from "../shared/switch.js";
import { quoted, spoken, textOf } from "../shared/text.js";
import { tooltip } from "../shared/tooltip.js";
import { mergeRows, positions, tokenUnits, wordUnits } from "../shared/units.js";

const METHODS = {
  gradient_x_input: "gradient × input",
  gradient: "gradient norm",
  integrated_gradients: "integrated gradients",
};

/**
 * Returns an element whose `value` is `{ position, words, pinned }`: the selected output token's position, whether
 * tokens are merged into words. It emits `input` when that changes. `options.value` restores a selection.
 */
export default function saliency(data, { value } = {}) {
  const { tokens, targets, scores, probabilities = [], completeness = [] } = data;
  const root = document.createElement("div");
  const sentence = readout();
  const against = data.contrast ? ` against ${spoken(data.contrast)}` : "";
  const ramp = legend(`${METHODS[data.method] ?? data.method}${against}`, "0%", "");
  const bar = document.createElement("div");
  root.className = "view";
  if (data.detail) root.dataset.detail = "";
  bar.className = "view-bar";
  bar.append(...stripKey(tokens), ramp.element, hint("← → choose", "↑ ↓ walk its inputs", "Enter pins", "Esc lets go"));
  bar.append(switcher("Merge into words", Boolean(value?.words), merge));
  root.append(sentence.element, bar);
  const tip = tooltip(root);

  let words = Boolean(value?.words);
  let units, rows, line, stops;
  let chosen; // indices of the units that have a row
  let walked = null; // index of the unit that is looked at beside the selected one
  const state = selection({
    current: targets.includes(value?.position) ? value.position : targets[0],
    pinned: targets.includes(value?.position) && value.pinned !== false,
    changed,
  });
  lay();
  return root;

  function lay() {
    units = words ? wordUnits(tokens) : tokenUnits(tokens);
    rows = mergeRows(units, targets, scores);
    chosen = units.map((_, u) => u).filter((u) => rows[u]);
    const label = "Output tokens: choose one to see which tokens before it weigh most";
    const next = strip(units, tokens, { choosable: (unit) => rows[units.indexOf(unit)], label });
    if (line) line.element.replaceWith(next.element);
    else sentence.element.after(next.element);
    line = next;
    if (data.detail) for (const chip of line.chips) chip.append(share());
    const buttons = chosen.map((u) => line.chips[u]);
    stops = roving(line.element, buttons, alongLine(buttons.length), (i) => choose(() => state.step(units[chosen[i]].start)));
    pointing(line.element, line.chips, { point, press, escape });
    line.element.addEventListener("keydown", walk);
    draw();
  }

  function merge(on) {
    look(null);
    words = on;
    lay();
    emit();
  }

  function choose(act) {
    look(null);
    act();
  }

  function point(u) {
    if (u !== null && rows[u] && !state.pinned) choose(() => state.preview(units[u].start));
    else look(u);
  }

  function press(u) {
    if (!rows[u]) return look(u);
    choose(() => state.toggle(units[u].start));
    stops.rest(chosen.indexOf(selected()));
  }

  function escape() {
    look(null);
    state.release();
    draw();
  }

  /** Up and down walk the inputs of the selected token from the strongest to the weakest. */
  function walk(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const order = strongest();
    if (!order.length) return;
    const at = order.indexOf(walked);
    look(order[Math.max(0, Math.min(order.length - 1, at + step))]);
    const [text, portion] = [units[walked].text, percent(rows[selected()][walked])];
    const place = `Strongest inputs, no. ${order.indexOf(walked) + 1} of ${order.length}`;
    sentence.say([`${place}: `, quoted(text), ` ${portion}`], `${place}: ${spoken(text)}, ${portion}`);
  }

  /** Shows what one token gives to the selected one. */
  function look(u) {
    if (walked !== null) line.chips[walked]?.classList.remove("is-looked-at");
    walked = u;
    const row = rows[selected()] ?? [];
    if (u === null || u >= row.length) return tip.hide();
    const portion = document.createElement("b");
    portion.textContent = percent(row[u]);
    line.chips[u].classList.add("is-looked-at");
    tip.show(line.chips[u], [portion, `no. ${strongest().indexOf(u) + 1} of ${row.length}`]);
  }

  function selected() {
    const u = units.findIndex((unit) => positions(unit).includes(state.current));
    return rows[u] ? u : chosen[0];
  }

  function strongest() {
    const row = rows[selected()] ?? [];
    return sort(row.keys(), (u) => -row[u]);
  }

  function changed() {
    draw();
    emit();
  }

  function emit() {
    root.dispatchEvent(new Event("input", { bubbles: true }));
  }

  function draw() {
    root.value = { position: state.current, words, pinned: state.pinned };
    const u = selected();
    const row = rows[u] ?? []; // merged into a single word, a text has nothing before it
    const shade = scaleLinear([0, max(row) || 1], [0, 1]);
    line.chips.forEach((chip, i) => {
      chip.classList.toggle("is-selected", i === u);
      chip.classList.toggle("is-pinned", i === u && state.pinned);
      chip.classList.toggle("is-later", i > u);
      chip.classList.toggle("is-shaded", i < u);
      chip.style.setProperty("--s", i < u ? shade(row[i]).toFixed(4) : 0);
      if (rows[i]) chip.setAttribute("aria-pressed", String(i === u && state.pinned));
      if (data.detail) chip.lastChild.textContent = i < u ? percent(row[i]) : "";
    });
    ramp.set(percent(max(row) ?? 0));
    if (u === undefined) return sentence.say(["One word: nothing stands before it."], "One word: nothing stands before it.");
    if (!line.element.contains(document.activeElement)) stops.rest(chosen.indexOf(u));
    tell(u, row);
  }

  function tell(u, row) {
    const unit = units[u];
    const [text, top] = [label(unit), strongest().slice(0, 3)];
    const place = unit.size === 1 ? `position ${unit.start}` : `positions ${unit.start} to ${unit.start + unit.size - 1}`;
    const t = targets.indexOf(unit.start);
    const facts = [place];
    if (unit.size === 1 && probabilities[t] !== undefined) facts.push(`probability ${percent(probabilities[t])}`);
    if (unit.size === 1 && completeness[t] !== undefined) facts.push(`completeness gap ${completeness[t].toPrecision(2)}`);
    const role = unit.type === "output" ? (unit.size === 1 ? "Output token" : "Output") : "Token";
    const nodes = [`${role} `, quoted(text), ` ${facts.join(", ")}: strongest inputs `];
    for (const i of top) nodes.push(quoted(label(units[i])), ` ${percent(row[i])}${i === top.at(-1) ? "" : ", "}`);
    if (state.pinned) nodes.push(pinMark());
    const inputs = top.map((i) => `${spoken(label(units[i]))} ${percent(row[i])}`).join(", ");
    sentence.say(nodes, `${role} ${spoken(text)}, ${facts.join(", ")}: strongest inputs ${inputs}${state.pinned ? ". Pinned" : ""}`);
  }

  function label(unit) {
    return unit.size === 1 ? textOf(tokens[unit.start]) : unit.text;
  }

  function share() {
    const element = document.createElement("span");
    element.className = "share";
    element.setAttribute("aria-hidden", "true");
    return element;
  }
}
