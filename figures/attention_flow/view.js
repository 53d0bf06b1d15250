/** Attention flow: choose an output token, and see how much attention reaches it from each token, through all layers. */
import { range, sort } from "d3";
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
import { groupedUnits, groupings, positions } from "../shared/units.js";
import { bars, scaleEnd } from "./bars.js";
import { layerRows, reach, reader, strongest } from "./reached.js";

const METHODS = { value_norms: "value norms", raw: "raw", rollout: "rollout", flow: "flow" };
const ALONE = "Nothing stands before it.";
const DISPLAYS = { strip: "shades", sparks: "bars", sankey: "Sankey" };

/**
 * Returns an element whose `value` is `{ token, method, display, words, excluded, pinned }`: the chosen token's position, how
 * attention is followed and shown, whether tokens are merged into words and the first one is excluded. It emits `input` when
 * that changes. `options.value` restores a selection; `extent` is the upper end of a scale that several figures share.
 */
export default function attentionFlow(data, { value, extent = {}, piece } = {}) {
  const { tokens, targets, causal, columns } = data;
  const both = typeof data.layers[0] === "string"; // an encoder-decoder's layers have names, and it has no first token
  const root = document.createElement("div");
  const sentence = readout();
  const [bar, controls, key, place] = ["div", "div", "p", "div"].map((tag) => document.createElement(tag));
  const ramp = legend("", "0%", "");
  const read = reader(data, piece);
  const layerRow = layerRows(data);
  const grouped = groupings(tokens, targets).includes("words");
  const known = targets.includes(value?.token);
  const wanted = {
    method: data.methods.includes(value?.method) ? value.method : data.method,
    display: Object.hasOwn(DISPLAYS, value?.display) ? value.display : data.display,
    words: grouped && value?.words === true,
    excluded: !both && typeof value?.excluded === "boolean" ? value.excluded : data.exclude_first,
  };
  root.dataset.detail = "";
  [root, bar, controls, key, place].forEach((element, i) => (element.className = ["view", "view-bar", "controls", "bars-key", "sankey"][i]));

  let shown = { ...wanted, method: data.method, excluded: data.exclude_first, rows: data, display: "strip" }; // what is there
  let units, line, stops, chosen, extras, worn;
  let picture = { hide: (hidden) => (place.hidden = hidden) }; // where the Sankey stands once one was asked for
  let byLayer; // rows of the chosen unit after each layer, where bars show them
  let walked = null; // index of the unit that is looked at beside the chosen one
  let glimpse = null; // index of a unit that prose points at
  let turn = 0;
  let quiet = false; // while another figure leads
  const state = selection({ current: known ? value.token : data.token, pinned: known && value.pinned !== false, changed });

  // a Sankey draws the rollout, and flow has no layers
  const fits = { strip: data.methods, sparks: data.methods.filter((name) => name !== "flow"), sankey: data.methods.filter((name) => name === "rollout") };
  const displays = Object.entries(DISPLAYS).filter(([name]) => fits[name].length);
  const method = choice("By", data.methods.map((name) => [name, METHODS[name]]), wanted.method, (name) => ask({ method: name }));
  const display = choice("Show", displays, wanted.display, (name) => ask({ display: name }));
  bar.append(...stripKey(tokens), ramp.element, hint("← → choose", "↑ ↓ walk what reaches it", "Enter pins", "Esc lets go"));
  if (data.methods.length > 1) controls.append(method.element);
  controls.append(display.element);
  if (grouped) controls.append(switcher("Words", wanted.words, (words) => (ask({ words }), lay(), draw())));
  if (!both) controls.append(switcher("Without the first token", wanted.excluded, (excluded) => ask({ excluded })));
  bar.append(key);
  root.append(sentence.element, place, bar, controls);
  const tip = tooltip(root);
  lay();
  draw();
  if (settle({}) || wanted.method !== shown.method || wanted.excluded !== shown.excluded) fetchWanted();
  Object.assign(root, { show, follow });
  return root;

  function lay() {
    units = groupedUnits(tokens, wanted.words ? "words" : "tokens");
    chosen = range(units.length).filter((u) => reach(units, u, data, (t) => shown.rows.scores[t]));
    const label = `${tokens[targets[0]].type === "output" ? "Output tokens" : "Tokens"}: choose one to see from which tokens attention reaches it`;
    const next = strip(units, tokens, { choosable: (one) => chosen.includes(units.indexOf(one)), label });
    if (line) line.element.replaceWith(next.element);
    else sentence.element.after(next.element);
    line = next;
    [extras, worn, walked, glimpse] = [[], "", null, null];
    const buttons = chosen.map((u) => line.chips[u]);
    stops = roving(line.element, buttons, alongLine(buttons.length), (i) => (look(null), state.step(units[chosen[i]].start)));
    pointing(line.element, line.chips, { point, press, escape });
    line.element.addEventListener("keydown", walk);
  }

  /** Takes what a reader chose, with what goes with it. */
  function ask(change) {
    Object.assign(wanted, change);
    settle(change);
    look(null);
    fetchWanted();
    changed();
  }

  /** Returns whether more than the rows is needed. */
  function settle(change) {
    const methods = fits[wanted.display];
    if (!methods.includes(wanted.method)) Object.assign(wanted, change.method || !methods.length ? { display: "strip" } : { method: methods[0] });
    method.set(wanted.method);
    display.set(wanted.display);
    return wanted.display !== "strip";
  }

  /** Shows what is wanted once it is there; until then what was shown stays. */
  async function fetchWanted() {
    const mine = ++turn;
    const asked = { ...wanted };
    const more = { sparks: read.layers, sankey: ribbons }[asked.display];
    try {
      const [rows, detail] = await Promise.all([read.rows(asked.method, asked.excluded), more?.(asked.method, asked.excluded)]);
      if (mine !== turn) return;
      shown = { ...asked, rows, detail };
      draw();
    } catch {
      const sorry = "This part of the figure could not be fetched.";
      if (mine === turn) sentence.say([sorry], sorry);
    }
  }

  function point(u) {
    if (u !== null && chosen.includes(u) && !state.pinned) (look(null), state.preview(units[u].start));
    else look(u);
  }

  function press(u) {
    if (!chosen.includes(u)) return look(u);
    look(null);
    state.toggle(units[u].start);
    stops.rest(chosen.indexOf(u));
  }

  function escape() {
    if (walked !== null) look(null);
    else state.release();
  }

  /** Shows a token while prose points at it; `pin` keeps it. */
  function show(part, { pin = false } = {}) {
    const u = Number.isInteger(part?.token) ? unitAt(part.token) : -1;
    look(null);
    if (pin && chosen.includes(u)) return state.toggle(units[u].start);
    glimpse = chosen.includes(u) ? u : null;
    draw();
    if (u >= 0 && glimpse === null) look(u);
  }

  /** Goes along with another figure of the same text. */
  function follow({ token } = {}) {
    if (state.pinned || !chosen.includes(unitAt(token))) return;
    quiet = true;
    state.preview(units[unitAt(token)].start);
    quiet = false;
  }

  /** Up and down walk what reaches the chosen token from the most to the least. */
  function walk(event) {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!by) return;
    event.preventDefault();
    const row = rowOf(selected());
    const order = strongest(row);
    if (!order.length) return;
    look(order[Math.max(0, Math.min(order.length - 1, order.indexOf(walked) + by))]);
    const place = `No. ${order.indexOf(walked) + 1} of ${order.length}`;
    const heard = [`${place}: ${spoken(label(walked))}`, percent(row[walked]), ...peak(walked)].join(", ");
    sentence.say([`${place}: `, quoted(label(walked)), ` ${percent(row[walked])}`], heard);
  }

  /** Shows what comes from one token. */
  function look(u) {
    if (walked !== null) line.chips[walked]?.classList.remove("is-looked-at");
    walked = u;
    const row = rowOf(selected());
    if (u === null || row?.[u] === undefined) return tip.hide();
    const portion = document.createElement("b");
    portion.textContent = percent(row[u]);
    line.chips[u].classList.add("is-looked-at");
    const [most = `no. ${strongest(row).indexOf(u) + 1} of ${row.length}`] = peak(u);
    tip.show(line.chips[u], [portion, most]);
  }

  /** Says in which layer a token has most, where bars show layers: a list of one or none. */
  function peak(u) {
    if (!byLayer) return [];
    const most = sort(range(byLayer.length), (l) => -byLayer[l][u])[0];
    return [`most ${shown.method === "rollout" ? "after" : "in"} ${named(shown.detail.layers[most])}: ${percent(byLayer[most][u])}`];
  }

  function unitAt(position) {
    return units.findIndex((one) => positions(one).includes(position));
  }

  function selected() {
    const u = glimpse ?? unitAt(state.current);
    return chosen.includes(u) ? u : chosen[0];
  }

  function rowOf(u) {
    return u === undefined ? null : reach(units, u, data, (t) => shown.rows.scores[t]);
  }

  function changed() {
    glimpse = null;
    draw();
    if (!quiet) root.dispatchEvent(new Event("input", { bubbles: true }));
  }

  function draw() {
    root.value = { token: state.current, ...wanted, pinned: state.pinned };
    root.dataset.display = wanted.display;
    const u = selected();
    const row = rowOf(u) ?? [];
    const own = Math.max(0, ...row);
    const first = shown.method === data.method && shown.excluded === data.exclude_first; // what figures share a scale of
    const top = (first && extent.share) || own;
    dress();
    line.chips.forEach((chip, i) => {
      chip.classList.toggle("is-selected", i === u);
      chip.classList.toggle("is-later", causal && i > u);
      if (chosen.includes(i)) chip.setAttribute("aria-pressed", String(i === u && state.pinned));
      const share = row[i] || undefined; // the first token's is nothing where it is left out
      shade(chip, share, top, extras[i].share, share ? percent(share) : "");
    });
    drawBars(u);
    drawRibbons(u, row);
    const name = METHODS[shown.method] + (shown.method === "raw" ? " attention" : "") + (shown.excluded ? ", without the first token" : "");
    ramp.element.firstChild.textContent = name;
    ramp.set(`${own > top ? "≥ " : ""}${percent(top)}`);
    if (u === undefined) return sentence.say([ALONE], ALONE);
    if (!line.element.contains(document.activeElement)) stops.rest(chosen.indexOf(u));
    tell(u, row);
  }

  /** Gives chips what stands below their text: a share, and bars where they are shown. */
  function dress() {
    if (worn === shown.display) return;
    worn = shown.display;
    line.chips.forEach((chip, i) => {
      extras[i]?.share.remove();
      extras[i]?.bars?.element.remove();
      extras[i] = { share: below("share"), bars: worn === "sparks" ? bars() : null };
      chip.append(extras[i].share, ...(extras[i].bars ? [extras[i].bars.element] : []));
    });
  }

  function drawBars(u) {
    const { layers } = shown.detail ?? {};
    byLayer = shown.display === "sparks" && u !== undefined ? layers.map((_, l) => reach(units, u, data, layerRow(shown.detail, l))) : null;
    key.hidden = !byLayer;
    if (!byLayer) return;
    const top = scaleEnd(byLayer);
    extras.forEach((extra, i) => extra.bars.draw(byLayer[0][i] === undefined ? [] : byLayer.map((row) => row[i]), top));
    const each = shown.method === "rollout" ? "after each layer" : "of each layer";
    key.textContent = `bars: share ${each}, ${layers[0]} to ${layers.at(-1)}, up to ${percent(top)}; higher ones are cut and stand out`;
  }

  function drawRibbons(u, row) {
    picture.hide(wanted.display !== "sankey");
    if (shown.display !== "sankey" || u === undefined) return;
    const starts = positions(units[u]).filter((position) => targets.includes(position)).map((position) => position - causal);
    picture.draw(shown.detail, starts, units, row);
  }

  /** Returns the steps that ribbons are drawn from, once there is what draws them. */
  async function ribbons(...asked) {
    const [steps, drawing] = await Promise.all([read.steps(...asked), import("./ribbons.js")]);
    if (!picture.draw) place.replaceWith(...(picture = drawing.ribbons(columns, { label, named, tip })).elements);
    return steps;
  }

  function tell(u, row) {
    const { size, start, type } = units[u];
    const place = size === 1 ? `position ${start}` : `positions ${start} to ${start + size - 1}`;
    const made = causal && size === 1 ? `, predicted at position ${start - 1}` : "";
    const top = strongest(row).slice(0, 3);
    const sum = size === 1 ? shown.rows.sums?.[targets.indexOf(start)] : undefined;
    const portion = (i) => ` ${percent(row[i])}${sum ? ` (${(row[i] * sum).toFixed(2)} of 1)` : ""}`;
    const from = top.length ? [": most from ", ...top.flatMap((i) => [i, portion(i), ", "]).slice(0, -1)] : [": only the first token stands before it"];
    const parts = [type === "output" ? "Output token " : "Token ", u, ` ${place}${made}`, ...from];
    const nodes = parts.map((part) => (typeof part === "number" ? quoted(label(part)) : part));
    const heard = parts.map((part, i) => (typeof part === "number" ? spoken(label(part)) : i === 2 ? `,${part}` : part)).join("");
    sentence.say(nodes, heard, state.pinned && glimpse === null);
  }

  function named(layer) {
    return both ? layer : `layer ${layer}`;
  }

  function label(u) {
    return units[u].size === 1 ? textOf(tokens[units[u].start]) : units[u].text;
  }
}
