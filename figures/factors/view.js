/** Factors: groups of neurons as sparklines over the text, and the text in the colour of each token's strongest. */
import { max, range, sort, sum } from "d3";
import { category } from "../shared/category.js";
import { choice } from "../shared/choice.js";
import { percent, whole } from "../shared/format.js";
import { hint } from "../shared/hint.js";
import { pointing } from "../shared/pointing.js";
import { readout } from "../shared/readout.js";
import { alongLine, roving } from "../shared/roving.js";
import { selection } from "../shared/selection.js";
import { strip, stripKey } from "../shared/strip.js";
import { switcher } from "../shared/switch.js";
import { quoted, spoken, textOf } from "../shared/text.js";
import { tooltip } from "../shared/tooltip.js";
import { positions, tokenUnits, wordUnits } from "../shared/units.js";
import { area, home, make, meter, record, sign } from "./marks.js";

const HEAD = ["factor", "neurons", "share", "energy", "in common with", "layers", "strongest neurons"];
const CARD = 8; // factors in a token's card
const LOST = "These factors could not be loaded; what was shown before stays.";

/**
 * Returns an element whose `value` is `{ solution, factor, position, tint, words, pinned }`; it emits `input` when that
 * changes. `options.value` restores it. `show({ factor })` takes a number, or `5.2` and `4-9/5.2` as `parts` names them.
 */
export default function factors(data, { value, piece, extent } = {}) {
  const { tokens, layers, solutions, signed, factors: counts } = data;
  const inputs = tokens.filter(({ type }) => type === "input").length;
  const first = data.first_token === "include" ? 0 : 1; // the first position that is drawn
  const tints = [["read", "as read"], ["written", "as written"]];
  if (inputs < tokens.length) tints.unshift(["both", "inputs as read, outputs as written"]);
  const known = (index) => Boolean(solutions[index]?.weights || (solutions[index] && piece));
  let own = known(value?.solution) ? value.solution : 0; // the reader's; `at` is drawn, prose may show another
  let at = solutions[own].weights ? own : 0;
  let asked = at;
  let shown = null; // what prose points at
  let tint = (tints.find(([name]) => name === value?.tint) ?? tints[0])[0];
  let words = Boolean(value?.words);
  let units, values, rows, line, stops, body, marker, homes;
  const drawn = new WeakMap(); // chip → what it shows

  const across = choice("Factors", counts.map((k, i) => [i, String(k)]), own % counts.length, (i) => open(own - (own % counts.length) + i));
  const deep = choice("Layers", layers.map(({ name }, i) => [i, name]), Math.floor(own / counts.length), (i) => open(i * counts.length + (own % counts.length)));
  const sentence = readout();
  const table = make("details", "rows");
  const bar = make("div", "view-bar", ...stripKey(tokens));
  if (counts.length > 1) bar.append(across.element);
  if (layers.length > 1) bar.append(deep.element);
  bar.append(
    choice("Tint", tints, tint, (name) => again(() => (tint = name))).element,
    switcher("Merge into words", words, (on) => again(() => (words = on))),
    hint("↑ ↓ factors", "← → tokens", "Enter pins", "Esc lets go"),
    table,
  );
  const root = make("div", "view", sentence.element, bar);
  const tip = tooltip(root);
  const chosen = range(1, solutions[own].n_factors + 1).includes(value?.factor);
  const current = chosen ? { factor: value.factor } : tokens[value?.position] ? { position: value.position } : null;
  const state = selection({ current, pinned: Boolean(current) && value.pinned !== false, changed });
  root.show = show;
  lay();
  turn(own);
  return root;

  /** Fetches a solution where it is not here yet, and draws it; returns whether it could be had. */
  async function turn(index) {
    asked = index;
    if (index === at) return true;
    try {
      if (!solutions[index].weights) Object.assign(solutions[index], await piece(solutions[index].piece));
    } catch {
      if (asked === index) stay(index);
      return false;
    }
    if (asked !== index) return true; // meanwhile another one was asked for
    at = index;
    set();
    lay();
    return true;
  }

  /** Goes on with what is drawn instead of a solution that does not come; the reader may ask for it again. */
  function stay(index) {
    [asked, shown] = [at, null];
    if (own === index) own = at;
    set();
    if (state.current?.factor > solutions[own].n_factors) escape();
    draw();
    sentence.say([LOST], LOST);
  }

  function set() {
    across.set(at % counts.length);
    deep.set(Math.floor(at / counts.length));
  }

  async function open(index) {
    own = index;
    await turn(index);
    if (state.current?.factor > solutions[own].n_factors) escape();
    emit();
  }

  function again(change) {
    change();
    lay();
    emit();
  }

  async function show(part, { pin = false } = {}) {
    const [, place, count, number] = /^(?:(.+)\/)?(?:(\d+)\.)?(\d+)$/.exec(part?.factor ?? "") ?? [];
    const layer = place ? layers.findIndex(({ name }) => name === place) : 0;
    const index = number ? layer * counts.length + (count ? counts.indexOf(Number(count)) : 0) : own;
    const item = number ? { factor: Number(number) } : tokens[part?.token] ? { position: part.token } : null;
    if (part && (!item || !known(index))) return;
    shown = pin ? null : item;
    if (pin) own = index;
    if (!(await turn(index))) return;
    if (pin) state.toggle(item);
    draw();
  }

  function lay() {
    const { n_factors: k, weights, factors: facts } = solutions[at];
    const top = largest();
    tip.hide();
    units = words ? wordUnits(tokens) : tokenUnits(tokens);
    values = units.map(activity);
    rows = weights.map((row, j) => {
      const heights = row.map((w, p) => (p < first ? 0 : Math.max(-1, Math.min(1, w / top))));
      const element = make("div", "factor", make("span", "which", j + 1), " ", area(heights, signed), make("span", "share-of", percent(facts[j].energy)));
      element.setAttribute("role", "button");
      element.setAttribute("aria-label", `Factor ${j + 1} ${percent(facts[j].energy)} of the energy`);
      element.tabIndex = -1;
      element.style.setProperty("--c", category(j + 1));
      return element;
    });
    line = strip(units, tokens, { choosable: () => true, label: "Tokens, each tinted by its strongest factor" });
    for (const chip of line.chips) {
      chip.dataset.name = chip.getAttribute("aria-label") ?? ""; // what a blank is called
      chip.append(make("small", "number"));
    }
    marker = make("i", "marker");
    homes = make("div", "homes");
    const border = make("i", "border");
    border.style.setProperty("--at", inputs / tokens.length);
    const stack = make("div", "stack", ...rows, marker, ...(inputs < tokens.length ? [border] : []));
    stack.setAttribute("role", "group");
    stack.setAttribute("aria-label", "Factors: choose one to see it alone on the text");
    stack.style.setProperty("--rows", k);
    const next = make("div", "factors", make("div", "sparks", stack, homes), line.element);
    if (body) body.replaceWith(next);
    else sentence.element.after(next);
    body = next;
    const items = [...rows, ...line.chips];
    const itemOf = (i) => (i === null ? null : i < k ? { factor: i + 1 } : { position: units[i - k].start });
    // up and down walk the factors, left and right the text, which lies to the right of them
    const along = alongLine(line.chips.length);
    const keys = (i, event) => {
      if (i < k) return { ArrowUp: Math.max(0, i - 1), ArrowDown: Math.min(k - 1, i + 1), ArrowRight: k, Home: 0, End: k - 1 }[event.key];
      const at = along(i - k, event); // before the first token comes the last factor
      return at === undefined ? at : k + at;
    };
    stops = roving(body, items, keys, (i) => state.step(itemOf(i)));
    pointing(body, items, {
      point: (i) => (state.pinned ? card(itemOf(i)) : state.preview(itemOf(i))),
      press(i) {
        stops.rest(i);
        state.toggle(itemOf(i));
      },
      escape,
    });
    const grid = make("table", "", make("thead", "", record("th", HEAD)), make("tbody", "", ...facts.map((_, j) => record("td", [j + 1, ...about(j)]))));
    const scroller = make("div", "scroller", grid);
    scroller.tabIndex = 0;
    scroller.setAttribute("role", "group");
    scroller.setAttribute("aria-label", "Every factor");
    table.replaceChildren(make("summary", "", "Every factor"), scroller);
    draw();
  }

  function escape() {
    state.release();
    state.preview(null);
  }

  function changed() {
    draw();
    emit();
  }

  function emit() {
    root.dispatchEvent(new Event("input", { bubbles: true }));
  }

  /** The position whose activations tint a token: its own where it is read, the one before it where it was written. */
  function source(position) {
    return position - Number(tint === "written" || (tint === "both" && tokens[position].type === "output"));
  }

  /** How active each factor is for a unit, the mean over its tokens; null where none of them was decomposed. */
  function activity(unit) {
    const from = positions(unit).map(source).filter((p) => p >= first);
    return from.length ? solutions[at].weights.map((row) => sum(from, (p) => row[p]) / from.length) : null;
  }

  function largest() {
    return extent?.weight || max(solutions[at].weights, (row) => max(row.slice(first), Math.abs)) || 1;
  }

  function strongest(list) {
    return sort(range(list.length), (j) => -Math.abs(list[j]));
  }

  function unitOf(item) {
    return units.findIndex((unit) => positions(unit).includes(item?.position));
  }

  function draw() {
    const item = shown ?? state.current;
    const alone = item?.factor <= rows.length ? item.factor : null;
    const top = largest();
    root.value = { solution: own, factor: null, position: null, ...state.current, tint, words, pinned: state.pinned };
    body.classList.toggle("is-alone", alone !== null);
    rows.forEach((row, j) => {
      row.classList.toggle("is-selected", j + 1 === alone);
      row.setAttribute("aria-pressed", String(j + 1 === alone && state.pinned));
    });
    const here = unitOf(item);
    line.chips.forEach((chip, u) => {
      const j = alone ? alone - 1 : values[u] ? strongest(values[u])[0] : 0;
      const w = values[u]?.[j] ?? 0;
      const now = [!values[u], u === here, state.pinned, j, w / top].join();
      if (drawn.get(chip) === now) return; // pointing at a token changes two of hundreds
      drawn.set(chip, now);
      chip.classList.toggle("is-later", !values[u]);
      chip.classList.toggle("is-selected", u === here);
      chip.classList.toggle("is-below", w < 0);
      chip.setAttribute("aria-pressed", String(u === here && state.pinned));
      chip.style.setProperty("--c", category(j + 1));
      chip.style.setProperty("--s", Math.min(1, Math.abs(w) / top).toFixed(3));
      chip.lastChild.textContent = values[u] ? j + 1 : "·";
      if (chip.dataset.name) chip.setAttribute("aria-label", `${chip.dataset.name} ${chip.lastChild.textContent}`);
    });
    marker.hidden = here < 0;
    if (here >= 0) marker.style.setProperty("--at", (source(item.position) + 0.5) / tokens.length);
    homes.replaceChildren(...home(layers[solutions[at].layers].span, solutions[at].factors, alone));
    tell(item, alone);
    card(item);
  }

  function tell(item, alone) {
    const u = unitOf(item);
    let [name, said, text] = ["", "", overview()];
    if (alone) {
      const [neurons, share, energy, common, where, names] = about(alone - 1);
      name = said = `Factor ${alone}: `;
      text = `${neurons} neurons, ${share} of all; ${energy} of the energy; in common with ${common}; most in layers ${where}; strongest ${names}`;
    } else if (u >= 0) {
      const unit = units[u];
      const total = sum(values[u] ?? [], Math.abs) || 1;
      const list = strongest(values[u] ?? []).slice(0, 3).map((j) => `factor ${j + 1} ${sign(values[u][j])}${percent(Math.abs(values[u][j]) / total)}`);
      const label = unit.size === 1 ? textOf(tokens[unit.start]) : unit.text;
      [name, said] = [quoted(label), spoken(label)];
      text = ` at position ${unit.start}, as ${source(unit.start) < unit.start ? "written" : "read"}: ${list.join(", ") || "left out"}`;
    }
    sentence.say([name, text], said + text, state.pinned && !shown);
  }

  function overview() {
    const { explained, n_factors: k } = solutions[at];
    const { n_neurons: n, first_token: share } = layers[solutions[at].layers];
    const how = tints.find(([name]) => name === tint)[1];
    const out = first ? ` The first token, ${percent(share)} of all energy, is ${data.first_token === "grey" ? "not drawn" : "left out"}.` : "";
    return `${k} factor${k > 1 ? "s" : ""} of ${whole(n)} neurons, ${percent(explained)} of their energy. Each token has the colour of its strongest: ${how}.${out}`;
  }

  /** The facts of a factor, as the table has them. */
  function about(j) {
    const { factors: facts, overlaps } = solutions[at];
    const { neurons, share, energy, top, layers: shares } = facts[j];
    const { span } = layers[solutions[at].layers];
    const common = facts.map((_, i) => `${i + 1}: ${whole(overlaps[j][i])}`).filter((_, i) => i !== j);
    const where = sort(range(span.length), (l) => -shares[l]).slice(0, 2).map((l) => `${span[l]} (${percent(shares[l])})`);
    const names = top.map(({ layer, index, weight }) => `${sign(weight)}${layer}/${index}`);
    return [whole(neurons), percent(share), percent(energy), common.join(", ") || "–", where.join(", "), names.join(", ")];
  }

  /** A token's factors as bars. */
  function card(item) {
    const list = values[unitOf(item)];
    if (!list) return tip.hide();
    const top = max(list, Math.abs) || 1;
    const entries = strongest(list).slice(0, CARD).map((j) => make("li", "", j + 1, meter(j, Math.abs(list[j]) / top, "width", list[j])));
    tip.show(line.chips[unitOf(item)], [make("ul", "meters", ...entries)]);
  }
}
