/** Saliency: choose an output token, and each token before it is shaded by its share of the importance. */
import { sort } from "d3";
import { choice } from "../shared/choice.js";
import { percent } from "../shared/format.js";
import { hint } from "../shared/hint.js";
import { legend } from "../shared/legend.js";
import { pointing } from "../shared/pointing.js";
import { readout } from "../shared/readout.js";
import { alongLine, roving } from "../shared/roving.js";
import { selection } from "../shared/selection.js";
import { below, shade, strip, stripKey } from "../shared/strip.js";
import { switcher } from "../shared/switch.js";
import { quoted, spoken, textOf } from "../shared/text.js";
import { tooltip } from "../shared/tooltip.js";
import { groupedUnits, groupings, mergeRows, positions } from "../shared/units.js";

const METHODS = {
  gradient_x_input: "gradient × input",
  gradient: "gradient norm",
  integrated_gradients: "integrated gradients",
  occlusion: "occlusion",
  value_zeroing: "value zeroing",
};
const TARGETS = { logit: "logit", logprob: "log-probability", probability: "probability" };

/**
 * Returns an element whose `value` is `{ position, unit, signed, detail, compare, pinned }`: the selected output token's
 * position, what tokens are grouped into, whether values have their sign and chips a number, and the position of a
 * second output token, or null. It emits `input` when that changes. `options.value` restores a selection; `extent` is
 * the upper end of a scale that several figures share.
 */
export default function saliency(data, { value, extent = {} } = {}) {
  const { tokens, targets, scores, values, probabilities = [], completeness = [] } = data;
  const root = document.createElement("div");
  const sentence = readout();
  const name = METHODS[data.method] ?? data.method;
  const ramp = legend(`${name}${data.contrast ? ` against ${spoken(data.contrast)}` : ""}`, "0%", "");
  const [bar, controls] = [document.createElement("div"), document.createElement("div")];
  const groups = groupings(tokens, targets);
  root.className = "view";
  bar.className = "view-bar";
  controls.className = "controls";

  let unit = groups.includes(value?.unit) ? value.unit : "tokens";
  let signed = Boolean(values) && value?.signed === true;
  let detail = typeof value?.detail === "boolean" ? value.detail : Boolean(data.detail);
  let units, shares, rows, line, stops; // `rows` are the shares, or the values with their sign
  let chosen; // indices of the units that have a row
  let extras, worn; // what chips have below their text, and for what
  let walked = null; // index of the unit that is looked at beside the selected one
  let glimpse = null; // index of a unit that prose points at
  let shift = false;
  const known = targets.includes(value?.position);
  let other = known && targets.includes(value.compare) && value.compare !== value.position ? value.compare : null;
  const state = selection({ current: known ? value.position : targets[0], pinned: known && value.pinned !== false, changed });

  const comparing = switcher("Compare", other !== null, (on) => compare(on ? neighbour() : null));
  comparing.dataset.own = ""; // in a gallery, too: it is about a token of this text
  bar.append(...stripKey(tokens), ramp.element, hint("← → choose", "↑ ↓ walk its inputs", "Enter pins", "Shift+Enter compares", "Esc lets go"));
  if (groups.length > 1) controls.append(choice("Shade", groups.map((by) => [by, by]), unit, (by) => set(() => (unit = by), lay)).element);
  if (values) controls.append(switcher("Signed", signed, (on) => set(() => (signed = on), merge)));
  controls.append(switcher("Numbers", detail, (on) => set(() => (detail = on))), comparing);
  root.append(sentence.element, bar, controls);
  const tip = tooltip(root);
  for (const type of ["click", "keydown", "mousedown"]) root.addEventListener(type, (event) => (shift = event.shiftKey), true);
  lay();
  draw();
  root.show = show;
  return root;

  function lay() {
    units = groupedUnits(tokens, unit);
    merge();
    chosen = units.map((_, u) => u).filter((u) => shares[u]);
    comparing.hidden = chosen.length < 2;
    const label = "Output tokens: choose one to see which tokens before it weigh most";
    const next = strip(units, tokens, { choosable: (one) => shares[units.indexOf(one)], label });
    next.element.toggleAttribute("data-long", unit === "lines" || unit === "sentences");
    if (line) line.element.replaceWith(next.element);
    else sentence.element.after(next.element);
    line = next;
    [extras, worn, walked, glimpse] = [[], "", null, null];
    if (other !== null && unitAt(other) === selected()) other = null;
    const buttons = chosen.map((u) => line.chips[u]);
    stops = roving(line.element, buttons, alongLine(buttons.length), (i) => choose(() => step(chosen[i])));
    pointing(line.element, line.chips, { point, press, escape });
    line.element.addEventListener("keydown", walk);
    // with Shift a click would select text
    line.element.addEventListener("mousedown", (event) => event.shiftKey && event.preventDefault());
  }

  function merge() {
    shares = mergeRows(units, targets, scores);
    rows = signed ? mergeRows(units, targets, values, { shares: false }) : shares;
  }

  /** Changes how all of it is shown. */
  function set(change, ...then) {
    look(null);
    change();
    then.forEach((act) => act());
    changed();
  }

  function choose(act) {
    look(null);
    act();
  }

  function compare(position) {
    set(() => {
      other = unitAt(position) === selected() ? null : position;
      if (other !== null && !state.pinned) state.toggle(units[selected()].start);
    });
  }

  function neighbour() {
    const at = chosen.indexOf(selected());
    return units[chosen[at + 1] ?? chosen[at - 1]].start;
  }

  function step(u) {
    if (other === null) state.step(units[u].start);
    else compare(units[u].start);
  }

  function point(u) {
    if (u !== null && rows[u] && !state.pinned) choose(() => state.preview(units[u].start));
    else look(u);
  }

  function press(u) {
    if (!rows[u]) return look(u);
    const start = units[u].start;
    const second = state.pinned && u !== selected() && (shift || other !== null);
    if (second) compare(u === unitAt(other) ? null : start);
    else choose(() => state.toggle(start));
    stops.rest(chosen.indexOf(second ? u : selected()));
  }

  function escape() {
    if (walked === null && other !== null) return compare(null);
    const walking = walked !== null && other !== null;
    look(null);
    if (!walking) state.release();
    draw();
  }

  /** Shows what prose names, as if it were pointed at. */
  function show(part, { pin = false } = {}) {
    const u = unitAt(part?.token);
    if (pin && rows[u]) {
      [glimpse, other] = [null, null];
      return choose(() => state.toggle(units[u].start));
    }
    look(null);
    glimpse = rows[u] ? u : null;
    draw();
    if (u >= 0 && !rows[u]) look(u);
  }

  /** Up and down walk the inputs of the selected token from the strongest to the weakest. */
  function walk(event) {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!by) return;
    event.preventDefault();
    const order = strongest(selected());
    if (!order.length) return;
    look(order[Math.max(0, Math.min(order.length - 1, order.indexOf(walked) + by))]);
    const portion = [selected(), ...second()].map((u) => portionOf(u, walked)).join(" and ");
    const place = `Strongest inputs, no. ${order.indexOf(walked) + 1} of ${order.length}`;
    sentence.say([`${place}: `, quoted(label(walked)), ` ${portion}`], `${place}: ${spoken(label(walked))}, ${portion}`);
  }

  /** Shows what one token gives to the selected one, or to both. */
  function look(u) {
    if (walked !== null) line.chips[walked]?.classList.remove("is-looked-at");
    walked = u;
    const [a, b] = [selected(), ...second()];
    if (u === null || u >= Math.max(a ?? 0, b ?? 0)) return tip.hide();
    const portion = document.createElement("b");
    const place = `no. ${strongest(a).indexOf(u) + 1} of ${rows[a].length}`;
    portion.textContent = b === undefined ? portionOf(a, u) : `${portionOf(a, u)} | ${portionOf(b, u)}`;
    line.chips[u].classList.add("is-looked-at");
    tip.show(line.chips[u], [portion, b !== undefined ? "upper | lower" : signed ? `${percent(shares[a][u])}, ${place}` : place]);
  }

  function unitAt(position) {
    return units.findIndex((one) => positions(one).includes(position));
  }

  function selected() {
    const u = glimpse ?? unitAt(state.current);
    return rows[u] ? u : chosen[0];
  }

  /** Returns the unit that is compared with the selected one: a list of one or none. */
  function second() {
    return other !== null && glimpse === null && rows[unitAt(other)] ? [unitAt(other)] : [];
  }

  function strongest(u) {
    const row = rows[u] ?? [];
    return sort(row.keys(), (i) => -Math.abs(row[i]));
  }

  function changed() {
    if (!state.pinned) other = null;
    glimpse = null;
    draw();
    root.dispatchEvent(new Event("input", { bubbles: true }));
  }

  function draw() {
    root.value = { position: state.current, unit, signed, detail, compare: other, pinned: state.pinned };
    const [a, b] = [selected(), ...second()];
    const shown = [a, b].filter((u) => rows[u]).map((u) => rows[u]); // one word has nothing before it
    const own = Math.max(0, ...shown.flat().map(Math.abs));
    const top = (signed ? extent.value : extent.share) || own;
    dress(b !== undefined);
    line.chips.forEach((chip, i) => {
      const extra = extras[i];
      chip.classList.toggle("is-selected", i === a);
      chip.classList.toggle("is-second", i === b);
      chip.classList.toggle("is-later", i > a && !(i <= b));
      if (rows[i]) chip.setAttribute("aria-pressed", String((i === a && state.pinned) || i === b));
      if (b === undefined) shade(chip, shown[0]?.[i], top, extra, portionOf(a, i));
      else shown.forEach((row, r) => shade(extra.children[r], row[i], top, extra.children[r], detail ? portionOf([a, b][r], i) : ""));
    });
    comparing.firstChild.checked = b !== undefined;
    ramp.element.children[0].textContent = `${name}${data.contrast ? ` against ${spoken(data.contrast)}` : signed ? ` (${TARGETS[data.target]})` : ""}`;
    ramp.element.children[1].textContent = signed ? number(-top) : "0%";
    ramp.set(`${own > top ? "≥ " : ""}${signed ? number(top) : percent(top)}`);
    if (a === undefined) return sentence.say(["One piece: nothing stands before it."], "One piece: nothing stands before it.");
    if (!line.element.contains(document.activeElement)) stops.rest(chosen.indexOf(a));
    if (b === undefined) tell(a);
    else tellBoth(a, b);
  }

  /** Gives chips what they need below their text: a number, or two halves. */
  function dress(two) {
    root.toggleAttribute("data-signed", signed);
    root.toggleAttribute("data-detail", detail);
    const wanted = two ? "halves" : detail ? "share" : "";
    if (wanted === worn) return;
    worn = wanted;
    line.chips.forEach((chip, i) => {
      extras[i]?.remove();
      chip.classList.remove("is-shaded", "is-negative");
      extras[i] = wanted ? below(wanted) : null;
      if (extras[i]) chip.append(extras[i]);
    });
  }

  function tell(u) {
    const { size, start, type } = units[u];
    const top = strongest(u).slice(0, 3);
    const place = size === 1 ? `position ${start}` : `positions ${start} to ${start + size - 1}`;
    const t = targets.indexOf(start);
    const facts = [place];
    if (size === 1 && probabilities[t] !== undefined) facts.push(`probability ${percent(probabilities[t])}`);
    if (size === 1 && completeness[t] !== undefined) facts.push(`completeness gap ${completeness[t].toPrecision(2)}`);
    const role = type === "output" ? (size === 1 ? "Output token" : "Output") : "Token";
    say(`${role} `, u, ` ${facts.join(", ")}: strongest inputs `, ...top.flatMap((i) => [i, ` ${portionOf(u, i)}`, ", "]).slice(0, -1));
  }

  function tellBoth(a, b) {
    const gap = (i) => Math.abs(rows[a][i] - rows[b][i]);
    const top = sort(rows[Math.min(a, b)].keys(), (i) => -gap(i)).slice(0, 3);
    const parts = top.flatMap((i) => [i, ` ${portionOf(a, i)} and ${portionOf(b, i)}`, ", "]);
    say("Upper half ", a, ", lower half ", b, ": furthest apart at ", ...parts.slice(0, -1));
  }

  /** Says text and units, given by their index, to eye and ear. */
  function say(...parts) {
    const nodes = parts.map((part) => (typeof part === "number" ? quoted(label(part)) : part));
    const heard = parts.map((part, i) => {
      if (typeof part === "number") return spoken(label(part));
      return typeof parts[i - 1] === "number" && part.startsWith(" ") && i === 2 ? `,${part}` : part;
    });
    sentence.say(nodes, heard.join(""), state.pinned && glimpse === null);
  }

  function portionOf(u, i) {
    const portion = rows[u]?.[i];
    return portion === undefined ? "" : signed ? number(portion) : percent(portion);
  }

  function label(u) {
    return units[u].size === 1 ? textOf(tokens[units[u].start]) : units[u].text;
  }
}

/** Returns a number with its sign, two digits of it at least. */
function number(value) {
  const size = Math.abs(value);
  const text = size >= 100 || size === 0 ? size.toFixed(0) : size < 0.0005 ? "0.000" : size.toPrecision(2);
  return `${size === 0 ? "" : value < 0 ? "−" : "+"}${text}`;
}
