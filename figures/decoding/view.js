/** Decoding: the candidates of a step as bars, three sliders that rank them anew, and where the others would have led. */
import { range, sum } from "d3";
import { percent, whole } from "../shared/format.js";
import { hint } from "../shared/hint.js";
import { legend } from "../shared/legend.js";
import { pointing } from "../shared/pointing.js";
import { readout } from "../shared/readout.js";
import { alongLine, roving } from "../shared/roving.js";
import { selection } from "../shared/selection.js";
import { slider } from "../shared/slider.js";
import { strip, stripKey } from "../shared/strip.js";
import { quoted, spoken, textOf, visible } from "../shared/text.js";
import { settled } from "./settings.js";

const WRITTEN = { greedy: "Written greedily: the likeliest token at each step", given: "A text that was given", sampled: "Drawn at random" };
const VISIBLE = 0.004; // of a bar's length: about a pixel

/**
 * Returns an element whose `value` is `{ position, temperature, topk, topp, fork, pinned }`: the token whose step is
 * shown, the sliders (0 and 1 are off), and which candidate is followed, or null. It emits `input` when that changes.
 * `options.value` restores it; `show({ token })` is that of prose.
 */
export default function decoding(data, { value } = {}) {
  const { tokens, targets, vocabulary, candidates, forks, temperatures, top_ks, top_ps, initial } = data;
  const start = { temperature: initial.temperature, topk: top_ks.includes(initial.top_k) ? initial.top_k : 0, topp: initial.top_p };
  const known = (list, item, other) => (list.includes(item) ? item : other);
  const settings = {
    temperature: known(temperatures, value?.temperature, start.temperature),
    topk: known(top_ks, value?.topk, start.topk),
    topp: known(top_ps, value?.topp, start.topp),
  };
  const root = element("div", "view");
  const sentence = readout();
  const texts = tokens.map((token) => textOf("span" in token ? { ...token, text: "" } : token)); // a step wrote part of a character
  const units = texts.map((text, i) => ({ start: i, size: 1, text, type: tokens[i].type, special: tokens[i].special }));
  const shown = texts.map((text) => ({ text }));
  const line = strip(units, shown, { choosable: (unit) => targets.includes(unit.start), label: "Tokens: choose one to see what else could have stood there" });
  const branch = element("p", "fork");
  const rows = candidates[0].map((_, i) => row(i));
  const more = element("p", "more");
  const list = element("div", "candidates");
  list.setAttribute("role", "group");
  list.setAttribute("aria-label", "Candidates; those that can be followed are buttons");
  list.append(...rows.map(({ button }) => button), more);
  const sliders = [
    stops("Temperature", "temperature", temperatures, (stop) => stop.toFixed(Number.isInteger(stop * 10) ? 1 : 2)),
    stops("Top-k", "topk", top_ks, (stop) => (stop ? whole(stop) : "all")),
    stops("Top-p", "topp", top_ps, (stop) => (stop < 1 ? String(stop) : "all")),
  ];
  const facts = element("p", "facts");
  const reset = element("button", "reset", "Reset");
  reset.type = "button";
  reset.addEventListener("click", () => {
    Object.assign(settings, start);
    sliders.forEach(({ place }) => place());
    choose();
  });
  const origin = element("p", "origin", `${WRITTEN[data.written]}${data.written === "sampled" ? ` ${named(start)}` : ""}. `);
  origin.append(reset);
  const panel = element("div", "settings");
  panel.append(...sliders.map(({ control }) => control), origin, facts);
  const body = element("div", "steps");
  body.append(list, panel);
  const bar = element("div", "view-bar");
  bar.append(...stripKey(tokens), legend("probability", "0%", "100%").element, hint("← → choose", "Enter pins", "Tab to candidates", "Esc lets go"));
  root.append(sentence.element, line.element, branch, body, bar);

  let lent = null; // what prose asks to show, for as long as it is pointed at
  let own = [];
  const restored = targets.includes(value?.position);
  let followed = restored && forks[targets.indexOf(value.position)].some(({ candidate }) => candidate === value.fork) ? value.fork : null;
  let last = restored ? value.position : targets[0];
  const state = selection({ current: last, pinned: restored && value.pinned !== false, changed });
  const buttons = targets.map((position) => line.chips[position]);
  const roves = roving(line.element, buttons, alongLine(buttons.length), (i) => state.step(targets[i]));
  pointing(line.element, line.chips, {
    point: (i) => targets.includes(i) && state.preview(i),
    press(i) {
      if (!targets.includes(i)) return;
      state.toggle(i);
      roves.rest(targets.indexOf(i));
    },
    escape,
  });
  body.addEventListener("keydown", (event) => event.key === "Escape" && escape());
  root.show = (part, { pin = false } = {}) => {
    const position = targets.includes(part?.token) ? part.token : null;
    if (pin) lent = null;
    if (pin && position !== null) return state.toggle(position);
    lent = position;
    draw();
  };
  choose(false);
  return root;

  function escape() {
    followed = null;
    state.release();
    changed();
  }

  function changed() {
    if (state.current !== last) followed = null;
    last = state.current;
    draw();
    root.dispatchEvent(new Event("input", { bubbles: true }));
  }

  /** After a change of settings: how likely each token of the text is now. */
  function choose(tell = true) {
    own = targets.map((_, t) => settled(data, t, settings).own);
    targets.forEach((position, t) => {
      line.chips[position].style.setProperty("--s", own[t].toFixed(4));
      line.chips[position].classList.toggle("is-cut", own[t] === 0);
    });
    if (tell) changed();
    else draw();
  }

  function follow(i) {
    followed = followed === i ? null : i;
    if (state.pinned) changed();
    else state.toggle(state.current);
  }

  function draw() {
    root.value = { position: state.current, ...settings, fork: followed, pinned: state.pinned };
    const position = lent ?? state.current;
    const t = targets.indexOf(position);
    const fork = lent === null ? forks[t].find(({ candidate }) => candidate === followed) : undefined;
    line.chips.forEach((chip, i) => {
      chip.classList.toggle("is-selected", i === position);
      chip.classList.toggle("is-pinned", i === position && state.pinned);
      chip.classList.toggle("is-shaded", targets.includes(i) && !(fork && i > position));
      chip.classList.toggle("is-later", Boolean(fork) && i > position);
      if (targets.includes(i)) chip.setAttribute("aria-pressed", String(i === state.current && state.pinned));
    });
    if (!line.element.contains(document.activeElement)) roves.rest(targets.indexOf(state.current));
    const now = settled(data, t, settings);
    rank(t, now);
    branch.replaceChildren(...(fork ? told(t, fork) : [forks[t].length ? "Candidates marked ↳ can be followed." : ""]));
    const role = tokens[position].type === "output" ? "Output token" : "Token";
    const place = ` position ${position}: probability ${own[t] ? percent(own[t]) : "0, it cannot be drawn"}, no. ${whole(data.places[t])} of ${whole(data.vocab_size)}`;
    const path = fork ? `. Instead: ${fork.text.map((v) => vocabulary[v]).join("")}` : "";
    sentence.say([`${role} `, quoted(texts[position]), place], `${role} ${spoken(texts[position])}${place}${path}`, state.pinned);
  }

  /** Writes the candidates of step t, and what was cut off. */
  function rank(t, now) {
    const before = settled(data, t, start);
    rows.forEach(({ button, text, bar: fill, tick, number }, i) => {
      const share = now.share(i);
      const path = forks[t].some(({ candidate }) => candidate === i);
      text.replaceChildren(visible(vocabulary[candidates[t][i]]));
      fill.style.setProperty("--share", share.toFixed(4));
      tick.style.setProperty("--share", before.share(i).toFixed(4));
      tick.hidden = Math.abs(before.share(i) - share) < VISIBLE;
      number.textContent = share ? percent(share) : i === now.left ? now.cut : "";
      button.disabled = !path;
      button.classList.toggle("is-own", data.places[t] === i + 1);
      button.classList.toggle("is-cut", !share);
      button.classList.toggle("is-first-cut", i === now.left);
      if (path) button.setAttribute("aria-pressed", String(followed === i && lent === null));
      else button.removeAttribute("aria-pressed");
    });
    const rest = now.left - rows.length;
    const others = 1 - sum(range(rows.length), now.share);
    more.textContent = rest > 0 ? `and ${whole(rest)} more, ${percent(Math.max(others, 0))} together` : `${whole(data.vocab_size - now.left)} tokens are cut off`;
    const entropy = data.levels.at(-1).entropies[t][temperatures.indexOf(settings.temperature)];
    facts.textContent = `${whole(now.left)} of ${whole(data.vocab_size)} tokens can be drawn. Before anything is cut off: entropy ${entropy.toFixed(2)} nats, perplexity ${Math.exp(entropy).toPrecision(3)}.`;
  }

  /** Returns a fork as nodes: its tokens, how likely they are together, and whether they lead back. */
  function told(t, { text, length, logprob, rejoins }) {
    const chips = text.map((v, i) => {
      const chip = element("span", "token");
      chip.dataset.type = "output";
      chip.classList.toggle("is-same", rejoins !== null && i >= rejoins);
      chip.append(visible(vocabulary[v]));
      return chip;
    });
    const one = temperatures.indexOf(1);
    const mine = range(t, Math.min(t + length, targets.length)).map((s) => data.own[s] - data.levels.at(-1).log_sums[s][one]);
    const other = t + length <= targets.length ? `; that of the text’s own ${length > 1 ? `${length} tokens` : "token"} is ${minus(sum(mine))}` : "";
    const back = rejoins === null ? "" : " The underlined words are the text’s own again.";
    return ["↳ ", ...chips, element("span", "", `log-probability ${minus(logprob)} nats${other}.${back}`)];
  }

  function row(i) {
    const button = element("button", "candidate");
    const [number, fill, tick] = [element("span", "number"), element("i", "bar"), element("i", "tick")];
    const [text, track] = [document.createElement("q"), element("span", "track")];
    button.type = "button";
    track.append(fill, tick);
    button.append(text, track, number);
    button.addEventListener("click", () => follow(i));
    return { button, text, bar: fill, tick, number };
  }

  function stops(label, name, items, format) {
    const place = () => control.set(items.indexOf(settings[name]));
    const control = slider(label, { min: 0, max: items.length - 1, value: items.indexOf(settings[name]), format: (at) => format(items[at]) }, (at) => {
      settings[name] = items[at];
      choose();
    });
    return { control: control.element, place };
  }

  function named({ temperature, topk, topp }) {
    return `at temperature ${temperature}${topk ? `, top-k ${topk}` : ""}${topp < 1 ? `, top-p ${topp}` : ""}`;
  }
}

function minus(number) {
  return number.toFixed(1).replace("-", "−");
}

function element(tag, name, text = "") {
  const made = document.createElement(tag);
  made.className = name;
  made.textContent = text;
  return made;
}
