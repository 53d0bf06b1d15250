/** A gallery's panels side by side, or one at a time at the reader's choice. */
import { choice } from "../figures/shared/choice.js";

export default function gallery(figure, panels) {
  const titles = panels.map((panel) => panel.querySelector(".panel-title").textContent);
  const control = choice("Show", [["all", "all"], ...titles.map((title, i) => [String(i), title])], "all", choose);
  const body = figure.querySelector(".figure-body");
  const bar = document.createElement("div");
  bar.className = "gallery-bar";
  bar.append(control.element);
  body.prepend(bar);
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
