/** A gallery's panels side by side, or one at a time at the reader's choice; what all of them can be told is told once. */
import { choice } from "../figures/shared/choice.js";

export default function gallery(figure, panels) {
  const titles = panels.map((panel) => panel.querySelector(".panel-title").textContent);
  const control = choice("Panels", [["all", "all"], ...titles.map((title, i) => [String(i), title])], "all", choose);
  const body = figure.querySelector(".figure-body");
  const bar = document.createElement("div");
  bar.className = "gallery-bar";
  bar.append(control.element);
  body.prepend(bar);
  share(figure.views, bar);
  figure.views.forEach((view, i) => {
    const { show } = view;
    view.show = (part, options) => { // words point at a panel that the reader has put away
      if (part && panels[i].hidden) {
        control.set("all");
        choose("all");
      }
      show?.(part, options);
    };
  });

  function choose(shown) {
    panels.forEach((panel, i) => (panel.hidden = shown !== "all" && shown !== String(i)));
    body.classList.toggle("is-single", shown !== "all");
  }
}

/** Moves the controls that every view has into the bar, where they turn all of them; one marked `data-own` stays with its view. */
function share(views, bar) {
  const [mine, ...others] = views.map((view) => {
    const controls = view.querySelectorAll(":is(.choice, .switch):not([data-own])");
    return new Map([...controls].map((control) => [control.textContent, control]));
  });
  for (const [name, control] of mine) {
    if (!others.every((theirs) => theirs.has(name))) continue;
    const twins = others.map((theirs) => theirs.get(name));
    const held = [control, ...twins].find((one) => one.contains(document.activeElement));
    const place = held ? inputs(held).indexOf(document.activeElement) : -1;
    twins.forEach((twin) => twin.classList.add("is-shared"));
    bar.append(control);
    inputs(control)[place]?.focus(); // a reader who tabs along keeps the place
    control.addEventListener("change", ({ target }) => {
      const at = inputs(control).indexOf(target);
      twins.forEach((twin) => follow(inputs(twin)[at], target));
      views[0].dispatchEvent(new Event("change", { bubbles: true })); // it may be of another height now
    });
  }
}

function inputs(control) {
  return [...control.querySelectorAll("input, select")];
}

function follow(twin, { checked, selectedIndex }) {
  if (selectedIndex === undefined) twin.checked = checked;
  else twin.selectedIndex = selectedIndex;
  twin.dispatchEvent(new Event("change", { bubbles: true }));
}
