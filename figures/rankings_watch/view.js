/** Watched rankings: how chosen tokens compete for one place, layer by layer, as numbers and as lines. */
import { max, scaleLinear, scaleLog } from "d3";
import { category } from "../shared/category.js";
import { choice } from "../shared/choice.js";
import { compact, percent, whole } from "../shared/format.js";
import { heatmap } from "../shared/heatmap.js";
import { hint } from "../shared/hint.js";
import { legend } from "../shared/legend.js";
import { readout } from "../shared/readout.js";
import { selection } from "../shared/selection.js";
import { strip } from "../shared/strip.js";
import { quoted, spoken } from "../shared/text.js";
import { facts, tooltip } from "../shared/tooltip.js";
import { tokenUnits } from "../shared/units.js";
import { lines } from "./lines.js";

/**
 * Returns an element whose `value` is `{ layer, token, measure, view, pinned }`: a row and a watched token by their
 * numbers, null while none is looked at; what is measured, and whether the grid or the lines stand on a narrow screen. It
 * emits `input` when that changes. `options.value` restores it, `options.extent` gives the ends of shared scales.
 */
export default function rankingsWatch(data, { value, extent = {} } = {}) {
  const { tokens, targets, layers, ranks, probabilities, log_odds, top, vocabulary, ahead } = data;
  const words = vocabulary.slice(0, data.watched);
  const [rows, columns] = [layers.length, words.length];
  const measures = measure(data, extent);
  const root = document.createElement("div");
  const bar = document.createElement("div");
  const panes = document.createElement("div");
  const sentence = readout();
  const units = tokenUnits(tokens.slice(0, targets[0]));
  const place = { start: targets[0], size: 0, text: "", type: "output" };
  const line = strip([...units, place], tokens, { choosable: () => false, label: "The text, and the place that is competed for" });
  line.chips.at(-1).dataset.blank = "";
  let shown = Object.hasOwn(measures, value?.measure) ? value.measure : "rank";
  let view = value?.view === "lines" ? "lines" : "grid";
  let lent = null; // what prose asks to show, for as long as it is pointed at
  const grid = heatmap({
    label: "Watched tokens after each layer",
    corner: { above: "next", below: "next" },
    rows: layers.map((name) => (name === "0" ? "layer 0" : name)),
    columns: words.map((text) => ({ above: text, below: text })),
    cell,
    on: { look: point, press: (at) => state.toggle(at), step: (at) => state.step(at), escape },
  });
  grid.element.toggleAttribute("data-embeddings", layers[0] === "embeddings");
  grid.heads.forEach((heads, w) => heads.forEach((head) => head.style.setProperty("--c", category(w + 1))));
  const chart = lines(layers, words.map((text, w) => ({ name: text.trim() || spoken(text), colour: category(w + 1) })));
  let ramp = document.createElement("div");
  root.className = "view";
  panes.className = "panes";
  bar.className = "view-bar";
  panes.append(grid.element, chart.element);
  const kinds = Object.keys(measures).map((name) => [name, name]);
  bar.append(
    choice("Show", kinds, shown, (name) => turn(name, view)).element,
    choice("as", [["grid", "grid"], ["lines", "lines"]], view, (name) => turn(shown, name)).element,
    ramp,
    hint("arrows move", "Enter pins", "Esc lets go"),
  );
  bar.children[1].classList.add("as");
  root.append(sentence.element, line.element, panes, bar);
  const tip = tooltip(root);

  const index = (list, i) => (Number.isInteger(i) && i in list ? i : null);
  const restored = [index(layers, value?.layer), index(words, value?.token)];
  const known = restored.some((i) => i !== null);
  const state = selection({ current: known ? restored : null, pinned: known && value.pinned !== false, changed });
  chart.element.addEventListener("pointermove", (event) => event.pointerType !== "touch" && point(chart.at(event)));
  chart.element.addEventListener("pointerleave", () => point(null));
  chart.element.addEventListener("click", (event) => state.toggle(chart.at(event)));
  turn(shown, view);
  /** Shows a layer or a watched token until it is called with null; pins it where asked to. */
  root.show = (part, { pin = false } = {}) => {
    const found = [index(layers, part?.layer), index(words, part?.token)];
    const some = found.some((i) => i !== null);
    lent = pin || !some ? null : found;
    if (pin && some) state.toggle(found);
    draw();
  };
  return root;

  function cell(r, w) {
    const { of, text, shade } = measures[shown];
    return { text: text(of(r, w)), shade: shade(of(r, w)) };
  }

  function point(place) {
    if (state.pinned) card(place);
    else state.preview(place);
  }

  function escape() {
    state.release();
    state.preview(null);
  }

  function changed() {
    draw();
    root.dispatchEvent(new Event("input", { bubbles: true }));
  }

  /** Shows another measure, or the other view. */
  function turn(name, as) {
    const body = root.parentElement; // none as long as nobody has chosen anything
    [shown, view] = [name, as];
    const { title, low, high } = measures[shown];
    const next = legend(title, low, high).element;
    root.dataset.shown = view;
    root.toggleAttribute("data-signed", shown === "log-odds");
    ramp.replaceWith(next);
    ramp = next;
    grid.fill(cell);
    grid.cells.forEach((td, i) => td.classList.toggle("is-negative", shown === "log-odds" && log_odds[Math.floor(i / columns)][i % columns] < 0));
    chart.draw(measures[shown]);
    draw();
    if (!body) return;
    body.style.minHeight = ""; // lines are not as high as the grid
    root.dispatchEvent(new Event("input", { bubbles: true }));
  }

  function draw() {
    const [r, w] = lent ?? state.current ?? [null, null];
    const [layer, token] = state.current ?? [null, null];
    root.value = { layer, token, measure: shown, view, pinned: state.pinned };
    grid.select(r === null ? null : [r, w], state.pinned && !lent);
    grid.names.forEach((name, i) => name.classList.toggle("is-row", i === r));
    grid.heads.forEach((heads, i) => heads.forEach((head) => head.classList.toggle("is-column", i === w)));
    grid.cells.forEach((td, i) => td.classList.toggle("is-column", r === null && i % columns === w));
    card(r === null || w === null ? null : [r, w]);
    chart.look(r, w);
    tell(r);
  }

  /** The card of a cell: what else is known there. */
  function card(place) {
    grid.look(place);
    if (!place || chart.element.matches(":hover")) return tip.hide(); // there the sentence says it all
    const [r, w] = place;
    const firsts = document.createElement("span");
    firsts.className = "choices";
    for (const v of top[r]) firsts.append(quoted(vocabulary[v]), " ");
    const odds = w ? [["log-odds", `${signed(log_odds[r][w])} against `, quoted(words[0])]] : [];
    tip.show(
      grid.anchor([r, columns - 1]),
      [facts([["after", layerName(r)], ["rank", whole(ranks[r][w])], ["probability", percent(probabilities[r][w])], ...odds, ["first choices", firsts]])],
      { beside: true },
    );
  }

  function tell(r) {
    const nodes = [r === null ? "In the end: " : `After ${layerName(r)}: `];
    words.forEach((word, w) => {
      const { [r ?? rows - 1]: rank } = ranks;
      nodes.push(quoted(word), ` rank ${whole(rank[w])} (${percent(probabilities[r ?? rows - 1][w])})${w < columns - 1 ? ", " : ""}`);
    });
    if (r === null) nodes.push(...course());
    else if (columns === 2) nodes.push("; log-odds of ", quoted(words[1]), " against ", quoted(words[0]), ` ${signed(log_odds[r][1])}.`);
    else nodes.push(".");
    const said = nodes.map((node) => (node.textContent === undefined ? node : `‘${node.textContent}’`)).join("");
    const firsts = r === null ? "" : ` First choices there: ${top[r].map((v) => spoken(vocabulary[v])).join(", ")}.`;
    sentence.say(nodes, said + firsts, state.pinned);
  }

  /** Returns which token is ahead in the end, and the layer from which it is so for good. */
  function course() {
    const leads = words.map((_, w) => ahead.filter(([a]) => a === w));
    const w = leads.findIndex((pairs) => pairs.length === columns - 1);
    if (w < 0 || columns < 2) return ["."];
    const since = max(leads[w], ([, , row]) => row);
    const others = columns === 2 ? quoted(words[1 - w]) : "the others";
    return [". ", quoted(words[w]), " is ahead of ", others, since ? ` from ${layerName(since)} on.` : " throughout."];
  }

  function layerName(r) {
    return isNaN(layers[r]) ? `the ${layers[r]}` : `layer ${layers[r]}`;
  }
}

/** Returns what can be shown: how to read, write and shade it, and the axis of its lines, from 0 at the top to 1. */
function measure({ ranks, probabilities, log_odds, watched, vocabulary }, extent) {
  const most = (own, table) => Math.max(extent[own] ?? 0, max(table, (row) => max(row, Math.abs)));
  const end = 10 ** `${Math.max(most("rank", ranks), 2) - 1}`.length;
  const even = scaleLinear([0, most("probability", probabilities)], [0, 1]).nice(4);
  const [, top] = even.domain();
  const far = most("odds", log_odds) || 1;
  const log = scaleLog([1, end], [0, 1]).clamp(true);
  const both = scaleLinear([far, -far], [0, 1]).nice(4);
  return {
    rank: {
      title: "rank, log scale", low: whole(end), high: "1", text: compact, tick: whole, of: (r, w) => ranks[r][w],
      shade: (rank) => 1 - log(rank), scale: log, ticks: log.ticks().filter((tick) => /^10*$/.test(tick)),
    },
    probability: {
      title: "probability", low: "0%", high: percent(top), text: percent, of: (r, w) => probabilities[r][w],
      shade: even, scale: (p) => 1 - even(p), ticks: even.ticks(4).slice(1),
    },
    ...(watched > 1 && {
      "log-odds": {
        title: `against ${spoken(vocabulary[0])}`, low: signed(-far), high: signed(far), text: signed, of: (r, w) => log_odds[r][w],
        shade: (z) => Math.abs(z) / far, scale: both, ticks: both.ticks(5),
      },
    }),
  };
}

function signed(number) {
  return number ? `${number < 0 ? "−" : "+"}${Math.abs(number).toFixed(1)}` : "0";
}
